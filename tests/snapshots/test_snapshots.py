"""Every golden screen is drawn as its file has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshots.scenes import FOLDER, GOLDENS, drawn


@pytest.mark.parametrize("name", GOLDENS)
def test_the_screen_is_as_it_was(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.svg"
    text = drawn(GOLDENS[name])
    if text != path.read_text(encoding="utf-8"):
        other = tmp_path / path.name
        other.write_text(text, encoding="utf-8")
        pytest.fail(f"{name} looks different now: compare {path} with {other}; see tests/snapshots/redraw.py")


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(GOLDENS)
