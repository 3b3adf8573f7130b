"""Where the recorded data lies: beside the repository, never inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """The folder with the recorded data; a test that asks for it is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the recorded data is not here: ../shared/data is absent")
    return SHARED
