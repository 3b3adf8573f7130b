"""Runs of the engine, through its real interface, against outside suites and recorded books."""

from __future__ import annotations

from exchange.conformance.books import l2, lobster, mbo
from exchange.conformance.matching import checkpoints, edge_cases, matching

__all__ = ["checkpoints", "edge_cases", "l2", "lobster", "matching", "mbo"]
