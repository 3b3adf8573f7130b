"""Writes every golden screen anew."""

from __future__ import annotations

from tests.snapshots.scenes import FOLDER, GOLDENS, drawn


def main() -> None:
    for name, golden in GOLDENS.items():
        (FOLDER / f"{name}.svg").write_text(drawn(golden), encoding="utf-8")


if __name__ == "__main__":
    main()
