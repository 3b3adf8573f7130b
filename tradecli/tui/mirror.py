"""The exchange as the screen sees it: snapshots by query, then the exchange's own views folded on.

Everything here happens on the screen's side; the ``load_*`` functions run beside it and return
what the mirror takes in.  Views do not mind folding an update a snapshot has seen already, so a
snapshot taken while updates flow needs no lock: what came since the request is folded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from exchange.client import Client, Update
from exchange.core.events import (
    AccountOpened,
    AccountReset,
    AssetListed,
    InstrumentHalted,
    InstrumentListed,
    InstrumentResumed,
    Transferred,
)
from exchange.core.messages import Event, LevelChanged, Traded
from exchange.core.terms import AccountId, AssetId, InstrumentId
from exchange.core.units import SECOND, Minor, Nanos, Ticks
from exchange.directory import Directory
from exchange.errors import NotFound
from exchange.views.base import View
from exchange.views.blotter import Blotter, Fill, OpenOrder
from exchange.views.candles import TIMEFRAMES, Candle, Candles, begin_of, candle_of
from exchange.views.depth import Depth
from exchange.views.depth import Row as Level
from exchange.views.equity import DayTrades, Holding, day_begin, day_profit, day_trades, equity
from exchange.views.portfolio import Position
from exchange.views.tape import Print, Tape
from tradecli.tui.rows import (
    fill_of,
    holding_of,
    levels_of,
    nanos_of,
    order_of,
    position_of,
    price_of,
    print_of,
)
from tradecli.tui.widgets.watchlist import SORTS, Watched

LEVELS_MAX = 500
TAPE_ROWS = 200
CANDLES_LOADED = 500
FILLS_LOADED = 1_000
SPARK_CANDLES = 60
TRADES_LOADED = 5_000
YOUNG_CANDLES = 20
WATCHLIST = "watchlist"
# Made on the screen from single trades; what the exchange keeps begins at a minute.
SHORT_TIMEFRAMES = {"5s": 5 * SECOND, "15s": 15 * SECOND}
CHART_TIMEFRAMES = (*SHORT_TIMEFRAMES, *TIMEFRAMES)


class Quote(NamedTuple):
    """Ticks, 0 for none.   mark: the last trade, else the middle of the book, else the reference."""

    last: Ticks
    mark: Ticks
    status: str


class Funds(NamedTuple):
    holdings: list[Holding]
    positions: dict[InstrumentId, Position]


class Wishes(NamedTuple):
    """What the person has arranged: symbols from the top, sort key of the watchlist."""

    symbols: list[str]
    sort: str


class Snapshot(NamedTuple):
    """seq: the updates to fold begin behind it.   trades: id of the last trade up to then."""

    seq: int
    ts: Nanos
    trades: int
    directory: Directory
    account: AccountId
    quotes: dict[InstrumentId, Quote]
    orders: list[OpenOrder]
    fills: list[Fill]
    funds: Funds
    wishes: Wishes


class MarketSnapshot(NamedTuple):
    seq: int
    bids: list[Level]
    asks: list[Level]
    prints: list[Print]


def load(client: Client, account: str) -> Snapshot:
    """What the whole screen needs first.  Raises NotFound when there is no such account."""
    status = client.query("status")
    directory = Directory.from_rows(client.query("directory"))
    number = directory.account_id(account)
    quotes: dict[InstrumentId, Quote] = {}
    for row in client.query("quotes"):
        instrument = directory.instrument(row["symbol"]).instrument_id
        last, bid, ask, reference = (
            price_of(row[name], directory, instrument) for name in ("last", "bid", "ask", "reference")
        )
        middle = (bid + ask) // 2 if bid and ask else 0
        quotes[instrument] = Quote(last, last or middle or reference, row["status"])
    orders = [order_of(row, directory) for row in client.query("orders", account=account)]
    fills = [fill_of(row, directory) for row in client.query("fills", account=account, limit=FILLS_LOADED)]
    fills.reverse()
    funds = load_funds(client, directory, account)
    begin = (status["seq"], nanos_of(status["time"]) if status["time"] else 0, status["trades"])
    return Snapshot(*begin, directory, number, quotes, orders, fills, funds, load_wishes(client))


def load_wishes(client: Client) -> Wishes:
    """Nothing, for a person who has saved nothing or a document of another making."""
    try:
        found = client.query("document", kind=WATCHLIST, key=WATCHLIST)
    except NotFound:
        return Wishes([], "")
    symbols, sort = found.get("symbols"), found.get("sort")
    kept = [symbol for symbol in symbols if isinstance(symbol, str)] if isinstance(symbols, list) else []
    return Wishes(kept, sort if sort in SORTS else "")


def load_funds(client: Client, directory: Directory, account: str) -> Funds:
    holdings = [holding_of(row, directory) for row in client.query("balances", account=account)]
    rows = client.query("positions", account=account)
    return Funds(holdings, dict(position_of(row, directory) for row in rows))


def load_market(client: Client, directory: Directory, instrument: InstrumentId) -> MarketSnapshot:
    symbol = directory.instruments[instrument].symbol
    depth = client.query("depth", instrument=symbol, levels=LEVELS_MAX)
    trades = client.query("trades", instrument=symbol, limit=TAPE_ROWS)
    return MarketSnapshot(
        depth["seq"],
        levels_of(depth["bids"], directory, instrument),
        levels_of(depth["asks"], directory, instrument),
        [print_of(row, directory) for row in reversed(trades)],
    )


def load_candles(
    client: Client, directory: Directory, instrument: InstrumentId, timeframe: str, limit: int
) -> list[Candle]:
    symbol = directory.instruments[instrument].symbol
    if timeframe in SHORT_TIMEFRAMES:
        rows = client.query("trades", instrument=symbol, limit=TRADES_LOADED)
        return short_candles(reversed(rows), directory, SHORT_TIMEFRAMES[timeframe])[-limit:]
    rows = client.query("candles", instrument=symbol, timeframe=timeframe, limit=limit)
    return [candle_of(row, directory, instrument) for row in rows]


def short_candles(rows: Iterable[dict[str, Any]], directory: Directory, length: Nanos) -> list[Candle]:
    """Candles of rows of the query ``trades``, oldest first."""
    candles: list[Candle] = []
    for row in rows:
        print_ = print_of(row, directory)
        begin = begin_of(print_.ts, length)
        if not candles or candles[-1].begin != begin:
            candles.append(Candle(begin, print_.price))
        candles[-1].trade(row["seq"], print_.price, print_.quantity)
    return candles


def empty_candles(instrument: InstrumentId, timeframe: str) -> Candles:
    if timeframe not in SHORT_TIMEFRAMES:
        return Candles(instrument, timeframe)
    candles = Candles(instrument)
    candles.timeframe, candles.length = timeframe, SHORT_TIMEFRAMES[timeframe]
    return candles


class Changes:
    """What the drained updates touched."""

    __slots__ = ("account", "book", "directory", "funds", "market", "quotes")

    def __init__(self) -> None:
        self.book = False
        self.market = False  # tape and chart of the selected instrument
        self.quotes = False
        self.account = False
        self.funds = False
        self.directory = False

    def mark_all(self) -> None:
        self.book = self.market = self.quotes = self.account = self.funds = True

    def add(self, other: Changes) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) or getattr(other, name))


class Mirror:
    """account_name: whose orders and funds these are.   selected: -1 until an instrument is."""

    def __init__(self, account_name: str) -> None:
        self.account_name = account_name
        self.directory = Directory([], [], [], [])
        self.account: AccountId = -1
        self.blotter = Blotter(-1)
        self.holdings: list[Holding] = []
        self.positions: dict[InstrumentId, Position] = {}
        self.seq = 0
        self.ts: Nanos = 0
        self.marks: dict[InstrumentId, Ticks] = {}
        self.statuses: dict[InstrumentId, str] = {}
        self.moves: dict[InstrumentId, int] = {}
        self.days: dict[InstrumentId, Candles] = {}
        self.minutes: dict[InstrumentId, Candles] = {}
        self.selected: InstrumentId = -1
        self.timeframe = "1m"
        self.wishes = Wishes([], "")
        self.depth = Depth(-1)
        self.tape = Tape(-1)
        self.candles = Candles(-1)
        self.is_chart_loading = False
        self.last_trade_id = 0
        self._requests = 0
        self._pending: list[Update] = []  # what came since the oldest open request
        self._today: tuple[tuple[int, Nanos], dict[InstrumentId, DayTrades]] = ((-1, 0), {})

    def begin_request(self) -> None:
        """A snapshot is being taken: keep what arrives, to fold it again behind the answer."""
        self._requests += 1

    def end_request(self) -> None:
        """The answer is taken in, or will never come."""
        self._requests -= 1
        if not self._requests:
            self._pending.clear()

    def take(self, snapshot: Snapshot) -> None:
        """Begin, or begin again after the connection was lost."""
        self.directory = snapshot.directory
        self.account = snapshot.account
        self.seq, self.ts, self.last_trade_id = snapshot.seq, snapshot.ts, snapshot.trades
        self.blotter = Blotter(snapshot.account)
        self.blotter.load(snapshot.orders, snapshot.fills)
        self.take_funds(snapshot.funds)
        self.wishes = snapshot.wishes
        self.marks = {number: quote.mark for number, quote in snapshot.quotes.items() if quote.mark}
        self.statuses = {number: quote.status for number, quote in snapshot.quotes.items()}
        numbers = range(len(self.directory.instruments))
        self.days = {number: Candles(number, "1d") for number in numbers}
        self.minutes = {number: Candles(number, "1m", SPARK_CANDLES) for number in numbers}
        changes = Changes()
        for update in self._pending:
            if update.seq > snapshot.seq:
                self._fold_update(update, changes)

    def take_funds(self, funds: Funds) -> None:
        self.holdings = funds.holdings
        self.positions = funds.positions

    def begin_market(self, instrument: InstrumentId) -> None:
        """Turn to an instrument; its book and tape are empty until ``take_market``."""
        self.selected = instrument
        self.depth = Depth(-1)
        self.tape = Tape(-1)
        self.begin_chart(self.timeframe)

    def begin_chart(self, timeframe: str) -> None:
        self.timeframe = timeframe
        self.candles = empty_candles(self.selected, timeframe)
        self.is_chart_loading = True

    def take_market(self, instrument: InstrumentId, snapshot: MarketSnapshot) -> None:
        """An answer for an instrument that is not selected any more is passed over."""
        if instrument != self.selected:
            return
        self.depth = Depth(instrument)
        self.depth.load(snapshot.seq, snapshot.bids, snapshot.asks, LEVELS_MAX)
        self.tape = Tape(instrument)
        self.tape.load(snapshot.prints)
        self._catch_up(self.depth, self.tape)

    def take_candles(self, instrument: InstrumentId, timeframe: str, candles: list[Candle]) -> None:
        if instrument != self.selected or timeframe != self.timeframe:
            return
        self.is_chart_loading = False
        self.candles = empty_candles(instrument, timeframe)
        self.candles.load(candles)
        self._catch_up(self.candles)

    def take_history(self, instrument: InstrumentId, minutes: list[Candle], days: list[Candle]) -> None:
        """The candles behind a line of the watchlist."""
        self.minutes[instrument].load(minutes)
        self.days[instrument].load(days)
        self._catch_up(self.minutes[instrument], self.days[instrument])

    def _catch_up(self, *views: View) -> None:
        for update in self._pending:
            for event in update.events:
                for view in views:
                    view.fold(update.seq, update.ts, event)

    def fold(self, updates: list[Update]) -> Changes:
        """Everything that has arrived, in one go."""
        changes = Changes()
        if self._requests:
            self._pending += updates
        for update in updates:
            if update.seq > self.seq:
                self._fold_update(update, changes)
        return changes

    def _fold_update(self, update: Update, changes: Changes) -> None:
        self.seq, self.ts = update.seq, update.ts
        for event in update.events:
            self._fold_event(update.seq, update.ts, event, changes)

    def _fold_event(self, seq: int, ts: Nanos, event: Event, changes: Changes) -> None:
        if isinstance(event, LevelChanged):
            if event.instrument == self.selected:
                changes.book |= self.depth.fold(seq, ts, event)
            return
        if isinstance(event, Traded):
            self._traded(seq, ts, event, changes)
        if self.blotter.fold(seq, ts, event):
            changes.account = changes.funds = True
        elif isinstance(event, Transferred):
            changes.funds |= self.account in (event.source, event.target)
        elif isinstance(event, InstrumentHalted | InstrumentResumed):
            halted = isinstance(event, InstrumentHalted)
            self.statuses[event.instrument] = "halted" if halted else "open"
            changes.quotes = changes.book = True
        elif isinstance(event, InstrumentListed | AssetListed | AccountOpened | AccountReset):
            changes.directory = True

    def _traded(self, seq: int, ts: Nanos, event: Traded, changes: Changes) -> None:
        number = event.instrument
        self.last_trade_id = event.trade_id
        if number not in self.days:  # listed since the snapshot; the next directory brings it
            return
        before = self.marks.get(number, 0)
        if before and event.price != before:
            self.moves[number] = 1 if event.price > before else -1
        self.marks[number] = event.price
        self.days[number].fold(seq, ts, event)
        self.minutes[number].fold(seq, ts, event)
        changes.quotes = True
        if number == self.selected:
            self.tape.fold(seq, ts, event)
            self.candles.fold(seq, ts, event)
            changes.market = True

    def watched(self) -> list[Watched]:
        """The lines of the watchlist."""
        begin = day_begin(self.ts)
        rows = []
        for info in self.directory.instruments:
            number = info.instrument_id
            days = self.days[number].candles
            today = days[-1] if days and days[-1].begin >= begin else None
            closes = [candle.close for candle in self.minutes[number].candles]
            turnover = today.volume * today.close * info.unit if today is not None else 0
            row = Watched(
                number,
                self.marks.get(number, 0),
                self.begin_price(number),
                self.moves.get(number, 0),
                closes,
                turnover,
                self.statuses.get(number, "open"),
            )
            rows.append(row)
        return rows

    def begin_price(self, instrument: InstrumentId) -> Ticks:
        """Price the UTC day began at: the last one before it, else the first of the day, else 0."""
        days = self.days[instrument].candles
        if not days:
            return 0
        if days[-1].begin < day_begin(self.ts):
            return days[-1].close
        return days[-2].close if len(days) > 1 else days[-1].open

    def worth(self) -> tuple[str, str, str]:
        """Equity, gain of the day and their currency, as text: that of the selected instrument."""
        if self.selected < 0:
            return "", "", ""
        currency = self.directory.instruments[self.selected].quote
        balances: Mapping[int, Minor] = {holding.asset: holding.posted for holding in self.holdings}
        total = equity(self.directory, balances, self.marks, currency)
        gain = self._gain(currency)
        text = self.directory.money_text
        gain_text = "" if gain is None else text(currency, gain)
        return text(currency, total), gain_text, self.directory.asset_symbol(currency)

    def _gain(self, currency: AssetId) -> Minor | None:
        """None when the day has more fills than are kept."""
        fills, begin = self.blotter.fills, day_begin(self.ts)
        if len(fills) == fills.maxlen and fills[0].ts >= begin:
            return None
        key = (self.blotter.last_trade_id, begin)
        if self._today[0] != key:
            self._today = (key, day_trades(fills, self.directory, begin))
        today = self._today[1]
        gain = 0
        for info in self.directory.instruments:
            number = info.instrument_id
            position = self.positions.get(number)
            held = position.quantity if position is not None else 0
            mark = self.marks.get(number, 0)
            if info.quote != currency or not mark or (not held and number not in today):
                continue
            gain += day_profit(info, held, today.get(number), mark, self.begin_price(number) or mark)
        return gain

    @property
    def is_young(self) -> bool:
        """Too few candles for a chart worth looking at."""
        return not self.is_chart_loading and len(self.candles.candles) < YOUNG_CANDLES

    def own_orders(self) -> dict[tuple[int, Ticks], int]:
        """Remaining lots by side and price in the selected book."""
        return self.blotter.working_at(self.selected)

    def own_fills(self) -> list[Fill]:
        return [fill for fill in self.blotter.fills if fill.instrument == self.selected]
