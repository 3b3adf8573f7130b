"""The rules of the exchange a second time: users, accounts, checks and timers, on plain dicts.

``apply`` takes the same records as the engine and returns the events as tuples.  Written from the
documented rules, in the documented order of the checks; shares no code with the core but the
command classes it is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from exchange.core import commands as c
from exchange.core.messages import Record
from tests.reference.naive_book import (
    BUY,
    CANCELED,
    DAY,
    EXPIRED,
    FOK,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    REPLACED,
    SELL,
    TICKS_MAX,
    Listing,
    NaiveBook,
    NaiveOrder,
    Row,
    fee_of,
)

DAY_NS = 86_400 * 10**9
OUTSIDE = 1
CLIENT_KIND, HOUSE_KIND = 1, 2
CLIENT, BROKER, MASTER, ADMIN, SUPER_ADMIN, COMPLIANCE, SYSTEM = range(1, 8)
LIMIT_NAMES = ("quantity_min", "quantity_max", "notional_min", "notional_max")
RULE_NAMES = (*LIMIT_NAMES, "band_ppm", "reference", "session_open", "session_close", "session_days")
TRADING = (c.PlaceOrder, c.CancelOrder, c.ModifyOrder, c.ReplaceOrder, c.CancelAll)
MONEY = (c.Deposit, c.Withdraw, c.Transfer)
OWNERS = (*TRADING, *MONEY, c.OpenAccount, c.ResetAccount)  # what a client may do with what is his
TERM_NAMES = tuple(name for name, _ in c.PlaceOrder.FIELDS if name != "account")
NOBODYS = (c.ExpireOrder, c.Skip)  # only the exchange itself


class RefusedError(Exception):
    def __init__(self, reason: str, limit: int = 0, actual: int = 0, unit: str = "") -> None:
        self.row = (reason, limit, actual, unit)


@dataclass
class NaiveAccount:
    name: str
    owner: int
    kind: int
    tier: int = 0
    epoch: int = 0
    open_orders_max: int = 10_000
    is_exempt: bool = False
    is_suspended: bool = False
    used: dict[str, tuple[int, int, tuple[Any, ...]]] = field(default_factory=dict)


def is_identifier(text: str, length_max: int) -> bool:
    return re.fullmatch(rf"[A-Za-z0-9_.:-]{{1,{length_max}}}", text) is not None


def is_text(text: str, length_max: int) -> bool:
    return len(text) <= length_max and not re.search(r"[\x00-\x1f\x7f-\x9f]", text)


class NaiveExchange(NaiveBook):
    def __init__(self) -> None:
        super().__init__()
        self.ts = 0
        self.seq = 0
        self.orders_seen = 0
        self.timers_seen = 0
        self.users: list[tuple[str, int]] = [("system", SYSTEM)]
        self.accounts = [
            NaiveAccount("fees", 0, 3),
            NaiveAccount("external", 0, 4),
            NaiveAccount("house", 0, HOUSE_KIND),
        ]
        self.assets: list[tuple[str, int]] = []
        self.symbols: list[str] = []

    def apply(self, record: Record) -> list[Row]:
        self.events = []
        self.seq, self.ts = record.seq, record.ts
        while due := [order for order in self.orders if order.due and order.due <= self.ts]:
            first = min(due, key=lambda order: (order.due, order.timer))
            self.take_out(first, EXPIRED)
        handle = getattr(self, "on_" + type(record.command).__name__)
        try:
            handle(record.actor, record.command)
        except RefusedError as refused:
            reason, limit, actual, unit = refused.row
            order_id = limit if unit == "OrderId" else 0
            self.emit("rejected", (reason, limit, actual, unit), order_id, record.command)
        return self.events

    # Who may

    def may(self, actor: int, command: c.Command, account_id: int | None = None) -> None:
        """Raise unless the actor may; for an account's owner with the right of clients, too."""
        role = self.users[actor][1] if 0 <= actor < len(self.users) else 0
        kind = type(command)
        everywhere = {ADMIN, SUPER_ADMIN, SYSTEM}
        if kind is c.Tick:
            allowed = role not in (0, COMPLIANCE)
        elif kind is c.SetRole:
            allowed = role in (SUPER_ADMIN, SYSTEM)
        elif kind in NOBODYS:
            allowed = role == SYSTEM
        elif kind in OWNERS and role in (CLIENT, BROKER, MASTER):
            allowed = account_id is not None and self.accounts[account_id].owner == actor
        else:
            allowed = role in everywhere
        if not allowed:
            raise RefusedError("access.denied")

    def account(self, account_id: int) -> NaiveAccount:
        if not 0 <= account_id < len(self.accounts):
            raise RefusedError("account.unknown")
        return self.accounts[account_id]

    def listing(self, instrument: int) -> Listing:
        if not 0 <= instrument < len(self.listings):
            raise RefusedError("instrument.unknown")
        return self.listings[instrument]

    # Orders

    def on_PlaceOrder(self, actor: int, command: c.PlaceOrder) -> None:  # noqa: N802
        self.account(command.account)
        self.may(actor, command, command.account)
        self.listing(command.instrument)
        self.check_client_id(command)
        hold = self.check_order(command, 0, 0)
        self.accept(command, hold)

    def new_order(self, command: c.PlaceOrder, order_id: int = 0) -> NaiveOrder:
        account = self.accounts[command.account]
        fees = self.listings[command.instrument].fees
        maker_ppm, taker_ppm = fees[min(account.tier, len(fees) - 1)]
        limit = command.limit
        if command.type == MARKET_TO_LIMIT:
            limit = self.best(command.instrument, SELL if command.side == BUY else BUY)
        return NaiveOrder(
            order_id=order_id,
            account=command.account,
            owner=account.owner,
            instrument=command.instrument,
            side=command.side,
            type=command.type,
            tif=command.tif,
            limit=limit,
            quantity=command.quantity,
            display=command.display,
            expires=command.expires,
            is_post_only=command.is_post_only,
            stp=command.stp,
            client_order_id=command.client_order_id,
            maker_ppm=maker_ppm,
            taker_ppm=taker_ppm,
            leaves=command.quantity,
        )

    def accept(self, command: c.PlaceOrder, hold: int) -> None:
        self.orders_seen += 1
        order = self.new_order(command, self.orders_seen)
        if command.client_order_id:
            used = self.accounts[command.account].used
            used[command.client_order_id] = (order.order_id, self.ts, terms_of(command))
            live = {order.order_id for order in self.orders}
            for client_order_id, (first, ts, _) in list(used.items()):
                if ts > self.ts - DAY_NS or first in live:
                    break
                del used[client_order_id]
        self.emit("order.accepted", order.order_id, order.limit, hold, command)
        self.orders.append(order)
        self.enter(order)
        due = self.session_end(order.instrument) if order.tif == DAY else order.expires
        if due and order.rank is not None:
            self.timers_seen += 1
            order.due, order.timer = due, self.timers_seen

    def check_client_id(self, command: c.PlaceOrder) -> None:
        if not command.client_order_id:
            return
        if not is_identifier(command.client_order_id, 36):
            raise RefusedError("order.client_id_invalid")
        known = self.accounts[command.account].used.get(command.client_order_id)
        if known is not None:
            order_id, _, terms = known
            same = terms == terms_of(command)
            reason = "order.exists" if same else "order.exists_with_different_fields"
            raise RefusedError(reason, order_id, order_id, "OrderId")

    def check_order(self, command: c.PlaceOrder, freed: int, replaced: int) -> int:
        """The hold of a new order; raises the first reason against it."""
        account, listing = self.accounts[command.account], self.listings[command.instrument]
        if account.is_suspended:
            raise RefusedError("access.suspended")
        if not listing.is_open:
            raise RefusedError("market.halted")
        self.check_terms(command)
        self.check_size(account, listing, command.quantity)
        count = sum(order.account == command.account for order in self.orders)
        if not account.is_exempt and count - replaced >= account.open_orders_max:
            raise RefusedError("risk.open_orders", account.open_orders_max, count, "int")
        other = SELL if command.side == BUY else BUY
        if command.type != LIMIT and not self.best(command.instrument, other):
            raise RefusedError("market.no_liquidity")
        order = self.new_order(command)
        if order.limit:
            self.check_price(account, order, order.limit)
        value = order.limit * order.quantity * listing.unit
        if command.type == MARKET or command.tif == FOK:
            lots, cost = self.would_trade(order)
            if command.tif == FOK and lots < command.quantity:
                raise RefusedError("order.fok_unfillable", lots, command.quantity, "Lots")
            value = cost if command.type == MARKET else value
        if value or command.type != MARKET:
            self.check_notional(account, listing, value)
        dearer = max(order.maker_ppm, order.taker_ppm) if command.type != MARKET else order.taker_ppm
        needed = value + fee_of([(value, dearer)])
        if command.side == SELL:
            needed = command.quantity * listing.lot_minor
        self.check_funds(order, needed, freed)
        return needed

    def check_terms(self, command: c.PlaceOrder) -> None:
        if command.side not in (BUY, SELL):
            raise RefusedError("order.side_invalid", 0, command.side, "int")
        if command.stp not in (1, 2, 3, 4, 5):
            raise RefusedError("order.stp_invalid", 5, command.stp, "int")
        if command.type == LIMIT:
            if command.limit == 0:
                raise RefusedError("order.limit_missing")
            if not 0 < command.limit <= TICKS_MAX:
                raise RefusedError("order.limit_range", TICKS_MAX, command.limit, "Ticks")
            times, shown_limit = (1, 2, 3, 4, 5), GTD
        elif command.type in (MARKET, MARKET_TO_LIMIT):
            if command.limit:
                raise RefusedError("order.limit_not_allowed", 0, command.limit, "Ticks")
            times, shown_limit = ((1, 2, 3), IOC) if command.type == MARKET else ((1, 4, 5), 1)
        else:
            raise RefusedError("order.type_invalid", MARKET_TO_LIMIT, command.type, "int")
        if command.tif not in times:
            raise RefusedError("order.tif_invalid", shown_limit, command.tif, "int")
        self.check_extras(command)

    def check_extras(self, command: c.PlaceOrder) -> None:
        rests = command.type == LIMIT and command.tif not in (IOC, FOK)
        if command.display and not (rests and 0 < command.display < command.quantity):
            raise RefusedError("order.display_invalid", command.quantity, command.display, "Lots")
        if command.is_post_only and not rests:
            raise RefusedError("order.post_only_invalid")
        if (command.tif == GTD) != bool(command.expires):
            raise RefusedError("order.expiry_invalid", 0, command.expires, "Nanos")
        horizon = self.ts + 366 * DAY_NS
        if command.expires and not self.ts < command.expires <= horizon:
            raise RefusedError("order.expiry_invalid", horizon, command.expires, "Nanos")
        if command.expires % 1_000:
            raise RefusedError("order.expiry_invalid", 0, command.expires, "Nanos")

    def check_size(self, account: NaiveAccount, listing: Listing, quantity: int) -> None:
        if not 0 < quantity <= 1 << 50:
            raise RefusedError("order.quantity_range", 1 << 50, quantity, "Lots")
        low, high = listing.rules["quantity_min"], listing.rules["quantity_max"]
        if not account.is_exempt and quantity < low:
            raise RefusedError("order.quantity_min", low, quantity, "Lots")
        if not account.is_exempt and high and quantity > high:
            raise RefusedError("order.quantity_max", high, quantity, "Lots")

    def check_price(self, account: NaiveAccount, order: NaiveOrder, limit: int) -> None:
        if not 0 < limit <= TICKS_MAX:
            raise RefusedError("order.limit_range", TICKS_MAX, limit, "Ticks")
        low, high = self.band(order.instrument)
        if not account.is_exempt and limit < low:
            raise RefusedError("market.price_band", low, limit, "Ticks")
        if not account.is_exempt and limit > high:
            raise RefusedError("market.price_band", high, limit, "Ticks")
        best = self.best(order.instrument, SELL if order.side == BUY else BUY)
        crosses = best and (limit >= best if order.side == BUY else limit <= best)
        if order.is_post_only and crosses:
            raise RefusedError("order.post_only_would_take", best, limit, "Ticks")

    def check_notional(self, account: NaiveAccount, listing: Listing, value: int) -> None:
        low, high = listing.rules["notional_min"], listing.rules["notional_max"]
        if not account.is_exempt and value < low:
            raise RefusedError("risk.notional_min", low, value, "Minor:quote")
        if not account.is_exempt and high and value > high:
            raise RefusedError("risk.notional_max", high, value, "Minor:quote")

    def check_funds(self, order: NaiveOrder, needed: int, freed: int) -> None:
        listing = self.listings[order.instrument]
        asset = listing.quote if order.side == BUY else listing.base
        available = self.available(order.account, asset) + freed
        if available < needed:
            unit = "Minor:quote" if order.side == BUY else "Minor:base"
            raise RefusedError("funds.insufficient", available, needed, unit)

    def find(
        self, account: int, order_id: int, client_order_id: str = "", instrument: int = -1
    ) -> NaiveOrder:
        wanted = order_id
        if not order_id and client_order_id:
            wanted = self.accounts[account].used.get(client_order_id, (0,))[0]
        for order in self.orders:
            if order.order_id == wanted and order.account == account and instrument in (-1, order.instrument):
                return order
        raise RefusedError("order.unknown", 0, order_id, "OrderId")

    def on_CancelOrder(self, actor: int, command: c.CancelOrder) -> None:  # noqa: N802
        self.account(command.account)
        self.may(actor, command, command.account)
        self.take_out(self.find(command.account, command.order_id, command.client_order_id), CANCELED)

    def on_CancelAll(self, actor: int, command: c.CancelAll) -> None:  # noqa: N802
        self.account(command.account)
        self.may(actor, command, command.account)
        if command.instrument != -1:
            self.listing(command.instrument)
        if command.side not in (0, BUY, SELL):
            raise RefusedError("order.side_invalid", 0, command.side, "int")
        self.cancel_matching(command.account, command.instrument, command.side, CANCELED)

    def cancel_matching(self, account: int, instrument: int, side: int, reason: int) -> None:
        for order in list(self.orders):
            if order.account == account and instrument in (-1, order.instrument) and side in (0, order.side):
                self.take_out(order, reason)

    def on_ExpireOrder(self, actor: int, command: c.ExpireOrder) -> None:  # noqa: N802
        self.may(actor, command)
        for order in self.orders:
            if order.order_id == command.order_id:
                self.take_out(order, EXPIRED)
                return
        raise RefusedError("order.unknown", 0, command.order_id, "OrderId")

    def on_ModifyOrder(self, actor: int, command: c.ModifyOrder) -> None:  # noqa: N802
        account = self.account(command.account)
        self.may(actor, command, command.account)
        order = self.find(command.account, command.order_id, command.client_order_id, command.instrument)
        listing = self.listings[order.instrument]
        quantity, limit = command.quantity or order.quantity, command.limit or order.limit
        if (quantity, limit) == (order.quantity, order.limit):
            raise RefusedError("order.nothing_to_change")
        if account.is_suspended:
            raise RefusedError("access.suspended")
        if not listing.is_open:
            raise RefusedError("market.halted")
        self.check_size(account, listing, quantity)
        leaves = quantity - order.filled
        if leaves <= 0:
            raise RefusedError("order.quantity_below_filled", order.filled, quantity, "Lots")
        if limit != order.limit:
            self.check_price(account, order, limit)
        self.check_notional(account, listing, limit * quantity * listing.unit)
        self.check_funds(order, self.hold_for(order, leaves, limit), self.hold(order))
        keeps_place = limit == order.limit and quantity < order.quantity
        old_limit = order.limit
        order.quantity, order.leaves, order.limit = quantity, leaves, limit
        if keeps_place:
            order.shown = min(order.shown, leaves)
            self.emit_modified(order, kept_priority=True)
            self.emit_level(order)
            return
        order.rank = None
        self.emit_modified(order, kept_priority=False)
        shown, count = self.level(order.instrument, order.side, old_limit)
        self.emit("book.level", order.instrument, order.side, old_limit, shown, count)
        self.enter(order)

    def on_ReplaceOrder(self, actor: int, command: c.ReplaceOrder) -> None:  # noqa: N802
        self.account(command.account)
        self.may(actor, command, command.account)
        try:
            order = self.find(command.account, command.order_id, "", command.instrument)
        except RefusedError:
            self.check_repeated(command)
            raise
        wanted = c.PlaceOrder(
            command.account,
            order.instrument,
            order.side,
            LIMIT,
            command.quantity,
            command.limit or order.limit,
            order.tif,
            order.display if order.display < command.quantity else 0,
            order.expires,
            order.is_post_only,
            order.stp,
            command.new_client_order_id,
        )
        self.check_client_id(wanted)
        hold = self.check_order(wanted, self.hold(order), 1)
        self.take_out(order, REPLACED)
        self.accept(wanted, hold)

    def check_repeated(self, command: c.ReplaceOrder) -> None:
        """A replacement under an id in use is answered with the order of that id."""
        known = self.accounts[command.account].used.get(command.new_client_order_id)
        if known is not None:
            order_id, _, terms = known
            made = dict(zip(TERM_NAMES, terms, strict=True))
            asked = (command.quantity, command.limit or made["limit"])
            same = asked == (made["quantity"], made["limit"])
            reason = "order.exists" if same else "order.exists_with_different_fields"
            raise RefusedError(reason, order_id, order_id, "OrderId")

    def session_end(self, instrument: int) -> int:
        """Try every close of the next nine days, by the calendar."""
        rules = self.listings[instrument].rules
        opens, closes, days = rules["session_open"], rules["session_close"] or DAY_NS, rules["session_days"]
        today = self.ts // DAY_NS
        for day in range(today - 1, today + 9):  # the day on which the session begins
            end = day * DAY_NS + closes + (DAY_NS if closes <= opens else 0)
            if days >> (day + 3) % 7 & 1 and end > self.ts:
                return end
        return (today + 1) * DAY_NS


def terms_of(command: c.PlaceOrder) -> tuple[Any, ...]:
    return tuple(getattr(command, name) for name in TERM_NAMES)
