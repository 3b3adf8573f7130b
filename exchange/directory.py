"""Names and sizes: how the integers of the core read as text, and text as integers.

The one place where decimals meet ticks, lots and minor units.  A client anywhere builds it from
the answer of the query ``directory``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from exchange.core.terms import EXTERNAL, FEES, HOUSE
from exchange.core.units import LOTS_MAX, MINOR_MAX, TICKS_MAX
from exchange.errors import DataError, NotFound

if TYPE_CHECKING:
    from exchange.core.instrument import Instrument
    from exchange.core.state.root import State

NUMBER = re.compile(r"[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+", re.ASCII)
DIGITS_MAX = 60


class InstrumentInfo:
    """One listing as a client needs it; sizes as in ``exchange.core.instrument.Instrument``.

    base, quote: asset ids.
    """

    __slots__ = (
        "base",
        "fees",
        "instrument_id",
        "lot_minor",
        "lot_units",
        "multiplier",
        "name",
        "price_decimals",
        "quantity_decimals",
        "quote",
        "symbol",
        "tick_units",
        "unit",
        "venue",
    )

    def __init__(self, row: dict[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, row[name])

    instrument_id: int
    symbol: str
    name: str
    venue: str
    base: int
    quote: int
    tick_units: int
    price_decimals: int
    lot_units: int
    quantity_decimals: int
    multiplier: int
    unit: int
    lot_minor: int
    fees: list[list[int]]

    def row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class Directory:
    """Every name and size of one exchange at one moment; ids index the lists."""

    def __init__(
        self,
        assets: list[tuple[str, int]],
        instruments: list[InstrumentInfo],
        accounts: list[tuple[str, int, int]],
        users: list[str],
    ) -> None:
        """assets: (symbol, exponent).   accounts: (name, owner, kind)."""
        self.assets = assets
        self.instruments = instruments
        self.accounts = accounts
        self.users = users
        self._assets = {symbol: i for i, (symbol, _) in enumerate(assets)}
        self._symbols = {info.symbol: info for info in instruments}
        self._accounts = {name: i for i, (name, _, _) in enumerate(accounts)}

    @classmethod
    def of(cls, state: State) -> Directory:
        return cls.from_rows(directory_rows(state))

    @classmethod
    def from_rows(cls, rows: dict[str, Any]) -> Directory:
        return cls(
            [(symbol, exponent) for symbol, exponent in rows["assets"]],
            [InstrumentInfo(row) for row in rows["instruments"]],
            [(name, owner, kind) for name, owner, kind in rows["accounts"]],
            list(rows["users"]),
        )

    def rows(self) -> dict[str, Any]:
        return {
            "assets": [list(asset) for asset in self.assets],
            "instruments": [info.row() for info in self.instruments],
            "accounts": [list(account) for account in self.accounts],
            "users": list(self.users),
        }

    def instrument(self, symbol: str) -> InstrumentInfo:
        """By symbol in any case, or by its only prefix.  Raises NotFound."""
        info = self._symbols.get(symbol) or self._symbols.get(symbol.upper())
        if info is not None:
            return info
        starts = [s for s in self._symbols if symbol and s.upper().startswith(symbol.upper())]
        if len(starts) == 1:
            return self._symbols[starts[0]]
        raise NotFound(_unknown("instrument", symbol, starts or list(self._symbols)))

    def account_id(self, name: str) -> int:
        if name not in self._accounts:
            kinds = (FEES, HOUSE, EXTERNAL)
            known = [known for known, _, kind in self.accounts if kind not in kinds]
            raise NotFound(_unknown("account", name, known))
        return self._accounts[name]

    def account_name(self, account_id: int) -> str:
        return self.accounts[account_id][0] if 0 <= account_id < len(self.accounts) else f"#{account_id}"

    def user_name(self, user_id: int) -> str:
        return self.users[user_id] if 0 <= user_id < len(self.users) else f"#{user_id}"

    def user_id(self, name: str) -> int:
        if name not in self.users:
            raise NotFound(_unknown("user", name, self.users))
        return self.users.index(name)

    def asset_id(self, symbol: str) -> int:
        found = self._assets.get(symbol, self._assets.get(symbol.upper()))
        if found is None:
            raise NotFound(_unknown("asset", symbol, list(self._assets)))
        return found

    def asset_symbol(self, asset_id: int) -> str:
        return self.assets[asset_id][0] if 0 <= asset_id < len(self.assets) else f"#{asset_id}"

    def price_text(self, instrument_id: int, ticks: int) -> str:
        info = self.instruments[instrument_id]
        return decimal_text(ticks * info.tick_units, info.price_decimals)

    def quantity_text(self, instrument_id: int, lots: int) -> str:
        info = self.instruments[instrument_id]
        return decimal_text(lots * info.lot_units, info.quantity_decimals)

    def money_text(self, asset_id: int, minor: int) -> str:
        return decimal_text(minor, self.assets[asset_id][1])

    def parse_price(self, instrument_id: int, text: str) -> int:
        """Ticks.  Raises DataError naming the value and the tick size."""
        info = self.instruments[instrument_id]
        size = decimal_text(info.tick_units, info.price_decimals)
        what = f"{info.symbol} has a tick size of {size}"
        return _steps("price", text, (info.price_decimals, info.tick_units, TICKS_MAX), what)

    def parse_quantity(self, instrument_id: int, text: str) -> int:
        """Lots.  Raises DataError naming the value and the lot size."""
        info = self.instruments[instrument_id]
        size = decimal_text(info.lot_units, info.quantity_decimals)
        what = f"{info.symbol} has a lot size of {size}"
        return _steps("quantity", text, (info.quantity_decimals, info.lot_units, LOTS_MAX), what)

    def parse_money(self, asset_id: int, text: str) -> int:
        """Minor units.  Raises DataError naming the value and the asset's decimals."""
        symbol, exponent = self.assets[asset_id]
        return _steps("amount", text, (exponent, 1, MINOR_MAX - 1), f"{symbol} has {exponent} decimals")


