"""``python -m tradecli`` and the console script."""

from __future__ import annotations

import gc


def main() -> None:
    # A short-lived process has nothing to collect while it is still importing.
    gc.disable()
    from tradecli.main import main as run

    gc.enable()
    gc.freeze()
    run()


if __name__ == "__main__":
    main()
