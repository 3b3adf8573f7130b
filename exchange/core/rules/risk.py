"""The ordered pre-trade checks.  The first that fails names the reason; none changes anything."""

from __future__ import annotations

from typing import Final, Optional, TypeAlias

from exchange.core.instrument import Instrument
from exchange.core.messages import PlaceOrder, Reject
from exchange.core.rules.matching import fillable
from exchange.core.state.book import Book
from exchange.core.state.ledger import Account
from exchange.core.terms import (
    BUY,
    DAY_ORDER,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    OPEN,
    SELL,
    STP_CANCEL_NEWEST,
    STP_NONE,
)
from exchange.core.units import GTD_HORIZON, LOTS_MAX, MICRO, PPM, TICKS_MAX, Lots, Minor, Nanos, Ppm, Ticks

Terms: TypeAlias = tuple[Minor, Ppm, Ppm]  # what to set aside, maker and taker fee rate
NO_TERMS: Final[Terms] = (0, 0, 0)


def price_band(book: Book) -> tuple[Ticks, Ticks]:
    """Lowest and highest price an order may ask for; around the last trade, else the reference."""
    instrument = book.instrument
    reference = book.last or instrument.reference
    if not instrument.band_ppm or not reference:
        return 1, TICKS_MAX
    width = reference * instrument.band_ppm // PPM
    low, high = reference - width, reference + width
    return (low if low > 0 else 1), (high if high < TICKS_MAX else TICKS_MAX)


def effective_limit(command: PlaceOrder, book: Book) -> Ticks:
    """A market-to-limit order takes the best price it finds; 0 for market orders."""
    if command.type == MARKET_TO_LIMIT:
        return book.best_ask() if command.side == BUY else book.best_bid()
    return command.limit


def sweep_bound(book: Book, side: int, limit: Ticks) -> int:
    """The lowest key of the other side an order may trade at; a market order stops at the band."""
    if limit:
        return -limit if side == BUY else limit
    low, high = price_band(book)
    return -high if side == BUY else low


def check_order(
    account: Account, book: Book, command: PlaceOrder, ts: Nanos, freed: Minor, replaced: int
) -> tuple[Optional[Reject], Terms]:
    """The table for a new order: a reject, or the terms on which it is accepted.

    freed, replaced: hold and number of the orders that end when this one is accepted.
    """
    if account.is_suspended:
        return Reject("access.suspended"), NO_TERMS
    if book.status != OPEN:
        return Reject("market.halted"), NO_TERMS
    reject = check_terms(command, ts)
    if reject is None:
        reject = check_size(account, book.instrument, command.quantity)
    if reject is not None:
        return reject, NO_TERMS
    if not account.is_exempt and account.open_orders - replaced >= account.open_orders_max:
        return Reject("risk.open_orders", account.open_orders_max, account.open_orders, "int"), NO_TERMS
    limit = effective_limit(command, book)
    if command.type != LIMIT and not (book.best_ask() if command.side == BUY else book.best_bid()):
        return Reject("market.no_liquidity"), NO_TERMS
    if limit:  # a market-to-limit order, too, may not leave the band with the best price
        reject = check_price(account, book, command.side, limit, command.is_post_only)
        if reject is not None:
            return reject, NO_TERMS
    return _check_value(account, book, command, limit, freed)


