"""An exchange in memory behind the four client verbs: the real engine, a clock that stands still,
and history folded by the exchange's own views.  Nothing runs beside the caller."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from exchange.client import Receipt, Update
from exchange.core.commands import (
    Deposit,
    HaltInstrument,
    ListAsset,
    ListInstrument,
    OpenAccount,
    RegisterUser,
    Tick,
)
from exchange.core.engine import Engine
from exchange.core.messages import Command, Event, PlaceOrder, Record, Rejected, Traded
from exchange.core.terms import BUY, IOC, LIMIT, MARKET, ROLE_SUPER_ADMIN, SELL, SIDES, SYSTEM_USER
from exchange.core.units import MICRO, SECOND
from exchange.directory import Directory, time_text
from exchange.errors import ConnectionLost, NotFound
from exchange.runtime.preview import Preview, preview
from exchange.runtime.queries import QUERIES, answer
from exchange.views.candles import Candle, Candles, aggregate, length_of
from exchange.views.portfolio import Portfolio

BEGIN = 1_767_254_400 * SECOND  # 2026-01-01 08:00:00 UTC
LOCAL, CROWD = 1, 2


class MemoryExchange:
    """Every client of it sees the same engine.  now: engine time of the next command."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.state = self.engine.state
        self.now = BEGIN
        self.updates: list[Update] = []
        self.clients: list[MemoryClient] = []
        self.fills: list[tuple[int, int, Traded]] = []
        self.candles: dict[int, Candles] = {}
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.is_down = False

    def apply(self, actor: int, command: Command) -> Receipt:
        record = Record(self.state.seq + 1, self.now, actor, command)
        events = self.engine.apply(record)
        update = Update(record.seq, record.ts, events)
        self.updates.append(update)
        for event in events:
            if isinstance(event, Traded):
                self.fills.append((record.seq, record.ts, event))
                series = self.candles.setdefault(event.instrument, Candles(event.instrument, "1m"))
                series.fold(record.seq, record.ts, event)
        for client in self.clients:
            client.waiting.append(update)
        rejects = [e.reject for e in events if isinstance(e, Rejected) and e.command is command]
        return Receipt(record.seq, record.ts, events, rejects[0] if rejects else None)

    def preview(self, actor: int, command: Command) -> Preview:
        return preview(self.engine, actor, command, self.now)

    def pass_time(self, nanos: int) -> None:
        self.now += nanos
        self.apply(SYSTEM_USER, Tick())


class MemoryClient:
    """One user's connection."""

    def __init__(self, exchange: MemoryExchange, actor: int = LOCAL) -> None:
        if exchange.is_down:
            raise ConnectionLost("the exchange does not answer")
        self.exchange = exchange
        self.actor = actor
        self.waiting: deque[Update] = deque()
        self.sent: list[Command] = []
        self.is_closed = False
        exchange.clients.append(self)

    def send(self, commands: Sequence[Command]) -> list[Receipt]:
        self._check()
        self.sent += commands
        return [self.exchange.apply(self.actor, command) for command in commands]

    def query(self, name: str, **params: Any) -> Any:
        self._check()
        history = getattr(self, f"_{name}", None)
        if name in QUERIES or name == "preview" or history is None:
            return answer(self.exchange, self.actor, name, params)
        return history(Directory.of(self.exchange.state), **params)

    def watch(self, since: int | None = None) -> Iterator[Update]:
        """What has happened so far; ends there instead of waiting."""
        start = self.exchange.state.seq if since is None else since
        self.waiting.clear()
        yield from [update for update in self.exchange.updates if update.seq > start]

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        self._check()
        if document is None:
            self.exchange.documents.pop((kind, key), None)
        else:
            self.exchange.documents[kind, key] = document

    def close(self) -> None:
        self.is_closed = True
        if self in self.exchange.clients:
            self.exchange.clients.remove(self)

    def _check(self) -> None:
        if self.is_closed or self.exchange.is_down:
            raise ConnectionLost("the exchange does not answer")

    def _document(self, text: Directory, kind: str, key: str) -> dict[str, Any]:
        del text
        found = self.exchange.documents.get((kind, key))
        if found is None:
            raise NotFound(f"there is no {kind} {key!r}")
        return found

    def _trades(self, text: Directory, instrument: str, limit: int = 100) -> list[dict[str, Any]]:
        number = text.instrument(instrument).instrument_id
        found = [item for item in self.exchange.fills if item[2].instrument == number][-limit:]
        return [
            {
                "trade_id": trade.trade_id,
                "symbol": instrument,
                "side": SIDES[trade.taker_side],
                "price": text.price_text(number, trade.price),
                "quantity": text.quantity_text(number, trade.quantity),
                "time": time_text(ts),
                "seq": seq,
            }
            for seq, ts, trade in reversed(found)
        ]

    def _fills(self, text: Directory, account: str, limit: int = 100) -> list[dict[str, Any]]:
        number = text.account_id(account)
        rows = []
        for seq, ts, trade in reversed(self.exchange.fills):
            for is_maker in (False, True):
                owner = trade.maker_account if is_maker else trade.taker_account
                if owner != number:
                    continue
                info = text.instruments[trade.instrument]
                maker_side = SELL if trade.taker_side == BUY else BUY
                fee = trade.maker_fee if is_maker else trade.taker_fee
                rows.append(
                    {
                        "trade_id": trade.trade_id,
                        "order_id": trade.maker_order_id if is_maker else trade.taker_order_id,
                        "symbol": info.symbol,
                        "side": SIDES[maker_side if is_maker else trade.taker_side],
                        "price": text.price_text(info.instrument_id, trade.price),
                        "quantity": text.quantity_text(info.instrument_id, trade.quantity),
                        "fee": text.money_text(info.quote, fee),
                        "liquidity": "maker" if is_maker else "taker",
                        "time": time_text(ts),
                        "seq": seq,
                    }
                )
        return rows[:limit]

    def _candles(
        self, text: Directory, instrument: str, timeframe: str = "1m", limit: int = 200
    ) -> list[dict[str, Any]]:
        number = text.instrument(instrument).instrument_id
        series = self.exchange.candles.get(number)
        minutes: list[Candle] = list(series.candles) if series is not None else []
        made = aggregate(minutes, length_of(timeframe))[-limit:]
        return [candle.row(text, number) for candle in made]

    def _positions(self, text: Directory, account: str) -> list[dict[str, Any]]:
        portfolio = Portfolio(text.account_id(account), text)
        marks: dict[int, int] = {}
        for seq, ts, trade in self.exchange.fills:
            portfolio.fold(seq, ts, trade)
            marks[trade.instrument] = trade.price
        return portfolio.position_rows(marks)


