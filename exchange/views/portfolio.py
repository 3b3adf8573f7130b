"""Positions and profit of one account, folded from its fills.

A position is the sum of the signed fills: what was bought minus what was sold since the account's
history began.  Coins that were paid in are a balance, not a position, so selling them shows as a
short position whose profit is measured against having kept them.  Fees stand apart; profit is
before fees unless it is called net.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exchange.core.events import AccountReset
from exchange.core.messages import Event, Traded
from exchange.core.terms import BUY, SELL, AccountId, AssetId, InstrumentId, Seq, Side, TradeId
from exchange.core.units import Lots, Minor, Nanos, Ticks, half_even_div
from exchange.directory import Directory, InstrumentInfo, decimal_text

Marks = Mapping[InstrumentId, Ticks]

AVERAGE_DIGITS: Final = 4  # decimals an average price may have beyond the instrument's own


class Position:
    """One instrument.  quantity: lots, negative when short.   Money in quote minor units.

    cost: what the open quantity was bought for (short: sold for) at average cost, never negative.
    fifo_cost: the same with the oldest lots leaving first.   bought, sold: lots, all time.
    """

    __slots__ = (
        "bought",
        "cost",
        "fees",
        "fifo_cost",
        "fifo_realised",
        "fills",
        "lots",
        "quantity",
        "realised",
        "sold",
        "unit",
    )

    def __init__(self, unit: Minor) -> None:
        self.unit = unit
        self.quantity: Lots = 0
        self.cost: Minor = 0
        self.realised: Minor = 0
        self.fifo_cost: Minor = 0
        self.fifo_realised: Minor = 0
        self.lots: deque[tuple[Lots, Ticks]] = deque()
        self.fees: Minor = 0
        self.bought: Lots = 0
        self.sold: Lots = 0
        self.fills = 0

    def fill(self, side: Side, price: Ticks, quantity: Lots, fee: Minor) -> None:
        self.fees += fee
        self.fills += 1
        if side == BUY:
            self.bought += quantity
        else:
            self.sold += quantity
        direction = 1 if side == BUY else -1
        closing = min(quantity, -direction * self.quantity)
        if closing > 0:
            self._close(price, closing)
            quantity -= closing
        if quantity:
            self._open(direction, price, quantity)

    def _open(self, direction: int, price: Ticks, quantity: Lots) -> None:
        value = price * quantity * self.unit
        self.quantity += direction * quantity
        self.cost += value
        self.fifo_cost += value
        if self.lots and self.lots[-1][1] == price:
            quantity += self.lots.pop()[0]
        self.lots.append((quantity, price))

    def _close(self, price: Ticks, quantity: Lots) -> None:
        """The cost that leaves is rounded to a minor unit; the last lot takes the rest with it."""
        held = abs(self.quantity)
        direction = 1 if self.quantity > 0 else -1
        value = price * quantity * self.unit
        leaving = half_even_div(self.cost * quantity, held)
        first = self._take_oldest(quantity)
        self.realised += direction * (value - leaving)
        self.fifo_realised += direction * (value - first)
        self.cost -= leaving
        self.fifo_cost -= first
        self.quantity -= direction * quantity

    def _take_oldest(self, quantity: Lots) -> Minor:
        cost = 0
        while quantity:
            have, price = self.lots.popleft()
            taken = min(have, quantity)
            cost += price * taken * self.unit
            quantity -= taken
            if have > taken:
                self.lots.appendleft((have - taken, price))
        return cost

    def value(self, mark: Ticks) -> Minor:
        """Negative when short."""
        return mark * self.quantity * self.unit

    def unrealised(self, mark: Ticks) -> Minor:
        return self.value(mark) - (self.cost if self.quantity >= 0 else -self.cost)

    def fifo_unrealised(self, mark: Ticks) -> Minor:
        return self.value(mark) - (self.fifo_cost if self.quantity >= 0 else -self.fifo_cost)

    def average_text(self, info: InstrumentInfo) -> str | None:
        """Average price of the open quantity, to ``AVERAGE_DIGITS`` beyond the instrument's decimals."""
        if not self.quantity:
            return None
        return average_text(info, self.cost, abs(self.quantity) * self.unit)


def average_text(info: InstrumentInfo, cost: int, lots: int) -> str:
    """cost / lots ticks as a price, half-even; zeros beyond the instrument's decimals are left out."""
    value = half_even_div(cost * info.tick_units * 10**AVERAGE_DIGITS, lots)
    text = decimal_text(value, info.price_decimals + AVERAGE_DIGITS)
    whole, extra = text[:-AVERAGE_DIGITS], text[-AVERAGE_DIGITS:].rstrip("0")
    return whole + extra if extra else whole.removesuffix(".")


