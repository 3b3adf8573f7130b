"""Lets the tests share code as ``tests.*`` wherever pytest is started from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parent.parent)
if ROOT not in sys.path:
    sys.path.append(ROOT)  # behind an installed exchange, which is the one to be tested


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden digests and bytes")