def directory_rows(state: State) -> dict[str, Any]:
    """The answer of the query ``directory``."""
    return {
        "assets": [[asset.symbol, asset.exponent] for asset in state.assets],
        "instruments": [_instrument_row(book.instrument) for book in state.books],
        "accounts": [[account.name, account.owner, account.kind] for account in state.accounts],
        "users": [user.name for user in state.users],
    }


def _instrument_row(instrument: Instrument) -> dict[str, Any]:
    row = {name: getattr(instrument, name) for name in InstrumentInfo.__slots__}
    row["fees"] = [list(pair) for pair in instrument.fees]
    return row


def decimal_text(value: int, decimals: int) -> str:
    """value / 10**decimals in full, always with that many decimals."""
    if not decimals:
        return str(value)
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def decimal_steps(text: str, decimals: int) -> int | None:
    """Text times 10**decimals if that is whole and not negative, else None."""
    if len(text) > DIGITS_MAX or NUMBER.fullmatch(text) is None:
        return None
    whole, _, fraction = text.replace("_", "").partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        return None
    return int((whole or "0") + fraction.ljust(decimals, "0"))


def _steps(field: str, text: str, size: tuple[int, int, int], what: str) -> int:
    decimals, units, most = size
    shown = safe_text(text)[:DIGITS_MAX]
    if len(text) > DIGITS_MAX or NUMBER.fullmatch(text) is None:
        raise DataError(f"{field} {shown!r} is not a positive decimal number")
    value = decimal_steps(text, decimals)
    if value is None or value % units:
        raise DataError(f"{field} {shown} is not a whole number of steps: {what}")
    steps = value // units
    if steps <= 0:
        raise DataError(f"{field} {shown} must be above zero")
    if steps > most:
        raise DataError(f"{field} {shown} is above the limit of {decimal_text(most * units, decimals)}")
    return steps


def _unknown(kind: str, name: str, known: list[str]) -> str:
    import difflib

    shown = safe_text(name)[:40]
    close = difflib.get_close_matches(name.upper(), [k.upper() for k in known], n=3, cutoff=0.5)
    names = [k for k in known if k.upper() in close] or (known if 0 < len(known) <= 8 else [])
    hint = f"; did you mean {' or '.join(names[:3])}?" if names else ""
    return f"there is no {kind} {shown!r}{hint}"


def safe_text(text: str) -> str:
    """Text of another user, fit for a terminal: NFC, no control, format or surrogate characters."""
    kept = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in _UNSAFE)
    return "".join(kept)


_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def time_text(ts: int) -> str:
    """Nanoseconds since the epoch as ISO-8601 UTC with microseconds."""
    from datetime import UTC, datetime

    micros = ts // 1000
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
