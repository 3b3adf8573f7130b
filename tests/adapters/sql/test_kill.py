"""``kill -9`` of the projecting process around every commit: what was committed is there, the rest is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_every_commit_survives_and_nothing_else(played: Any, folded: Any, dump: Any, tmp_path: Path) -> None:
    updates = played(21, 60).updates
    commits = -(-len(updates) // 9)
    points = 2 * commits
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    answer = subprocess.run(
        [sys.executable, str(HERE / "kill_points.py"), str(tmp_path), str(points)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    # After the last commit no transaction begins: that process ends by itself.
    deaths = dict.fromkeys(range(points - 1), -9) | {points - 1: 0}
    assert answer.stdout.splitlines() == [f"{point} {code}" for point, code in deaths.items()]
    whole = dump(folded(tmp_path / "whole.db", updates))
    for point in range(points):
        path = tmp_path / f"{point}.db"
        seq = min(9 * ((point + 1) // 2), len(updates))
        assert dump(path) == dump(folded(tmp_path / f"clean{seq}.db", updates[:seq]))
        assert dump(folded(path, updates)) == whole
