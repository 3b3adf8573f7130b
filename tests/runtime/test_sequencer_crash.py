"""A process killed between any two steps of the sequencer, without loss of power."""

from __future__ import annotations

import pytest

from exchange.codec import state_digest
from exchange.runtime.sequencer import Exchange
from tests.simulation.machine import Machine
from tests.simulation.store import feed, open_on
from tests.simulation.workload import blocks, digests, records, requests

CUT = blocks(requests(12, 90), 12)
DIGESTS = digests(records(CUT))


class Killed(BaseException):
    pass


def no_step(exchange: Exchange) -> int:
    return exchange.state.seq


def killed_while_encoding(exchange: Exchange) -> int:
    return no_step(exchange)


def killed_after_append(exchange: Exchange) -> int:
    """The engine never sees the records."""

    def die(_: object) -> None:
        raise Killed

    exchange._apply = die  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        exchange.stage(CUT[-1])
    return exchange.journal.last_seq


def killed_after_apply(exchange: Exchange) -> int:
    return exchange.stage(CUT[-1]).last_seq


def killed_after_sync(exchange: Exchange) -> int:
    staged = exchange.stage(CUT[-1])
    exchange.sync()
    return staged.last_seq


def killed_while_delivering(exchange: Exchange) -> int:
    def die(_: object) -> None:
        raise Killed

    exchange.listeners.append(die)
    with pytest.raises(Killed):
        exchange.commit(CUT[-1])
    return exchange.journal.last_seq


def killed_after_two_stages(exchange: Exchange) -> int:
    exchange.stage(CUT[-1][:1])
    return exchange.stage(CUT[-1][1:] or CUT[-1]).last_seq


def killed_with_a_snapshot_begun(exchange: Exchange) -> int:
    exchange.begin_snapshot()
    return exchange.state.seq


@pytest.mark.parametrize(
    "kill",
    [
        no_step,
        killed_after_append,
        killed_after_apply,
        killed_after_sync,
        killed_while_delivering,
        killed_with_a_snapshot_begun,
    ],
    ids=lambda kill: kill.__name__,
)
@pytest.mark.parametrize("answered", [0, 1, 7, len(CUT) - 1])
def test_a_kill_keeps_what_was_written(kill: object, answered: int) -> None:
    machine = Machine()
    exchange = open_on(machine)
    feed(exchange, CUT[:answered])
    acked = exchange.state.seq
    written = kill(exchange)  # type: ignore[operator]
    again = open_on(machine.killed())
    assert acked <= again.state.seq <= written
    assert again.state.seq == written  # the page cache survives
    if again.state.seq == acked:
        assert state_digest(again.state) == DIGESTS[acked]


@pytest.mark.parametrize("stop", range(1, len(CUT)))
def test_a_restart_at_any_block_gives_the_same_state_as_none(stop: int) -> None:
    machine = Machine()
    exchange = open_on(machine)
    feed(exchange, CUT[:stop])
    again = open_on(machine.killed())
    assert state_digest(again.state) == state_digest(exchange.state) == DIGESTS[exchange.state.seq]
