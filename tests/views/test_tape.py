"""Time and sales."""

from __future__ import annotations

from exchange.core.messages import Traded
from exchange.core.terms import BUY, IOC, SELL
from exchange.views.tape import Print, Tape
from tests.tradecli.tui.memory import crowd_order, founded


def test_trades_of_one_instrument_in_order() -> None:
    exchange = founded()
    for number, price in ((0, 6_400_000), (1, 300_000), (0, 6_400_100), (0, 6_399_900)):
        crowd_order(exchange, SELL, price, 5, number)
        crowd_order(exchange, BUY, price, 5, number, IOC)
    tape = Tape(0)
    folded = [tape.fold(u.seq, u.ts, event) for u in exchange.updates for event in u.events]
    assert sum(folded) == 3
    assert [print_.price for print_ in tape.prints] == [6_400_000, 6_400_100, 6_399_900]
    assert {print_.side for print_ in tape.prints} == {BUY}
    assert (tape.last, tape.moved) == (6_399_900, -1)


def test_a_trade_is_printed_once() -> None:
    tape = Tape(0)
    tape.load([Print(1, 10, 100, 5, BUY), Print(2, 20, 101, 5, SELL)])
    again = Traded(2, 0, 101, 5, SELL, 1, 1, 0, 0, 2, 2, 0, 0)
    assert not tape.fold(7, 20, again)
    assert len(tape.prints) == 2
    assert tape.fold(8, 30, Traded(3, 0, 101, 5, SELL, 1, 1, 0, 0, 2, 2, 0, 0))
    assert tape.moved == 1  # an unchanged price keeps the direction


def test_old_prints_leave() -> None:
    tape = Tape(0, prints_max=2)
    tape.load([Print(at, at, 100 + at, 1, BUY) for at in range(1, 5)])
    assert [print_.trade_id for print_ in tape.prints] == [3, 4]