def founded() -> MemoryExchange:
    """Four instruments in three currencies, a person called local with an account, and a crowd."""
    exchange = MemoryExchange()

    def system(command: Command) -> None:
        receipt = exchange.apply(SYSTEM_USER, command)
        assert receipt.reject is None, receipt.reject.reason

    for symbol, exponent in (
        ("USDC", 8),
        ("USD", 4),
        ("INR", 4),
        ("BTC", 8),
        ("ETH", 8),
        ("AAPL", 0),
        ("TCS", 0),
    ):
        system(ListAsset(symbol=symbol, exponent=exponent))
    listings = (
        ("BTC-USDC", "Bitcoin", "LOCAL", 3, 0, 2, 5, 6_425_050),
        ("ETH-USDC", "Ether", "LOCAL", 4, 0, 2, 4, 312_040),
        ("AAPL", "Apple Inc.", "NASDAQ", 5, 1, 2, 0, 23_110),
        ("TCS", "Tata Consultancy", "NSE", 6, 2, 2, 0, 401_500),
    )
    for symbol, name, venue, base, quote, price_decimals, quantity_decimals, reference in listings:
        system(
            ListInstrument(
                symbol=symbol,
                name=name,
                venue=venue,
                base=base,
                quote=quote,
                tick_units=1,
                price_decimals=price_decimals,
                lot_units=1,
                quantity_decimals=quantity_decimals,
                fees=((200, 500),),
                reference=reference,
                notional_max=1_000_000 * 10**8,
            )
        )
    system(RegisterUser(name="local", role=ROLE_SUPER_ADMIN))
    system(RegisterUser(name="crowd"))
    system(OpenAccount(name="main", owner=LOCAL))
    system(OpenAccount(name="crowd", owner=CROWD))
    for asset, amount in ((0, 100_000), (1, 50_000), (2, 4_000_000), (3, 2), (4, 20), (5, 300), (6, 100)):
        exponent = exchange.state.assets[asset].exponent
        system(Deposit(account=3, asset=asset, amount=amount * 10**exponent))
        system(Deposit(account=4, asset=asset, amount=10_000_000 * 10**exponent))
    return exchange


def crowd_order(
    exchange: MemoryExchange, side: int, price: int, lots: int, instrument: int = 0, tif: int = 1
) -> Receipt:
    return exchange.apply(
        CROWD, PlaceOrder(4, instrument, side, LIMIT if price else MARKET, lots, price, tif, stp=5)
    )


def fill_books(exchange: MemoryExchange, levels: int = 40, seed: int = 7) -> None:
    """A book with gaps and uneven sizes in every instrument."""
    draw = random.Random(seed)
    for book in exchange.state.books:
        middle = book.instrument.reference
        gap = max(middle // 50_000, 1)
        scale = 10 ** max(book.instrument.quantity_decimals - 2, 0)
        for side in (BUY, SELL):
            price = middle
            for level in range(levels):
                price += (gap if side == SELL else -gap) * draw.randint(1, 3)
                lots = draw.randint(3, 40) * scale * (1 + level // 6)
                crowd_order(exchange, side, price, lots, book.instrument.instrument_id)


def trade_hours(exchange: MemoryExchange, minutes: int = 180, seed: int = 11) -> None:
    """A walk of the prices, minute after minute, ending with full books."""
    draw = random.Random(seed)
    prices = {book.instrument.instrument_id: book.instrument.reference for book in exchange.state.books}
    for _ in range(minutes):
        exchange.now += 60 * SECOND
        for number, price in prices.items():
            scale = 10 ** max(exchange.state.books[number].instrument.quantity_decimals - 2, 0)
            for _ in range(3):
                step = draw.gauss(0, 1) * price / 2_600
                price = max(price + round(step), 100)
                side = draw.choice((BUY, SELL))
                lots = draw.randint(1, 60) * scale
                crowd_order(exchange, BUY if side == SELL else SELL, price, lots, number)
                crowd_order(exchange, side, price, lots, number, IOC)
            prices[number] = price
    for number, price in prices.items():
        exchange.state.books[number].instrument.reference = price
    exchange.now += 17 * SECOND + 250_000 * MICRO
    fill_books(exchange)


def market_day() -> MemoryExchange:
    """Three hours of trading in four instruments, then a still moment with full books."""
    exchange = founded()
    trade_hours(exchange)
    return exchange


def halt(exchange: MemoryExchange, instrument: int = 0) -> None:
    exchange.apply(SYSTEM_USER, HaltInstrument(instrument=instrument, reason="news"))


def events_of(receipt: Receipt, kind: type[Event]) -> list[Event]:
    return [event for event in receipt.events if isinstance(event, kind)]
