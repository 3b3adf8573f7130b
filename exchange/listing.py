"""The instrument master: ``data/instruments.toml`` into listing commands.

A bad file is one error naming line, key and reason; nothing of it is listed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from exchange.core.commands import AmendInstrument, Command, ListAsset, ListInstrument
from exchange.core.instrument import Instrument
from exchange.core.rules.listing import scaled
from exchange.core.rules.text import is_identifier, is_plain
from exchange.core.state.root import State
from exchange.core.units import (
    ASSETS_MAX,
    EXPONENT_MAX,
    FEE_PPM_MAX,
    FEE_TIERS_MAX,
    INSTRUMENTS_MAX,
    LOTS_MAX,
    MINOR_MAX,
    NAME_LENGTH_MAX,
    PPM,
    SECOND,
    TEXT_LENGTH_MAX,
    TICKS_MAX,
    Nanos,
)
from exchange.directory import NUMBER, decimal_steps, decimal_text
from exchange.errors import ConfigError
from exchange.toml_source import KeyPath, TomlSource, read_toml

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LIMIT_KEYS = ("quantity_min", "quantity_max", "notional_min", "notional_max", "reference")
REQUIRED = ("symbol", "name", "venue", "base", "quote", "tick", "lot", "fees", "session")
KNOWN = (*REQUIRED, "contract", "band_ppm", *LIMIT_KEYS)
RULES = tuple(name for name, _ in AmendInstrument.FIELDS if name != "instrument")
SIZES = ("tick_units", "price_decimals", "lot_units", "quantity_decimals", "multiplier")


class Session(NamedTuple):
    """Local wall time in minutes after midnight; days: bit 0 is Monday."""

    timezone: str
    opens: int
    closes: int
    days: int


class Listed(NamedTuple):
    """One instrument of the file.  fields: of ``ListInstrument``, assets and session left out."""

    symbol: str
    base: str
    quote: str
    session: Session
    fields: dict[str, Any]


class Master(NamedTuple):
    """assets: symbol -> exponent, in the order of the file."""

    file: str
    assets: dict[str, int]
    instruments: list[Listed]


def shipped_file(name: str = "instruments.toml") -> Path:
    """A file that comes with the program: beside the code when installed, in data/ of a checkout."""
    here = Path(__file__).parent
    installed = here / "_shipped" / name
    return installed if installed.exists() else here.parent / "data" / name


def read_master(path: Path) -> Master:
    """Raises ConfigError naming file, line, key and reason."""
    source = read_toml(path)
    source.check_keys((), source.values, ("asset", "instrument", "session", "fees"))
    return _Reader(source).master()


def listing_commands(master: Master, state: State, now: Nanos) -> list[Command]:
    """What this state lacks of the master: new listings, and amendments of rules that differ.

    now: decides daylight saving time.  Raises ConfigError where a size differs from the listing.
    """
    commands: list[Command] = []
    ids = dict(state.asset_symbols)
    for symbol, exponent in master.assets.items():
        if symbol not in ids:
            ids[symbol] = len(ids)
            commands.append(ListAsset(symbol=symbol, exponent=exponent))
        elif state.assets[ids[symbol]].exponent != exponent:
            listed = state.assets[ids[symbol]].exponent
            raise ConfigError(
                f"{master.file}: asset {symbol}: listed with exponent {listed}, it cannot change"
            )
    for entry in master.instruments:
        fields = {**entry.fields, **session_fields(entry.session, now)}
        command = ListInstrument(symbol=entry.symbol, base=ids[entry.base], quote=ids[entry.quote], **fields)
        if entry.symbol not in state.symbols:
            commands.append(command)
            continue
        instrument = state.books[state.symbols[entry.symbol]].instrument
        for name in ("base", "quote", *SIZES):
            if getattr(instrument, name) != getattr(command, name):
                raise ConfigError(
                    f"{master.file}: instrument {entry.symbol}: {name.partition('_')[0]} differs from the "
                    "listing in this store, and cannot change; give the instrument another symbol"
                )
        if any(getattr(instrument, name) != getattr(command, name) for name in RULES):
            commands.append(_amendment(instrument, command))
    return commands


def _amendment(instrument: Instrument, command: ListInstrument) -> AmendInstrument:
    rules = {name: getattr(command, name) for name in RULES}
    return AmendInstrument(instrument=instrument.instrument_id, **rules)


def session_fields(session: Session, now: Nanos) -> dict[str, int]:
    """The session on the day of ``now`` as nanoseconds of the UTC day."""
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(session.timezone)
    today = datetime.fromtimestamp(now // SECOND, zone).date()
    midnight = datetime(today.year, today.month, today.day, tzinfo=zone)
    length = (
        session.closes - session.opens
        if session.closes > session.opens
        else session.closes + 1440 - session.opens
    )
    opens = (midnight + timedelta(minutes=session.opens)).astimezone(UTC)
    closes = (midnight + timedelta(minutes=session.opens + length)).astimezone(UTC)
    shift = (opens.date() - today).days
    days = sum(1 << (bit + shift) % 7 for bit in range(7) if session.days >> bit & 1)
    return {
        "session_open": (opens.hour * 3600 + opens.minute * 60) * SECOND,
        "session_close": (closes.hour * 3600 + closes.minute * 60) * SECOND,
        "session_days": days,
    }


class _Reader:
    """Checks one file from top to bottom; the first mistake is the one reported."""

    def __init__(self, source: TomlSource) -> None:
        self.source = source
        self.assets: dict[str, int] = {}
        self.sessions: dict[str, Session] = {}
        self.fees: dict[str, tuple[tuple[int, int], ...]] = {}

    def master(self) -> Master:
        for path, row in self._tables("asset", ASSETS_MAX):
            self._asset(path, row)
        for name, row in self._named("session"):
            self.sessions[name] = self._session(("session", name), row)
        for name, row in self._named("fees"):
            self.fees[name] = self._tiers(("fees", name), row)
        instruments: dict[str, Listed] = {}
        for path, row in self._tables("instrument", INSTRUMENTS_MAX):
            entry = self._instrument(path, row)
            if entry.symbol in instruments:
                raise self.source.error((*path, "symbol"), f"{entry.symbol} stands in the file twice")
            instruments[entry.symbol] = entry
        return Master(self.source.file, self.assets, list(instruments.values()))

    def _tables(self, name: str, most: int) -> list[tuple[KeyPath, dict[str, Any]]]:
        rows = self.source.values.get(name)
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise self.source.error((name,), f"the file needs [[{name}]] tables")
        if len(rows) > most:
            raise self.source.error((name, most), f"at most {most} can be listed")
        return [((name, i), row) for i, row in enumerate(rows)]

    def _named(self, name: str) -> list[tuple[str, Any]]:
        table = self.source.values.get(name, {})
        if not isinstance(table, dict):
            raise self.source.error((name,), "must be a table")
        return list(table.items())

    def _require(self, path: KeyPath, row: dict[str, Any], required: tuple[str, ...]) -> None:
        for key in required:
            if key not in row:
                raise self.source.error((*path, key), "is missing")

    def _asset(self, path: KeyPath, row: dict[str, Any]) -> None:
        self.source.check_keys(path, row, ("symbol", "exponent"))
        self._require(path, row, ("symbol", "exponent"))
        symbol = self._symbol(path, row)
        if symbol in self.assets:
            raise self.source.error((*path, "symbol"), f"{symbol} stands in the file twice")
        self.assets[symbol] = self._whole(path, row, "exponent", (0, EXPONENT_MAX))

    def _symbol(self, path: KeyPath, row: dict[str, Any]) -> str:
        symbol = row["symbol"]
        if not isinstance(symbol, str) or not is_identifier(symbol, NAME_LENGTH_MAX):
            raise self.source.error((*path, "symbol"), "must be 1 to 40 letters, digits, '_', '-', '.', ':'")
        return symbol

    def _whole(self, path: KeyPath, row: dict[str, Any], key: str, between: tuple[int, int]) -> int:
        value = row[key]
        if isinstance(value, bool) or not isinstance(value, int) or not between[0] <= value <= between[1]:
            raise self.source.error((*path, key), f"must be a whole number from {between[0]} to {between[1]}")
        return value

    def _text(self, path: KeyPath, row: dict[str, Any], key: str, length: int) -> str:
        value = row[key]
        if not isinstance(value, str) or not is_plain(value, length):
            raise self.source.error((*path, key), f"must be text of at most {length} printable characters")
        return value

    def _session(self, path: KeyPath, row: Any) -> Session:
        if not isinstance(row, dict):
            raise self.source.error(path, "must be a table with timezone, open, close and days")
        keys = ("timezone", "open", "close", "days")
        self.source.check_keys(path, row, keys)
        self._require(path, row, keys)
        timezone = self._text(path, row, "timezone", NAME_LENGTH_MAX)
        self._check_timezone((*path, "timezone"), timezone)
        opens, closes = (
            self._minutes((*path, "open"), row["open"]),
            self._minutes((*path, "close"), row["close"]),
        )
        if opens == 1440:
            raise self.source.error((*path, "open"), 'a session opens before "24:00"')
        return Session(timezone, opens, closes, self._days((*path, "days"), row["days"]))

    def _check_timezone(self, path: KeyPath, timezone: str) -> None:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(timezone)
        except (ValueError, OSError, LookupError):
            try:
                ZoneInfo("Asia/Kolkata")
            except LookupError:
                raise self.source.error(path, "this system has no time zones; pip install tzdata") from None
            raise self.source.error(path, f"there is no time zone {timezone!r}") from None

    def _minutes(self, path: KeyPath, value: Any) -> int:
        hours, colon, minutes = value.partition(":") if isinstance(value, str) else ("", "", "")
        is_clock = bool(colon) and len(hours) == len(minutes) == 2 and (hours + minutes).isascii()
        if is_clock and (hours + minutes).isdigit():
            total = int(hours) * 60 + int(minutes)
            if total <= 1440 and int(minutes) < 60:
                return total
        raise self.source.error(path, 'must be a time such as "09:15"')

    def _days(self, path: KeyPath, value: Any) -> int:
        days = 0
        for part in value.split(",") if isinstance(value, str) else [""]:
            first, _, last = (name.strip() for name in part.partition("-"))
            if first not in WEEKDAYS or (last and last not in WEEKDAYS):
                raise self.source.error(path, 'must be days such as "Mon-Fri" or "Mon,Wed,Sat"')
            begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
            for day in range(begin, end + 1 if end >= begin else end + 8):
                days |= 1 << day % 7
        return days

    def _tiers(self, path: KeyPath, row: Any) -> tuple[tuple[int, int], ...]:
        shape = f"must be 1 to {FEE_TIERS_MAX} pairs [maker, taker] of 0 to {FEE_PPM_MAX} ppm"
        if not isinstance(row, list) or not 0 < len(row) <= FEE_TIERS_MAX:
            raise self.source.error(path, shape)
        for pair in row:
            if not isinstance(pair, list) or len(pair) != 2:
                raise self.source.error(path, shape)
            for rate in pair:
                if isinstance(rate, bool) or not isinstance(rate, int) or not 0 <= rate <= FEE_PPM_MAX:
                    raise self.source.error(path, f"{rate!r}: {shape}")
        return tuple((maker, taker) for maker, taker in row)

    def _instrument(self, path: KeyPath, row: dict[str, Any]) -> Listed:
        self.source.check_keys(path, row, KNOWN)
        self._require(path, row, REQUIRED)
        symbol = self._symbol(path, row)
        base = self._known(path, row, "base", self.assets, "[[asset]]")
        quote = self._known(path, row, "quote", self.assets, "[[asset]]")
        if base == quote:
            raise self.source.error((*path, "quote"), f"is {quote} like the base")
        tick, price_decimals = self._size(path, row, "tick")
        lot, quantity_decimals = self._size(path, row, "lot")
        contract = self._whole(path, row, "contract", (1, PPM)) if "contract" in row else 1
        unit = scaled(tick * lot * contract, self.assets[quote] - price_decimals - quantity_decimals)
        if not unit:
            value = decimal_text(tick * lot * contract, price_decimals + quantity_decimals)
            why = f"one tick x one lot is {value} {quote}, but {quote} has {self.assets[quote]} decimals"
            raise self.source.error((*path, "tick"), f"{why}: raise its exponent")
        if not scaled(lot, self.assets[base] - quantity_decimals):
            why = f"{row['lot']} is finer than {base}, which has {self.assets[base]} decimals"
            raise self.source.error((*path, "lot"), f"{why}: raise its exponent")
        fields: dict[str, Any] = {
            "name": self._text(path, row, "name", TEXT_LENGTH_MAX),
            "venue": self._text(path, row, "venue", NAME_LENGTH_MAX),
            "tick_units": tick,
            "price_decimals": price_decimals,
            "lot_units": lot,
            "quantity_decimals": quantity_decimals,
            "multiplier": contract,
            "fees": self.fees[self._known(path, row, "fees", self.fees, "[fees]")],
            "band_ppm": self._whole(path, row, "band_ppm", (0, PPM)) if "band_ppm" in row else 0,
        }
        fields |= self._limits(path, row, fields, self.assets[quote])
        session = self.sessions[self._known(path, row, "session", self.sessions, "[session]")]
        return Listed(symbol, base, quote, session, fields)

    def _limits(
        self, path: KeyPath, row: dict[str, Any], fields: dict[str, Any], exponent: int
    ) -> dict[str, int]:
        lots = (fields["quantity_decimals"], fields["lot_units"], LOTS_MAX)
        ticks = (fields["price_decimals"], fields["tick_units"], TICKS_MAX)
        money = (exponent, 1, MINOR_MAX - 1)
        found: dict[str, int] = {"quantity_min": 1}
        for key, size in zip(LIMIT_KEYS, (lots, lots, money, money, ticks), strict=True):
            if key in row:
                found[key] = self._steps(path, row, key, size)
        for what in ("quantity", "notional"):
            most = found.get(f"{what}_max", 0)
            if most and most < found.get(f"{what}_min", 0):
                raise self.source.error((*path, f"{what}_max"), f"is below {what}_min")
        return found

    def _known(self, path: KeyPath, row: dict[str, Any], key: str, known: dict[str, Any], where: str) -> str:
        value = row[key]
        if not isinstance(value, str) or value not in known:
            raise self.source.error((*path, key), f"{value!r:.60} is not listed under {where}")
        return value

    def _size(self, path: KeyPath, row: dict[str, Any], key: str) -> tuple[int, int]:
        """(units, decimals) of a step: "0.05" is 5 and 2."""
        text = self._decimal(path, row, key)
        decimals = len(text.partition(".")[2])
        units = decimal_steps(text, decimals) or 0
        if not 0 < units <= PPM or decimals > EXPONENT_MAX:
            raise self.source.error((*path, key), "must be above zero with at most 18 decimals")
        return units, decimals

    def _steps(self, path: KeyPath, row: dict[str, Any], key: str, size: tuple[int, int, int]) -> int:
        decimals, units, most = size
        value = decimal_steps(self._decimal(path, row, key), decimals)
        if value is None or value % units:
            step = decimal_text(units, decimals)
            raise self.source.error((*path, key), f"{row[key]} is not a whole number of steps of {step}")
        if not 0 < value // units <= most:
            raise self.source.error(
                (*path, key), f"must be above zero and at most {decimal_text(most * units, decimals)}"
            )
        return value // units

    def _decimal(self, path: KeyPath, row: dict[str, Any], key: str) -> str:
        text = row[key]
        if not isinstance(text, str) or len(text) > NAME_LENGTH_MAX or NUMBER.fullmatch(text) is None:
            raise self.source.error((*path, key), 'must be a decimal number in quotes, such as "0.05"')
        return text
