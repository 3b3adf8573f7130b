"""Which snapshots the mirror needs, and when: at the start, after a turn to another instrument,
after a fill, after the connection came back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from exchange.client import Client
from exchange.core.terms import InstrumentId
from exchange.errors import ExchangeError
from exchange.views.candles import Candle
from tradecli.tui.link import DATA, Link
from tradecli.tui.mirror import (
    CANDLES_LOADED,
    SHORT_TIMEFRAMES,
    SPARK_CANDLES,
    Funds,
    MarketSnapshot,
    Mirror,
    Snapshot,
    load,
    load_candles,
    load_funds,
    load_market,
)

T = TypeVar("T")


class Loader:
    """show: called when something new was taken in.   fail: told of what could not be loaded.
    symbol: the instrument to begin with; the first of the list where there is no such one."""

    def __init__(
        self,
        link: Link,
        mirror: Mirror,
        show: Callable[[], None],
        fail: Callable[[str], None],
        symbol: str = "",
    ) -> None:
        self._link = link
        self._mirror = mirror
        self._show = show
        self._fail = fail
        self._symbol = symbol
        self._is_first = True
        self._is_following = False
        self._funds_busy = False
        self._funds_again = False

    def connected(self) -> None:
        """A connection stands: take everything anew and follow it."""
        self._is_following = False
        self._funds_busy = self._funds_again = False
        self.reload()

    def reload(self) -> None:
        account = self._mirror.account_name
        self._ask(lambda client: load(client, account), self._loaded)

    def _loaded(self, snapshot: Snapshot) -> None:
        mirror = self._mirror
        mirror.take(snapshot)
        if not self._is_following:
            self._is_following = True
            self._link.follow(snapshot.seq)
        instruments = mirror.directory.instruments
        kept = [info.instrument_id for info in instruments if info.symbol == self._symbol]
        if instruments:
            self.turn_to(kept[0] if kept else instruments[0].instrument_id)
        for info in instruments:
            self._history(info.instrument_id)
        self._show()

    def turn_to(self, instrument: InstrumentId) -> None:
        mirror = self._mirror
        directory = mirror.directory
        self._symbol = directory.instruments[instrument].symbol
        mirror.begin_market(instrument)
        self.market()
        self.turn_chart(mirror.timeframe)

    def market(self) -> None:
        """Book and tape of the selected instrument, now or again when the book ran dry."""
        mirror, instrument = self._mirror, self._mirror.selected
        directory = mirror.directory

        def take(snapshot: MarketSnapshot) -> None:
            mirror.take_market(instrument, snapshot)

        self._ask(lambda client: load_market(client, directory, instrument), take)

    def turn_chart(self, timeframe: str) -> None:
        mirror, instrument = self._mirror, self._mirror.selected
        directory = mirror.directory
        mirror.begin_chart(timeframe)

        def take(candles: list[Candle]) -> None:
            mirror.take_candles(instrument, timeframe, candles)
            is_first, self._is_first = self._is_first, False
            if is_first and mirror.is_young:
                self.turn_chart(next(iter(SHORT_TIMEFRAMES)))

        self._ask(lambda client: load_candles(client, directory, instrument, timeframe, CANDLES_LOADED), take)

    def _history(self, instrument: InstrumentId) -> None:
        mirror, directory = self._mirror, self._mirror.directory

        def ask(client: Client) -> tuple[list[Candle], list[Candle]]:
            candles = partial(load_candles, client, directory, instrument)
            return candles("1m", SPARK_CANDLES), candles("1d", 2)

        def take(answer: tuple[list[Candle], list[Candle]]) -> None:
            if mirror.directory is directory:
                mirror.take_history(instrument, *answer)

        self._ask(ask, take)

    def funds(self) -> None:
        """Balances and positions after own orders or fills; one request at a time."""
        if self._funds_busy:
            self._funds_again = True
            return
        self._funds_busy = True
        mirror, directory = self._mirror, self._mirror.directory

        def take(funds: Funds) -> None:
            mirror.take_funds(funds)
            self._funds_done()

        def failed(error: ExchangeError) -> None:
            self._funds_done()
            self._fail(str(error))

        account = mirror.account_name
        self._ask(lambda client: load_funds(client, directory, account), take, failed)

    def _funds_done(self) -> None:
        self._funds_busy = False
        if self._funds_again:
            self._funds_again = False
            self.funds()

    def _ask(
        self,
        work: Callable[[Client], T],
        take: Callable[[T], None],
        failed: Callable[[ExchangeError], None] | None = None,
    ) -> None:
        """One request; what arrives while it is under way is folded behind its answer."""
        mirror = self._mirror
        mirror.begin_request()

        def done(answer: T) -> None:
            take(answer)
            mirror.end_request()
            self._show()

        def refused(error: ExchangeError) -> None:
            mirror.end_request()
            if failed is not None:
                failed(error)
            else:
                self._fail(str(error))

        self._link.call(DATA, work, done, refused)
