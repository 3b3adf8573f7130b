"""Events in the words of the scenario tables, and the match of a row's expectation with them.

Each event becomes a head and named values: ``accepted #3`` with ``hold 200.10``.  An expectation
gives the head and any of the values.  Every event of a row must be expected, in order, but book
levels, which may be left out.
"""

from __future__ import annotations

import shlex
from fractions import Fraction
from typing import Any

from exchange.core.commands import PlaceOrder
from exchange.core.events import (
    EVENTS,
    Event,
    LevelChanged,
    OrderAccepted,
    OrderDone,
    OrderModified,
    Rejected,
    Traded,
    Transferred,
)
from exchange.core.state.root import State
from exchange.core.terms import BUY, DONE_REASONS, ROLES
from exchange.directory import Directory

NAMES = {cls: name for name, cls in EVENTS.values()}
Told = tuple[list[str], dict[str, str]]


class Teller:
    """Tells events with the names and sizes of one state."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.text = Directory.of(state)

    def tell(self, event: Event) -> Told:
        if isinstance(event, OrderAccepted):
            return ["accepted", f"#{event.order_id}"], {
                "hold": self.hold(event.order.instrument, event.order.side, event.hold),
                "limit": self.text.price_text(event.order.instrument, event.limit),
            }
        if isinstance(event, Traded):
            return self._trade(event)
        if isinstance(event, OrderDone):
            leaves = self.text.quantity_text(event.instrument, event.leaves)
            return [f"#{event.order_id}", DONE_REASONS[event.reason]], {"leaves": leaves}
        if isinstance(event, OrderModified):
            return [f"#{event.order_id}", "modified"], {
                "to": self.text.quantity_text(event.instrument, event.quantity),
                "@": self.text.price_text(event.instrument, event.limit),
                "leaves": self.text.quantity_text(event.instrument, event.leaves),
                "hold": self.hold(event.instrument, event.side, event.hold),
                "place": "kept" if event.kept_priority else "lost",
            }
        if isinstance(event, LevelChanged):
            side = "bid" if event.side == BUY else "ask"
            return ["level", side, self.text.price_text(event.instrument, event.price)], {
                "shown": self.text.quantity_text(event.instrument, event.quantity),
                "orders": str(event.orders),
            }
        if isinstance(event, Rejected):
            return self._reject(event)
        return [NAMES[type(event)]], {name: self._value(event, name, kind) for name, kind in event.FIELDS}

    def hold(self, instrument: int, side: int, minor: int) -> str:
        info = self.text.instruments[instrument]
        return self.text.money_text(info.quote if side == BUY else info.base, minor)

    def _trade(self, event: Traded) -> Told:
        quote = self.text.instruments[event.instrument].quote
        price = self.text.price_text(event.instrument, event.price)
        quantity = self.text.quantity_text(event.instrument, event.quantity)
        return ["trade", quantity, "@", price], {
            "with": f"#{event.maker_order_id}",
            "by": f"#{event.taker_order_id}",
            "fee": self.text.money_text(quote, event.taker_fee),
            "maker_fee": self.text.money_text(quote, event.maker_fee),
            "maker_leaves": self.text.quantity_text(event.instrument, event.maker_leaves),
            "leaves": self.text.quantity_text(event.instrument, event.taker_leaves),
        }

    def _reject(self, event: Rejected) -> Told:
        values = {"first": f"#{event.order_id}"}
        for name in ("limit", "actual"):
            values[name] = self._unit(event, event.reject.unit, getattr(event.reject, name))
        return ["rejected", event.reject.reason], values

    def _unit(self, event: Rejected, unit: str, value: int) -> str:
        command: Any = event.command
        instrument = getattr(command, "instrument", -1)
        if not isinstance(command, PlaceOrder) and unit in ("Ticks", "Lots", "Minor:quote", "Minor:base"):
            order = self.state.order(getattr(command, "order_id", 0))
            instrument = order.book.instrument.instrument_id if order is not None else -1
        if 0 <= instrument < len(self.text.instruments):
            info = self.text.instruments[instrument]
            if unit == "Ticks":
                return self.text.price_text(instrument, value)
            if unit == "Lots":
                return self.text.quantity_text(instrument, value)
            if unit in ("Minor:quote", "Minor:base"):
                return self.text.money_text(info.quote if unit == "Minor:quote" else info.base, value)
        if unit == "Minor:asset":
            return self.text.money_text(command.asset, value)
        return str(value)

    def _value(self, event: Event, name: str, kind: str) -> str:
        value = getattr(event, name)
        if kind == "AccountId":
            return self.text.account_name(value)
        if kind == "AssetId":
            return self.text.asset_symbol(value)
        if kind == "UserId":
            return self.text.user_name(value)
        if kind == "InstrumentId":
            return self.text.instruments[value].symbol
        if kind == "Role":
            return ROLES[value]
        if kind == "Minor" and isinstance(event, Transferred):
            return self.text.money_text(event.asset, value)
        return str(value)


def is_same(one: str, two: str) -> bool:
    """Equal as text, or as decimals: 1.50 is 1.5."""
    if one == two:
        return True
    try:
        return Fraction(one) == Fraction(two)
    except ValueError:
        return False


def fits(phrase: str, told: Told) -> bool:
    """Does one expected phrase describe this event?"""
    words, (head, values) = shlex.split(phrase), told
    if len(words) < len(head) or not all(map(is_same, words, head)):
        return False
    rest = words[len(head) :]
    if len(rest) % 2:
        return False
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return all(name in values and is_same(wanted, values[name]) for name, wanted in pairs)


def show(told: Told) -> str:
    head, values = told
    return " ".join([*head, *(f"{name} {value}" for name, value in values.items())])


def check(expected: str, events: list[Told]) -> None:
    """Raises AssertionError with what happened instead."""
    phrases = [] if expected == "nothing" else [phrase.strip() for phrase in expected.split("|")]
    at = 0
    for told in events:
        if at < len(phrases) and fits(phrases[at], told):
            at += 1
        elif told[0][0] != "level":
            at = -1
            break
    if at != len(phrases):
        happened = "\n    ".join(show(told) for told in events) or "nothing"
        raise AssertionError(f"expected  {expected}\n  happened\n    {happened}")