def _check_value(
    account: Account, book: Book, command: PlaceOrder, limit: Ticks, freed: Minor
) -> tuple[Optional[Reject], Terms]:
    instrument = book.instrument
    side, quantity = command.side, command.quantity
    value = limit * quantity * instrument.unit
    if command.type == MARKET or command.tif == FOK:
        bound = sweep_bound(book, side, limit)
        found, cost = fillable(book, account.owner, side, quantity, bound, command.stp)
        if command.tif == FOK and found < quantity:
            return Reject("order.fok_unfillable", found, quantity, "Lots"), NO_TERMS
        if command.type == MARKET:
            value = cost
    if not account.is_exempt:
        # What a market order is worth is what it would cost now; an STP stop may leave nothing.
        if value < instrument.notional_min and (limit or value):
            return Reject("risk.notional_min", instrument.notional_min, value, "Minor:quote"), NO_TERMS
        if instrument.notional_max and value > instrument.notional_max:
            return Reject("risk.notional_max", instrument.notional_max, value, "Minor:quote"), NO_TERMS
    maker_ppm, taker_ppm = fee_rates(account, instrument)
    rate = taker_ppm if command.type == MARKET or taker_ppm > maker_ppm else maker_ppm
    if side == BUY:
        fee = -(-(value * rate) // PPM) if rate else 0
        asset, needed, unit = instrument.quote, value + fee, "Minor:quote"
    else:
        asset, needed, unit = instrument.base, quantity * instrument.lot_minor, "Minor:base"
    available = account.available(asset) + freed
    if available < needed:
        return Reject("funds.insufficient", available, needed, unit), NO_TERMS
    return None, (needed, maker_ppm, taker_ppm)


def fee_rates(account: Account, instrument: Instrument) -> tuple[Ppm, Ppm]:
    """(maker, taker) of the account's tier; the last tier stands for those beyond the table."""
    fees = instrument.fees
    tier = account.fee_tier
    return fees[tier if tier < len(fees) else len(fees) - 1]


def check_terms(command: PlaceOrder, ts: Nanos) -> Reject | None:
    """Do the fields of the order fit each other?"""
    if command.side != BUY and command.side != SELL:
        return Reject("order.side_invalid", 0, command.side, "int")
    if command.stp < STP_CANCEL_NEWEST or command.stp > STP_NONE:
        return Reject("order.stp_invalid", STP_NONE, command.stp, "int")
    limit = command.limit
    if command.type == LIMIT:
        if limit == 0:
            return Reject("order.limit_missing")
        if limit < 0 or limit > TICKS_MAX:
            return Reject("order.limit_range", TICKS_MAX, limit, "Ticks")
        if command.tif < GTC or command.tif > GTD:
            return Reject("order.tif_invalid", GTD, command.tif, "int")
    elif command.type == MARKET or command.type == MARKET_TO_LIMIT:
        if limit:
            return Reject("order.limit_not_allowed", 0, limit, "Ticks")
        if command.type == MARKET and command.tif not in (GTC, IOC, FOK):
            return Reject("order.tif_invalid", IOC, command.tif, "int")
        if command.type == MARKET_TO_LIMIT and command.tif not in (GTC, DAY_ORDER, GTD):
            return Reject("order.tif_invalid", GTC, command.tif, "int")
    else:
        return Reject("order.type_invalid", MARKET_TO_LIMIT, command.type, "int")
    if command.display or command.is_post_only or command.expires or command.tif == GTD:
        return _check_extras(command, ts)
    return None


def _check_extras(command: PlaceOrder, ts: Nanos) -> Reject | None:
    rests = command.type == LIMIT and command.tif != IOC and command.tif != FOK
    if command.display and not (rests and 0 < command.display < command.quantity):
        return Reject("order.display_invalid", command.quantity, command.display, "Lots")
    if command.is_post_only and not rests:
        return Reject("order.post_only_invalid")
    if (command.tif == GTD) != (command.expires != 0):
        return Reject("order.expiry_invalid", 0, command.expires, "Nanos")
    if command.expires and not ts < command.expires <= ts + GTD_HORIZON:
        return Reject("order.expiry_invalid", ts + GTD_HORIZON, command.expires, "Nanos")
    if command.expires % MICRO:
        return Reject("order.expiry_invalid", 0, command.expires, "Nanos")
    return None


def check_size(account: Account, instrument: Instrument, quantity: Lots) -> Reject | None:
    if quantity <= 0 or quantity > LOTS_MAX:
        return Reject("order.quantity_range", LOTS_MAX, quantity, "Lots")
    if account.is_exempt:
        return None
    if quantity < instrument.quantity_min:
        return Reject("order.quantity_min", instrument.quantity_min, quantity, "Lots")
    if instrument.quantity_max and quantity > instrument.quantity_max:
        return Reject("order.quantity_max", instrument.quantity_max, quantity, "Lots")
    return None


def check_price(account: Account, book: Book, side: int, limit: Ticks, is_post_only: bool) -> Reject | None:
    """Band and post-only for a limit price."""
    if limit > TICKS_MAX or limit <= 0:
        return Reject("order.limit_range", TICKS_MAX, limit, "Ticks")
    if book.instrument.band_ppm and not account.is_exempt:
        low, high = price_band(book)
        if limit < low:
            return Reject("market.price_band", low, limit, "Ticks")
        if limit > high:
            return Reject("market.price_band", high, limit, "Ticks")
    if is_post_only:
        if side == BUY:
            best = book.best_ask()
            if best and best <= limit:
                return Reject("order.post_only_would_take", best, limit, "Ticks")
        elif book.best_bid() >= limit:
            return Reject("order.post_only_would_take", book.best_bid(), limit, "Ticks")
    return None
