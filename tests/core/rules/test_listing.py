from __future__ import annotations

import pytest

from exchange.core import commands as c
from exchange.core.rules.listing import scaled
from tests.reference.desk import Desk, reason


@pytest.mark.parametrize(
    ("value", "exponent", "expected"),
    [(5, 0, 5), (5, 3, 5_000), (5_000, -3, 5), (5, -1, 0), (15, -1, 0), (10, -1, 1), (1, 36, 10**36)],
)
def test_scaled_is_exact_or_nothing(value: int, exponent: int, expected: int) -> None:
    assert scaled(value, exponent) == expected


@pytest.mark.parametrize(
    ("tick", "lot", "multiplier", "unit", "lot_minor"),
    [
        ((1, 2), (1, 3), 1, 10, 100_000),  # 0.01 USDC x 0.001 BTC, 6 and 8 decimals
        ((5, 2), (1, 0), 1, 50_000, 100_000_000),
        ((25, 2), (1, 0), 50, 12_500_000, 100_000_000),  # a contract of 50
        ((1, 0), (1, 6), 1, 1, 100),
    ],
)
def test_sizes_of_a_listing(
    tick: tuple[int, int], lot: tuple[int, int], multiplier: int, unit: int, lot_minor: int
):
    desk = Desk()
    command = c.ListInstrument(
        symbol="X",
        name="",
        venue="",
        base=1,
        quote=0,
        tick_units=tick[0],
        price_decimals=tick[1],
        lot_units=lot[0],
        quantity_decimals=lot[1],
        multiplier=multiplier,
    )
    assert reason(desk.send(command)) == ""
    instrument = desk.state.books[1].instrument
    assert (instrument.unit, instrument.lot_minor) == (unit, lot_minor)


def test_an_amendment_changes_rules_but_no_order_that_rests() -> None:
    desk = Desk()
    order_id = desk.buy(3, 5, 100)
    fields = {name: getattr(desk.book.instrument, name) for name, _ in c.AmendInstrument.FIELDS[1:]}
    amended = {**fields, "fees": ((9_000, 9_000),), "quantity_min": 10, "notional_max": 1}
    desk.send(c.AmendInstrument(instrument=0, **amended))
    order = desk.order(order_id)
    assert (order.maker_ppm, order.taker_ppm, order.hold) == (100, 500, 5_003)
    assert reason(desk.place(3, 1, 5, 100)) == "order.quantity_min"
    assert reason(desk.send(c.ModifyOrder(3, order_id, quantity=4))) == "order.quantity_min"
    assert reason(desk.send(c.CancelOrder(3, order_id))) == ""


@pytest.mark.parametrize("field", ["quantity", "notional"])
@pytest.mark.parametrize(
    ("least", "most", "expected"), [(9, 8, "instrument.invalid"), (9, 9, ""), (9, 0, "")]
)
def test_the_most_is_no_less_than_the_least(field: str, least: int, most: int, expected: str) -> None:
    desk = Desk()
    rules = {name: getattr(desk.book.instrument, name) for name, _ in c.AmendInstrument.FIELDS[1:]}
    rules |= {f"{field}_min": least, f"{field}_max": most}
    events = desk.send(c.AmendInstrument(instrument=0, **rules))
    assert reason(events) == expected
    if expected:
        reject = events[-1].reject
        assert (reject.limit, reject.actual, reject.unit) == (least, most, "int")
