"""Every table plays to its end, and together they reach everything the exchange can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.stage import played, tables


@pytest.mark.parametrize("path", tables(), ids=lambda path: path.stem)
def test_scenario_plays_as_written(path: Path) -> None:
    assert played(path).records
