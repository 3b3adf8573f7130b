"""The match loop: an order sweeps the other side, best price first, oldest order first."""

from __future__ import annotations

from exchange.core.messages import Event, LevelChanged, OrderDone, OrderModified
from exchange.core.rules.settlement import hold, release, required_hold, set_hold, settle
from exchange.core.state.book import Book, Level
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.terms import (
    BUY,
    DAY_ORDER,
    FILLED,
    FOK,
    IOC,
    IOC_REMAINDER,
    MARKET,
    NO_LIQUIDITY,
    SELF_TRADE,
    SELL,
    STP_CANCEL_NEWEST,
    STP_CANCEL_OLDEST,
    STP_DECREMENT,
    STP_NONE,
)
from exchange.core.units import Lots, Minor


def level_changed(book: Book, side: int, level: Level) -> LevelChanged:
    price = level.key if side == BUY else -level.key
    return LevelChanged(book.instrument.instrument_id, side, price, level.shown, level.orders)


def finish(state: State, order: Order, reason: int, out: list[Event]) -> None:
    """An order that is in no queue any more ends: hold, timer and table entry go."""
    release(order)
    if order.timer:
        state.timers.cancel(order.timer)
    state.forget(order)
    out.append(
        OrderDone(
            order.order_id,
            order.account.account_id,
            order.book.instrument.instrument_id,
            reason,
            order.leaves,
        )
    )


def take_out(state: State, order: Order, reason: int, out: list[Event]) -> None:
    """A resting order leaves the book."""
    level = order.book.remove(order)
    finish(state, order, reason, out)
    out.append(level_changed(order.book, order.side, level))


def enter(state: State, order: Order, bound: int, needed: Minor, out: list[Event]) -> None:
    """Match an order that is in the table but not in the book; rest or end what remains."""
    book = order.book
    whole = order.leaves
    keys = book.asks.keys if order.side == BUY else book.bids.keys
    is_stopped = bool(keys) and keys[-1] >= bound and sweep(state, order, bound, out)
    if order.leaves == 0:
        finish(state, order, FILLED, out)
    elif is_stopped:
        finish(state, order, SELF_TRADE, out)
    elif order.command.type == MARKET:
        finish(state, order, NO_LIQUIDITY, out)
    elif order.command.tif == IOC or order.command.tif == FOK:
        finish(state, order, IOC_REMAINDER, out)
    else:
        # Untouched, it needs what was checked; that spares a division.
        set_hold(order, needed if order.leaves == whole else required_hold(order, order.leaves))
        out.append(level_changed(book, order.side, book.rest(order)))
    assert order.quote_balance.posted >= order.quote_balance.held
    assert order.base_balance.posted >= order.base_balance.held


def sweep(state: State, order: Order, bound: int, out: list[Event]) -> bool:
    """Trade against the other side down to the key ``bound``.

    Returns True if self-trade prevention stopped the order.
    """
    book = order.book
    side = book.asks if order.side == BUY else book.bids
    maker_side = SELL if order.side == BUY else BUY
    keys = side.keys
    is_stopped = False
    while keys and keys[-1] >= bound and order.leaves and not is_stopped:
        key = keys[-1]
        level = side.ladder[-1]
        shown, orders = level.shown, level.orders
        is_stopped = _sweep_level(state, order, level, -key if order.side == BUY else key, out)
        if level.head is None:
            side.ladder.pop()
            keys.pop()
        if level.shown != shown or level.orders != orders:
            out.append(level_changed(book, maker_side, level))
    return is_stopped


def _sweep_level(state: State, order: Order, level: Level, price: int, out: list[Event]) -> bool:
    book = order.book
    prevents = order.command.stp != STP_NONE
    owner = order.account.owner
    maker = level.head
    while maker is not None:
        if prevents and maker.account.owner == owner:
            if prevent_self_trade(state, order, maker, level, out):
                return True
            maker = level.head
            continue
        quantity = maker.shown if maker.shown < order.leaves else order.leaves
        out.append(settle(state, book, maker, order, price, quantity))
        maker.shown -= quantity
        level.shown -= quantity
        if maker.leaves == 0:
            _pop_head(level, maker)
            finish(state, maker, FILLED, out)
            maker = level.head
        elif maker.shown == 0:
            book.refill(maker, level)
            maker = level.head
        if order.leaves == 0:
            return False
    return False


def _pop_head(level: Level, maker: Order) -> None:
    after = maker.next
    level.head = after
    if after is None:
        level.tail = None
    else:
        after.prev = None
    maker.next = None
    maker.level = None
    level.orders -= 1


def prevent_self_trade(state: State, order: Order, maker: Order, level: Level, out: list[Event]) -> bool:
    """The maker at the head belongs to the taker's owner; True if the taker must stop.

    Source of the modes: FIX 2964 and the venues' cancel newest / oldest / both / decrement.
    """
    mode = order.command.stp
    if mode == STP_CANCEL_NEWEST:
        return True
    if mode == STP_DECREMENT:
        common = order.leaves if order.leaves < maker.leaves else maker.leaves
        if maker.leaves > common:
            maker.leaves -= common
            shown = maker.shown if maker.shown < maker.leaves else maker.leaves
            level.shown -= maker.shown - shown
            maker.shown = shown
            hold(maker)
            out.append(modified(maker, kept_priority=True))
            return True
    level.shown -= maker.shown
    _pop_head(level, maker)
    finish(state, maker, SELF_TRADE, out)
    if mode == STP_CANCEL_OLDEST:
        return False
    if mode == STP_DECREMENT and order.leaves > maker.leaves:
        order.leaves -= maker.leaves
        out.append(modified(order, kept_priority=True))
        return False
    return True


def modified(order: Order, kept_priority: bool) -> OrderModified:
    return OrderModified(
        order.order_id,
        order.account.account_id,
        order.book.instrument.instrument_id,
        order.side,
        order.quantity,
        order.limit,
        order.leaves,
        required_hold(order, order.leaves),
        kept_priority,
    )


def fillable(book: Book, owner: int, side: int, quantity: Lots, bound: int, stp: int) -> tuple[Lots, Minor]:
    """Lots an order would trade at once and their value, without touching anything.

    Exact for every self-trade mode and for icebergs: their hidden part queues behind the level.
    """
    other = book.asks if side == BUY else book.bids
    left, value = quantity, 0
    for at in range(len(other.keys) - 1, -1, -1):
        key = other.keys[at]
        if key < bound or left == 0:
            break
        price = -key if side == BUY else key
        queue: list[tuple[Order, Lots]] = []  # icebergs whose remainder waits at the back
        maker = other.ladder[at].head
        position = 0
        have: Lots = 0
        while left:
            if maker is not None:
                order, have = maker, maker.leaves
                maker = maker.next
            elif position < len(queue):
                order, have = queue[position]
                position += 1
            else:
                break
            if stp != STP_NONE and order.account.owner == owner:
                if stp == STP_CANCEL_OLDEST:
                    continue
                if stp != STP_DECREMENT or have >= left:
                    return quantity - left, value
                left -= have
                quantity -= have
                continue
            display = order.command.display
            slice_ = display if 0 < display < have else have
            if have == order.leaves:  # the first slice may be partly gone already
                slice_ = order.shown
            lots = slice_ if slice_ < left else left
            left -= lots
            value += price * lots * book.instrument.unit
            if have > slice_ and lots == slice_:
                queue.append((order, have - slice_))
    return quantity - left, value


def expires_of(order: Order) -> int:
    """When a resting order ends by itself; 0 means never."""
    if order.command.tif == DAY_ORDER:
        return order.book.instrument.session_end(order.ts)
    return order.command.expires
