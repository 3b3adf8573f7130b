"""Recorded markets as feeds: what was traded once is traded again, with whoever is in the queue."""

from __future__ import annotations

from exchange.adapters.feeds.recorded.opening import KINDS, open_feed

__all__ = ["KINDS", "open_feed"]
