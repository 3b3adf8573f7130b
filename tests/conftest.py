"""Lets the tests share code as ``tests.*`` wherever pytest is started from."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).parent.parent)
if ROOT not in sys.path:
    sys.path.append(ROOT)  # behind an installed exchange, which is the one to be tested
