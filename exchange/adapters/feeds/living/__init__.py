"""A market that lives offline: seeded agents trading through ordinary accounts on the real engine."""

from __future__ import annotations

from exchange.adapters.feeds.living.feed import LivingMarket

__all__ = ["LivingMarket"]
