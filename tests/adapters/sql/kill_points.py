"""Run by test_kill.py: a process per kill point that dies of SIGKILL while it folds.

Arguments: a folder and the number of points.  Point 2n dies before the n-th commit, point 2n + 1
before the transaction after it begins.  Each works on ``<point>.db``; how it died is printed.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event

from exchange.adapters.sql import projector as module
from exchange.adapters.sql.projector import Projector
from exchange.client import Update


async def fold(path: Path, updates: list[Update], point: int) -> None:
    projector = await Projector.open(path)
    countdown = iter(range(point // 2, -1, -1))
    is_dying = False

    def commit(_: object) -> None:
        nonlocal is_dying
        if next(countdown, 1) == 0:
            is_dying = True
            if point % 2 == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def begin(_: object) -> None:
        if is_dying:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(projector.engine.sync_engine, "commit", commit)
    event.listen(projector.engine.sync_engine, "begin", begin)
    await projector.fold(updates)


def main(folder: Path, points: int) -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    market = importlib.import_module("conftest").random_market(21, 60)
    module.RECORDS_MAX = 9  # type: ignore[misc]
    for point in range(points):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            asyncio.run(fold(folder / f"{point}.db", market.updates, point))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{point} {os.waitstatus_to_exitcode(status)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
