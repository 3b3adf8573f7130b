"""Place, modify, replace, cancel and expire: handlers that check everything first, then act."""

from __future__ import annotations

from typing import Optional

from exchange.core.commands import CancelAll, ExpireOrder
from exchange.core.messages import (
    CancelOrder,
    Event,
    ModifyOrder,
    OrderAccepted,
    PlaceOrder,
    Reject,
    ReplaceOrder,
)
from exchange.core.rules.access import may_act, operate, owns
from exchange.core.rules.matching import (
    enter,
    expires_of,
    finish,
    level_changed,
    modified,
    take_out,
)
from exchange.core.rules.risk import (
    Terms,
    check_order,
    check_price,
    check_size,
    effective_limit,
    sweep_bound,
)
from exchange.core.rules.settlement import hold, release, required_hold
from exchange.core.rules.text import is_identifier
from exchange.core.state.book import Book
from exchange.core.state.ledger import Account
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.terms import BUY, CANCELED, DAY_ORDER, EXPIRED, LIMIT, OPEN, REPLACED, SELL
from exchange.core.units import CLIENT_ID_LENGTH_MAX, Lots, Ticks


def place(state: State, actor: int, command: PlaceOrder, out: list[Event]) -> Optional[Reject]:
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not owns(state, actor, account) and not may_act(state, actor, PlaceOrder, account):
        return Reject("access.denied")
    book = state.book(command.instrument)
    if book is None:
        return Reject("instrument.unknown")
    if command.client_order_id:
        known = check_client_id(account, command)
        if known is not None:
            return known
    reject, terms = check_order(account, book, command, state.ts, 0, 0)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    accept(state, account, book, command, terms, out)
    return None


def accept(
    state: State,
    account: Account,
    book: Book,
    command: PlaceOrder,
    terms: Terms,
    out: list[Event],
) -> None:
    """Enter a checked order."""
    needed, maker_ppm, taker_ppm = terms
    limit = effective_limit(command, book)
    order_id = state.new_order_id()
    order = Order(order_id, state.ts, account, book, command, limit)
    order.maker_ppm = maker_ppm
    order.taker_ppm = taker_ppm
    if command.client_order_id:
        state.remember(account, order_id, command)
    out.append(OrderAccepted(order_id, limit, needed, command))
    state.keep(order)
    enter(state, order, sweep_bound(book, command.side, limit), needed, out)
    if order.level is not None and (command.expires or command.tif == DAY_ORDER):
        due = expires_of(order)
        order.timer = state.timers.add(due, ExpireOrder(order_id=order_id, due=due))


def check_client_id(account: Account, command: PlaceOrder) -> Reject | None:
    """A used client order id is refused; ``limit`` is the first order's id."""
    client_order_id = command.client_order_id
    if not is_identifier(client_order_id, CLIENT_ID_LENGTH_MAX):
        return Reject("order.client_id_invalid")
    known = account.client_orders.get(client_order_id)
    if known is None:
        return None
    first = known.command
    is_same = (
        first.instrument == command.instrument
        and first.side == command.side
        and first.type == command.type
        and first.quantity == command.quantity
        and first.limit == command.limit
        and first.tif == command.tif
        and first.display == command.display
        and first.expires == command.expires
        and first.is_post_only == command.is_post_only
        and first.stp == command.stp
    )
    reason = "order.exists" if is_same else "order.exists_with_different_fields"
    return Reject(reason, known.order_id, known.order_id, "OrderId")


def find(state: State, account: Account, order_id: int, client_order_id: str) -> Order | None:
    """The account's open order by engine id or, if that is 0, by client order id."""
    if order_id == 0 and client_order_id:
        known = account.client_orders.get(client_order_id)
        order_id = 0 if known is None else known.order_id
    order = state.order(order_id)
    return order if order is not None and order.account is account else None


def _is_of(order: Order, instrument: int) -> bool:
    return instrument in (-1, order.book.instrument.instrument_id)


def cancel(state: State, actor: int, command: CancelOrder, out: list[Event]) -> Optional[Reject]:
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not owns(state, actor, account) and not may_act(state, actor, CancelOrder, account):
        return Reject("access.denied")
    order = find(state, account, command.order_id, command.client_order_id)
    if order is None:
        return Reject("order.unknown", 0, command.order_id, "OrderId")
    # From here on nothing can fail.
    take_out(state, order, CANCELED, out)
    return None


def cancel_all(state: State, actor: int, command: CancelAll, out: list[Event]) -> Optional[Reject]:
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not may_act(state, actor, CancelAll, account):
        return Reject("access.denied")
    if command.instrument != -1 and state.book(command.instrument) is None:
        return Reject("instrument.unknown")
    if command.side not in (0, BUY, SELL):
        return Reject("order.side_invalid", 0, command.side, "int")
    # From here on nothing can fail.
    cancel_matching(state, account, command.instrument, command.side, CANCELED, out)
    return None


def cancel_matching(
    state: State, account: Account, instrument: int, side: int, reason: int, out: list[Event]
) -> None:
    """Cancel the account's orders, oldest first; instrument -1 and side 0 mean any."""
    order = account.first_order
    while order is not None:
        later = order.later
        if instrument in (-1, order.book.instrument.instrument_id) and side in (0, order.side):
            take_out(state, order, reason, out)
        order = later


