"""One fill to postings and fees: the only writer of trade money.

Base moves from seller to buyer, quote from buyer to seller, and both fees to the fee account.
"""

from __future__ import annotations

from exchange.core.messages import Traded
from exchange.core.state.book import Book
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.terms import BUY, FEES_ACCOUNT
from exchange.core.units import PPM, Lots, Minor, Ticks


def required_hold(order: Order, leaves: Lots) -> Minor:
    """What the order must have set aside for its remaining lots.

    A buy holds its value at the limit with the dearer of both fees, rounded up on top of what its
    fills have cost so far; a sell holds the lots.
    """
    instrument = order.book.instrument
    if order.side != BUY:
        return leaves * instrument.lot_minor
    rate = order.taker_ppm if order.taker_ppm > order.maker_ppm else order.maker_ppm
    value = order.limit * leaves * instrument.unit
    if not rate and not order.fee_numerator:
        return value
    return value - (-(order.fee_numerator + value * rate) // PPM) - order.fee_paid


def charge(order: Order, value: Minor, rate: int) -> Minor:
    """The fee of one fill: what the rounded-up fee of all fills so far exceeds what was paid."""
    if not rate:
        return 0
    order.fee_numerator += value * rate
    fee = -(-order.fee_numerator // PPM) - order.fee_paid
    order.fee_paid += fee
    return fee


def settle(state: State, book: Book, maker: Order, taker: Order, price: Ticks, quantity: Lots) -> Traded:
    """Post one fill and shrink both orders.

    The taker's hold is not touched here: it is set once after its sweep.
    """
    instrument = book.instrument
    value = price * quantity * instrument.unit
    lots_minor = quantity * instrument.lot_minor
    maker_fee = charge(maker, value, maker.maker_ppm)
    taker_fee = charge(taker, value, taker.taker_ppm)
    maker.leaves -= quantity
    maker.filled += quantity
    taker.leaves -= quantity
    taker.filled += quantity
    if taker.side == BUY:
        taker.quote_balance.posted -= value + taker_fee
        taker.base_balance.posted += lots_minor
        base = maker.base_balance
        base.posted -= lots_minor
        base.held -= lots_minor
        maker.hold -= lots_minor
        maker.quote_balance.posted += value - maker_fee
    else:
        quote = maker.quote_balance
        hold = required_hold(maker, maker.leaves)
        quote.posted -= value + maker_fee
        quote.held -= maker.hold - hold
        maker.hold = hold
        maker.base_balance.posted += lots_minor
        taker.base_balance.posted -= lots_minor
        taker.quote_balance.posted += value - taker_fee
    if maker_fee or taker_fee:
        state.accounts[FEES_ACCOUNT].balance(instrument.quote).posted += maker_fee + taker_fee
    state.last_trade_id += 1
    book.last = price
    return Traded(
        state.last_trade_id,
        instrument.instrument_id,
        price,
        quantity,
        taker.side,
        maker.order_id,
        maker.account.account_id,
        maker_fee,
        maker.leaves,
        taker.order_id,
        taker.account.account_id,
        taker_fee,
        taker.leaves,
    )


def release(order: Order) -> None:
    """Give back everything the order still holds."""
    if order.hold:
        (order.quote_balance if order.side == BUY else order.base_balance).held -= order.hold
        order.hold = 0


def hold(order: Order) -> None:
    """Set the hold for what remains of a resting order."""
    set_hold(order, required_hold(order, order.leaves))


def set_hold(order: Order, needed: Minor) -> None:
    balance = order.quote_balance if order.side == BUY else order.base_balance
    balance.held += needed - order.hold
    order.hold = needed
    assert balance.held <= balance.posted
