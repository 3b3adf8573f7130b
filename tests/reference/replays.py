"""Drawn streams as records, and what replaying them amounts to.  Run as a script it prints it."""

from __future__ import annotations

import sys

from exchange.codec import EventDigest, state_digest
from exchange.core.engine import Engine
from exchange.core.messages import Record
from tests.reference.differential import Pair
from tests.reference.streams import Crowd, opening


def records(seed: int, count: int) -> list[Record]:
    """The opening and a crowd's commands, stamped."""
    crowd, pair, kept = Crowd(seed), Pair(), []
    steps = opening()
    for at in range(len(steps) + count):
        if at >= len(steps):
            crowd.orders_seen = pair.engine.state.next_order_id - 1
            crowd.live = [(order.order_id, order.account) for order in pair.naive.orders]
            steps.append(crowd.step())
        wait, actor, command = steps[at]
        kept.append(Record(at + 1, pair.engine.state.ts + wait, actor, command))
        pair.take(steps[at])
    return kept


def replayed(journal: list[Record], engine: Engine | None = None) -> tuple[str, str]:
    """(event digest, state digest)"""
    engine, digest = engine or Engine(), EventDigest()
    for record in journal:
        digest.add(record, engine.apply(record))
    return digest.hexdigest(), state_digest(engine.state)


if __name__ == "__main__":
    sys.stdout.write(" ".join(replayed(records(int(sys.argv[1]), int(sys.argv[2])))))
