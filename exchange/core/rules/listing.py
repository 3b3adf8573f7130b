"""Assets and instruments: list, amend, halt, resume."""

from __future__ import annotations

from exchange.core.commands import (
    AmendInstrument,
    HaltInstrument,
    ListAsset,
    ListInstrument,
    ResumeInstrument,
)
from exchange.core.events import (
    AssetListed,
    Event,
    InstrumentAmended,
    InstrumentHalted,
    InstrumentListed,
    InstrumentResumed,
)
from exchange.core.instrument import Instrument
from exchange.core.messages import Reject
from exchange.core.rules.access import operate
from exchange.core.rules.text import is_identifier, is_plain
from exchange.core.state.root import State
from exchange.core.terms import HALTED, OPEN
from exchange.core.units import (
    ASSETS_MAX,
    DAY,
    EXPONENT_MAX,
    FEE_PPM_MAX,
    FEE_TIERS_MAX,
    INSTRUMENTS_MAX,
    LOTS_MAX,
    MINOR_MAX,
    NAME_LENGTH_MAX,
    PPM,
    TEXT_LENGTH_MAX,
    TICKS_MAX,
)


def list_asset(state: State, actor: int, command: ListAsset, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, ListAsset)
    if reject is not None:
        return reject
    if not is_identifier(command.symbol, NAME_LENGTH_MAX) or not 0 <= command.exponent <= EXPONENT_MAX:
        return Reject("asset.invalid", EXPONENT_MAX, command.exponent, "int")
    if command.symbol in state.asset_symbols:
        return Reject("asset.exists")
    if len(state.assets) >= ASSETS_MAX:
        return Reject("asset.limit", ASSETS_MAX, len(state.assets), "int")
    # From here on nothing can fail.
    asset = state.add_asset(command.symbol, command.exponent)
    out.append(AssetListed(asset=asset.asset_id, symbol=asset.symbol, exponent=asset.exponent))
    return None


def list_instrument(state: State, actor: int, command: ListInstrument, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, ListInstrument)
    if reject is not None:
        return reject
    if not is_identifier(command.symbol, NAME_LENGTH_MAX):
        return Reject("instrument.invalid", NAME_LENGTH_MAX, len(command.symbol), "int")
    if not is_plain(command.name, TEXT_LENGTH_MAX):
        return Reject("text.invalid", TEXT_LENGTH_MAX, len(command.name), "int")
    if not is_plain(command.venue, NAME_LENGTH_MAX):
        return Reject("text.invalid", NAME_LENGTH_MAX, len(command.venue), "int")
    if command.symbol in state.symbols:
        return Reject("instrument.exists")
    if len(state.books) >= INSTRUMENTS_MAX:
        return Reject("instrument.limit", INSTRUMENTS_MAX, len(state.books), "int")
    base, quote = state.asset(command.base), state.asset(command.quote)
    if base is None or quote is None:
        return Reject("asset.unknown")
    if base is quote:
        return Reject("instrument.invalid")
    sizes = (command.tick_units, command.lot_units, command.multiplier)
    decimals = (command.price_decimals, command.quantity_decimals)
    if not all(0 < size <= PPM for size in sizes) or not all(0 <= d <= EXPONENT_MAX for d in decimals):
        return Reject("instrument.invalid", PPM, min(sizes), "int")
    unit = scaled(
        command.tick_units * command.lot_units * command.multiplier,
        quote.exponent - command.price_decimals - command.quantity_decimals,
    )
    lot_minor = scaled(command.lot_units, base.exponent - command.quantity_decimals)
    if not unit or not lot_minor:
        return Reject("instrument.fractional_unit")
    reject = check_rules(command)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    instrument = Instrument(
        len(state.books), command.symbol, command.name, command.venue, command.base, command.quote
    )
    instrument.tick_units = command.tick_units
    instrument.price_decimals = command.price_decimals
    instrument.lot_units = command.lot_units
    instrument.quantity_decimals = command.quantity_decimals
    instrument.multiplier = command.multiplier
    instrument.unit = unit
    instrument.lot_minor = lot_minor
    set_rules(instrument, command)
    state.add_instrument(instrument)
    out.append(InstrumentListed(instrument=instrument.instrument_id, symbol=instrument.symbol))
    return None


def scaled(value: int, exponent: int) -> int:
    """value * 10**exponent if that is whole, else 0."""
    power: int = 10 ** abs(exponent)
    if exponent >= 0:
        return value * power
    whole, rest = divmod(value, power)
    return 0 if rest else whole


def check_rules(command: ListInstrument | AmendInstrument) -> Reject | None:
    """The part of a listing that may change later."""
    if not 0 < len(command.fees) <= FEE_TIERS_MAX:
        return Reject("instrument.invalid", FEE_TIERS_MAX, len(command.fees), "int")
    for maker, taker in command.fees:
        if not (0 <= maker <= FEE_PPM_MAX and 0 <= taker <= FEE_PPM_MAX):
            return Reject("instrument.invalid", FEE_PPM_MAX, max(maker, taker), "Ppm")
    for value, most in (
        (command.quantity_min - 1, LOTS_MAX),
        (command.quantity_max, LOTS_MAX),
        (command.notional_min, MINOR_MAX),
        (command.notional_max, MINOR_MAX),
        (command.band_ppm, PPM),
        (command.reference, TICKS_MAX),
        (command.session_open, DAY),
        (command.session_close, DAY),
        (command.session_days, 127),
    ):
        if not 0 <= value <= most:
            return Reject("instrument.invalid", most, value, "int")
    for least, most in (
        (command.quantity_min, command.quantity_max),
        (command.notional_min, command.notional_max),
    ):
        if most and most < least:
            return Reject("instrument.invalid", least, most, "int")
    return None


def set_rules(instrument: Instrument, command: ListInstrument | AmendInstrument) -> None:
    instrument.fees = command.fees
    instrument.quantity_min = command.quantity_min
    instrument.quantity_max = command.quantity_max
    instrument.notional_min = command.notional_min
    instrument.notional_max = command.notional_max
    instrument.band_ppm = command.band_ppm
    instrument.reference = command.reference
    instrument.session_open = command.session_open
    instrument.session_close = command.session_close
    instrument.session_days = command.session_days


def amend(state: State, actor: int, command: AmendInstrument, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, AmendInstrument)
    if reject is not None:
        return reject
    book = state.book(command.instrument)
    if book is None:
        return Reject("instrument.unknown")
    reject = check_rules(command)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    set_rules(book.instrument, command)
    out.append(InstrumentAmended(instrument=command.instrument))
    return None


def halt(state: State, actor: int, command: HaltInstrument, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, HaltInstrument)
    if reject is not None:
        return reject
    book = state.book(command.instrument)
    if book is None:
        return Reject("instrument.unknown")
    if book.status != OPEN:
        return Reject("market.halted")
    if not is_plain(command.reason, TEXT_LENGTH_MAX):
        return Reject("text.invalid", TEXT_LENGTH_MAX, len(command.reason), "int")
    # From here on nothing can fail.
    book.status = HALTED
    book.halt_reason = command.reason
    out.append(InstrumentHalted(instrument=command.instrument, reason=command.reason))
    return None


def resume(state: State, actor: int, command: ResumeInstrument, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, ResumeInstrument)
    if reject is not None:
        return reject
    book = state.book(command.instrument)
    if book is None:
        return Reject("instrument.unknown")
    if book.status != HALTED:
        return Reject("market.not_halted")
    # From here on nothing can fail.
    book.status = OPEN
    book.halt_reason = ""
    out.append(InstrumentResumed(instrument=command.instrument))
    return None