def expire(state: State, actor: int, command: ExpireOrder, out: list[Event]) -> Optional[Reject]:
    """Only timers send this."""
    reject = operate(state, actor, ExpireOrder)
    if reject is not None:
        return reject
    order = state.order(command.order_id)
    if order is None:
        return Reject("order.unknown", 0, command.order_id, "OrderId")
    # From here on nothing can fail.
    take_out(state, order, EXPIRED, out)
    return None


def modify(state: State, actor: int, command: ModifyOrder, out: list[Event]) -> Optional[Reject]:
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not owns(state, actor, account) and not may_act(state, actor, ModifyOrder, account):
        return Reject("access.denied")
    order = find(state, account, command.order_id, command.client_order_id)
    if order is None or not _is_of(order, command.instrument):
        return Reject("order.unknown", 0, command.order_id, "OrderId")
    quantity = command.quantity or order.quantity
    limit = command.limit or order.limit
    if quantity == order.quantity and limit == order.limit:
        return Reject("order.nothing_to_change")
    reject = check_change(account, order, quantity, limit)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    if limit == order.limit and quantity < order.quantity:
        _shrink_in_place(order, quantity, out)
    else:
        _requeue(state, order, quantity, limit, out)
    return None


def check_change(account: Account, order: Order, quantity: Lots, limit: Ticks) -> Reject | None:
    """The pre-trade table for an amended order."""
    book = order.book
    instrument = book.instrument
    if account.is_suspended:
        return Reject("access.suspended")
    if book.status != OPEN:
        return Reject("market.halted")
    reject = check_size(account, instrument, quantity)
    if reject is not None:
        return reject
    leaves = quantity - order.filled
    if leaves <= 0:
        return Reject("order.quantity_below_filled", order.filled, quantity, "Lots")
    if limit != order.limit:
        reject = check_price(account, book, order.side, limit, order.command.is_post_only)
        if reject is not None:
            return reject
    value = limit * quantity * instrument.unit
    if not account.is_exempt:
        if value < instrument.notional_min:
            return Reject("risk.notional_min", instrument.notional_min, value, "Minor:quote")
        if instrument.notional_max and value > instrument.notional_max:
            return Reject("risk.notional_max", instrument.notional_max, value, "Minor:quote")
    before = order.limit
    order.limit = limit
    needed = required_hold(order, leaves)
    order.limit = before
    asset, unit = (instrument.quote, "Minor:quote") if order.side == BUY else (instrument.base, "Minor:base")
    available = account.available(asset) + order.hold
    if available < needed:
        return Reject("funds.insufficient", available, needed, unit)
    return None


def _shrink_in_place(order: Order, quantity: Lots, out: list[Event]) -> None:
    level = order.level
    assert level is not None
    order.leaves = quantity - order.filled
    if order.shown > order.leaves:
        level.shown -= order.shown - order.leaves
        order.shown = order.leaves
    hold(order)
    out.append(modified(order, kept_priority=True))
    out.append(level_changed(order.book, order.side, level))


def _requeue(state: State, order: Order, quantity: Lots, limit: Ticks, out: list[Event]) -> None:
    book = order.book
    level = book.remove(order)
    release(order)
    order.leaves = quantity - order.filled
    order.limit = limit
    out.append(modified(order, kept_priority=False))
    out.append(level_changed(book, order.side, level))
    enter(state, order, sweep_bound(book, order.side, limit), required_hold(order, order.leaves), out)


def _repeated(account: Account, command: ReplaceOrder) -> Reject | None:
    """A replacement asked for again after it was made: the order it replaced is gone by then."""
    known = account.client_orders.get(command.new_client_order_id)
    if known is None:
        return None
    made = known.command
    is_same = made.quantity == command.quantity and command.limit in (0, made.limit)
    reason = "order.exists" if is_same else "order.exists_with_different_fields"
    return Reject(reason, known.order_id, known.order_id, "OrderId")


def replace(state: State, actor: int, command: ReplaceOrder, out: list[Event]) -> Optional[Reject]:
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not owns(state, actor, account) and not may_act(state, actor, ReplaceOrder, account):
        return Reject("access.denied")
    order = find(state, account, command.order_id, "")
    if order is None or not _is_of(order, command.instrument):
        return _repeated(account, command) or Reject("order.unknown", 0, command.order_id, "OrderId")
    book = order.book
    asked = order.command
    wanted = PlaceOrder(
        command.account,
        book.instrument.instrument_id,
        order.side,
        LIMIT,
        command.quantity,
        command.limit or order.limit,
        asked.tif,
        asked.display if asked.display < command.quantity else 0,
        asked.expires,
        asked.is_post_only,
        asked.stp,
        command.new_client_order_id,
    )
    if command.new_client_order_id:
        known = check_client_id(account, wanted)
        if known is not None:
            return known
    reject, terms = check_order(account, book, wanted, state.ts, order.hold, 1)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    level = book.remove(order)
    finish(state, order, REPLACED, out)
    out.append(level_changed(book, order.side, level))
    accept(state, account, book, wanted, terms, out)
    return None
