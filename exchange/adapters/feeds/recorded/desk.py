"""The two accounts a recorded market trades through, and what they ask in one step.

One rests the recorded orders, the other sends the recorded executions.  They belong to different
users, so an execution trades with whoever stands first in the queue: a recorded order or a person's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from exchange.client import Receipt
from exchange.core.commands import (
    CancelAll,
    Command,
    Deposit,
    ListAsset,
    ListInstrument,
    OpenAccount,
    RegisterUser,
)
from exchange.core.instrument import Instrument
from exchange.core.messages import CancelOrder, ModifyOrder, PlaceOrder
from exchange.core.rules.listing import scaled
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.terms import BUY, GTC, IOC, LIMIT, STP_CANCEL_OLDEST, STP_NONE, SYSTEM_USER
from exchange.core.units import EXPONENT_MAX, MINOR_MAX, PPM, Lots, Ticks
from exchange.directory import decimal_text
from exchange.errors import ConfigError
from exchange.runtime.ports import Request

BOOK: Final = "recorded-book"
TAKER: Final = "recorded-taker"
QUOTE: Final = "USD"  # of a symbol that names only what is traded
FUNDS_FACTOR: Final = 16  # a deposit is this many times what the step lacks

Answer = Callable[[Receipt], None]


class Demand(NamedTuple):
    """The instrument the data needs, as in ``ListInstrument``."""

    tick_units: int
    price_decimals: int
    lot_units: int = 1
    quantity_decimals: int = 0
    multiplier: int = 1


class Own:
    """A recorded order that rests or rested.  order_id: 0 before its answer and if it was refused.

    size: what the recording says is left of it.   name: its id there, 0 if it stands for several.
    """

    __slots__ = ("name", "order_id", "price", "side", "size")

    def __init__(self, side: int, price: Ticks, size: Lots, name: int = 0) -> None:
        self.name = name
        self.order_id = 0
        self.side = side
        self.price = price
        self.size = size


class Desk:
    """symbol: of the instrument, listed by ``demand`` if it is not yet there.

    instrument, state: known once ``prepare`` has nothing more to ask.
    """

    def __init__(self, symbol: str, demand: Demand) -> None:
        self.symbol = symbol
        self.demand = demand
        self.instrument: Instrument
        self.state: State
        self._is_ready = False
        self._requests: list[Request] = []
        self._answers: list[Answer | None] = []
        self._needs: dict[tuple[str, int], int] = {}

    # -- getting ready ---------------------------------------------------------------------------

    def prepare(self, state: State) -> list[Request]:
        """Users, accounts without orders of an earlier run, assets, the instrument; in this order."""
        self.state = state
        names = (BOOK, TAKER)
        users = [RegisterUser(name=name) for name in names if name not in state.user_names]
        if users:
            return [(SYSTEM_USER, command) for command in users]
        requests = [request for name in names for request in self._open(name)]
        assets = self._missing_assets()
        requests += [(SYSTEM_USER, command) for command in assets]
        if not assets and self.symbol not in state.symbols:
            requests.append((SYSTEM_USER, self._listing()))
        if not requests:
            self.instrument = state.books[state.symbols[self.symbol]].instrument
            self._is_ready = True
        return requests

    def misfit(self, what: str) -> str:
        """Why a recorded price or size cannot be traded, and what to do."""
        instrument = self.instrument
        tick = decimal_text(instrument.tick_units, instrument.price_decimals)
        lot = decimal_text(instrument.lot_units, instrument.quantity_decimals)
        listed = f"{instrument.symbol}, which is listed with tick {tick} and lot {lot}"
        return f"{what} does not fit {listed}: replay it under a symbol that is not listed yet"

    def _open(self, name: str) -> list[Request]:
        state = self.state
        owner = state.user_names[name]
        number = state.account_names.get(name)
        if number is None:
            command: Command = OpenAccount(name=name, owner=owner, is_exempt=True)
            return [(SYSTEM_USER, command)]
        account = state.accounts[number]
        if account.owner != owner:
            raise ConfigError(
                f"account {name} belongs to {state.users[account.owner].name}, but a recorded market "
                "needs it for itself: start it on a fresh home"
            )
        instrument = state.symbols.get(self.symbol)
        if self._is_ready or instrument is None or not self._rests(number, instrument):
            return []
        return [(owner, CancelAll(account=number, instrument=instrument))]

    def _rests(self, account: int, instrument: int) -> bool:
        order = self.state.accounts[account].first_order
        while order is not None:
            if order.book.instrument.instrument_id == instrument:
                return True
            order = order.later
        return False

    def _pair(self) -> tuple[str, str]:
        base, _, quote = self.symbol.partition("-")
        return base, quote or QUOTE

    def _missing_assets(self) -> list[Command]:
        state, demand = self.state, self.demand
        if self.symbol in state.symbols:
            return []
        base, quote = self._pair()
        exponents = (demand.quantity_decimals, demand.price_decimals + demand.quantity_decimals)
        return [
            ListAsset(symbol=symbol, exponent=max(exponent, 2 if symbol == quote else 0))
            for symbol, exponent in zip((base, quote), exponents, strict=True)
            if symbol not in state.asset_symbols
        ]

    def _listing(self) -> ListInstrument:
        state = self.state
        base, quote = (state.assets[state.asset_symbols[symbol]] for symbol in self._pair())
        demand = self._coarser(base.exponent, quote.exponent)
        return ListInstrument(
            symbol=self.symbol,
            name=f"{self.symbol} as recorded",
            venue="RECORDED",
            base=base.asset_id,
            quote=quote.asset_id,
            **demand._asdict(),
        )

    def _coarser(self, base: int, quote: int) -> Demand:
        """The demand with a lot so large that one tick of it is a whole minor unit."""
        demand = self.demand
        for power in range(EXPONENT_MAX + 1):
            lot: int = demand.lot_units * 10**power
            step = demand.tick_units * lot * demand.multiplier
            decimals = demand.price_decimals + demand.quantity_decimals
            if lot > PPM:
                break
            if scaled(step, quote - decimals) and scaled(lot, base - demand.quantity_decimals):
                return demand._replace(lot_units=lot)
        base_symbol, quote_symbol = self._pair()
        raise ConfigError(
            f"{self.symbol} cannot be listed: {base_symbol} has {base} and {quote_symbol} {quote} decimals, "
            "too few for the recorded prices and sizes"
        )

    # -- one step --------------------------------------------------------------------------------

    def order(self, own: Own) -> Order | None:
        """Where it rests now."""
        return self.state.order(own.order_id) if own.order_id else None

    def leaves(self, own: Own) -> Lots:
        order = self.order(own)
        return 0 if order is None else order.leaves

    def place(self, own: Own, answer: Answer | None = None) -> Own:
        """A recorded order enters the book.  What it would cross of the book's own is outdated."""

        def accepted(receipt: Receipt) -> None:
            own.order_id = 0 if receipt.reject is not None else receipt.order_id
            if answer is not None:
                answer(receipt)

        own.order_id = 0
        self._order(BOOK, (own.side, own.price, own.size), GTC, STP_CANCEL_OLDEST, accepted)
        return own

    def take(self, side: int, price: Ticks, size: Lots, answer: Answer | None = None) -> None:
        """A recorded execution: takes what stands first, no worse than its price."""
        self._order(TAKER, (side, price, size), IOC, STP_NONE, answer)

    def change(self, own: Own, leaves: Lots, price: Ticks = 0, answer: Answer | None = None) -> None:
        """Leave that much of a resting order; keeps its place if it only gets smaller."""
        order = self.order(own)
        assert order is not None
        account = order.account.account_id
        own.price = price or own.price
        own.size = leaves
        if not leaves:
            self._ask(BOOK, CancelOrder(account, own.order_id), answer)
        elif leaves != order.leaves or own.price != order.limit:
            self._need(BOOK, own.side, own.price, leaves)
            limit = own.price if own.price != order.limit else 0
            self._ask(BOOK, ModifyOrder(account, own.order_id, "", order.filled + leaves, limit), answer)

    def cancel_all(self) -> None:
        account = self.state.account_names[BOOK]
        self._ask(BOOK, CancelAll(account=account, instrument=self.instrument.instrument_id), None)

    def is_asking(self) -> bool:
        return bool(self._requests)

    def flush(self) -> list[Request]:
        """What was asked since the last time, with the money for it in front."""
        deposits = [
            (SYSTEM_USER, deposit)
            for (name, asset), need in self._needs.items()
            for deposit in self._deposits(self.state.account_names[name], asset, need)
        ]
        requests = [*deposits, *self._requests]
        self._answers[:0] = [None] * len(deposits)
        self._requests = []
        self._needs.clear()
        return requests

    def answered(self, receipts: Sequence[Receipt]) -> None:
        answers, self._answers = self._answers, []
        for answer, receipt in zip(answers, receipts, strict=True):
            if answer is not None:
                answer(receipt)

    def _order(
        self, name: str, terms: tuple[int, Ticks, Lots], tif: int, stp: int, answer: Answer | None
    ) -> None:
        side, price, size = terms
        self._need(name, side, price, size)
        account = self.state.account_names[name]
        number = self.instrument.instrument_id
        command = PlaceOrder(account, number, side, LIMIT, size, price, tif, stp=stp)
        self._ask(name, command, answer)

    def _ask(self, name: str, command: Command, answer: Answer | None) -> None:
        self._requests.append((self.state.user_names[name], command))
        self._answers.append(answer)

    def _need(self, name: str, side: int, price: Ticks, size: Lots) -> None:
        instrument = self.instrument
        if side == BUY:
            value = price * size * instrument.unit
            dearest = max(max(pair) for pair in instrument.fees)
            asset, amount = instrument.quote, value + value * dearest // PPM + 1
        else:
            asset, amount = instrument.base, size * instrument.lot_minor
        self._needs[name, asset] = self._needs.get((name, asset), 0) + amount

    def _deposits(self, account_id: int, asset: int, need: int) -> list[Command]:
        account = self.state.accounts[account_id]
        missing = need - account.available(asset)
        if missing <= 0:
            return []
        most = MINOR_MAX - 1
        parts, rest = divmod(missing * FUNDS_FACTOR, most)
        return [
            Deposit(account=account_id, asset=asset, amount=amount, reference="recorded market")
            for amount in (*[most] * parts, rest)
            if amount
        ]