class Portfolio:
    """Every position of one account since its last reset, flat ones included."""

    __slots__ = ("account", "directory", "last_trade_id", "positions", "seq")

    def __init__(self, account: AccountId, directory: Directory) -> None:
        self.account = account
        self.directory = directory
        self.positions: dict[InstrumentId, Position] = {}
        self.last_trade_id: TradeId = 0
        self.seq: Seq = 0  # of the last event that changed anything

    def fold(self, seq: Seq, ts: Nanos, event: Event) -> bool:
        del ts
        if seq < self.seq:
            return False
        if isinstance(event, AccountReset) and event.account == self.account:
            self.seq = seq
            self.positions.clear()
            return True
        if not isinstance(event, Traded) or event.trade_id <= self.last_trade_id:
            return False
        if self.account not in (event.maker_account, event.taker_account):
            return False
        self.seq, self.last_trade_id = seq, event.trade_id
        size = (event.price, event.quantity)
        if event.maker_account == self.account:
            maker_side = SELL if event.taker_side == BUY else BUY
            self.fill(event.instrument, maker_side, *size, event.maker_fee)
        if event.taker_account == self.account:
            self.fill(event.instrument, event.taker_side, *size, event.taker_fee)
        return True

    def fill(self, instrument: InstrumentId, side: Side, price: Ticks, quantity: Lots, fee: Minor) -> None:
        position = self.positions.get(instrument)
        if position is None:
            position = Position(self.directory.instruments[instrument].unit)
            self.positions[instrument] = position
        position.fill(side, price, quantity, fee)

    def position_rows(self, marks: Marks) -> list[dict[str, Any]]:
        """Open positions by symbol.  Without a mark the value and the unrealised profit are None."""
        return [self._position_row(i, position, marks.get(i, 0)) for i, position in self._open()]

    def pnl_rows(self, marks: Marks) -> list[dict[str, Any]]:
        """Profit per symbol, then one row with symbol None per currency.

        realised and unrealised are at average cost; with ``_fifo`` the oldest lots leave first.
        """
        text = self.directory
        rows = []
        totals: dict[AssetId, list[int | None]] = {}
        for instrument, position in self._sorted():
            info = text.instruments[instrument]
            sums = _profit(position, marks.get(instrument, 0))
            before = totals.get(info.quote)
            totals[info.quote] = (
                sums if before is None else [_add(a, b) for a, b in zip(before, sums, strict=True)]
            )
            rows.append(
                {
                    **_profit_row(text, info.symbol, info.quote, sums),
                    "bought": text.quantity_text(instrument, position.bought),
                    "sold": text.quantity_text(instrument, position.sold),
                    "fills": position.fills,
                }
            )
        for asset, sums in totals.items():
            rows.append({**_profit_row(text, None, asset, sums), "bought": None, "sold": None, "fills": None})
        return rows

    def _sorted(self) -> Iterator[tuple[InstrumentId, Position]]:
        instruments = self.directory.instruments
        return iter(sorted(self.positions.items(), key=lambda item: instruments[item[0]].symbol))

    def _open(self) -> Iterator[tuple[InstrumentId, Position]]:
        return ((i, position) for i, position in self._sorted() if position.quantity)

    def _position_row(self, instrument: InstrumentId, position: Position, mark: Ticks) -> dict[str, Any]:
        text = self.directory
        info = text.instruments[instrument]
        return {
            "symbol": info.symbol,
            "quantity": text.quantity_text(instrument, position.quantity),
            "average_price": position.average_text(info),
            "cost": text.money_text(info.quote, position.cost),
            "mark": text.price_text(instrument, mark) if mark else None,
            "value": text.money_text(info.quote, position.value(mark)) if mark else None,
            "unrealised": text.money_text(info.quote, position.unrealised(mark)) if mark else None,
            "realised": text.money_text(info.quote, position.realised),
            "fees": text.money_text(info.quote, position.fees),
            "currency": text.asset_symbol(info.quote),
        }


def _profit(position: Position, mark: Ticks) -> list[int | None]:
    """realised, realised fifo, unrealised, unrealised fifo, fees, net."""
    is_known = bool(mark) or not position.quantity
    unrealised = position.unrealised(mark) if is_known else None
    return [
        position.realised,
        position.fifo_realised,
        unrealised,
        position.fifo_unrealised(mark) if is_known else None,
        position.fees,
        None if unrealised is None else position.realised + unrealised - position.fees,
    ]


def _add(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _profit_row(
    text: Directory, symbol: str | None, asset: AssetId, sums: list[int | None]
) -> dict[str, Any]:
    names = ("realised", "realised_fifo", "unrealised", "unrealised_fifo", "fees", "net")
    shown = (None if value is None else text.money_text(asset, value) for value in sums)
    return {
        "symbol": symbol,
        "currency": text.asset_symbol(asset),
        **dict(zip(names, shown, strict=True)),
    }
