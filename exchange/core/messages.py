"""What goes into the engine and what comes out: the base classes and the hot messages.

Everything on the path of an order is a hand-written native class here (a dataclass costs more
than half of the compiled throughput).  The many cold messages are in ``commands`` and
``events``.  ``FIELDS`` names each field with its kind; the codec needs nothing else.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from mypy_extensions import mypyc_attr

from exchange.core.terms import GTC, STP_CANCEL_NEWEST
from exchange.core.units import Lots, Minor, Nanos, Ticks

Fields: TypeAlias = tuple[tuple[str, str], ...]


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Command:
    """Someone asks.  The only input of the engine, the wire message and the journal row."""

    __slots__ = ()
    FIELDS: ClassVar[Fields] = ()


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Event:
    """It happened.  The only output of the engine; never edited later."""

    __slots__ = ()
    FIELDS: ClassVar[Fields] = ()


@mypyc_attr(acyclic=True, free_list_len=1)
class Record:
    """One command with its place and time in the one log.

    cause: sequence number of the record that led to this one, 0 if a user did.
    """

    __slots__ = ("actor", "cause", "command", "seq", "ts")

    def __init__(self, seq: int, ts: Nanos, actor: int, command: Command, cause: int = 0) -> None:
        self.seq = seq
        self.ts = ts
        self.actor = actor
        self.command = command
        self.cause = cause


@mypyc_attr(acyclic=True)
class Reject:
    """Why a command is refused: the most specific reason, the limit and the actual value.

    unit: kind of both values as in ``FIELDS``, "" if the reason has none.
    """

    __slots__ = ("actual", "limit", "reason", "unit")

    def __init__(self, reason: str, limit: int = 0, actual: int = 0, unit: str = "") -> None:
        self.reason = reason
        self.limit = limit
        self.actual = actual
        self.unit = unit


@mypyc_attr(acyclic=True, free_list_len=1)
class PlaceOrder(Command):
    """FIX 35=D.  limit, display, expires: 0 means none.  client_order_id: "" means none."""

    __slots__ = (
        "account",
        "client_order_id",
        "display",
        "expires",
        "instrument",
        "is_post_only",
        "limit",
        "quantity",
        "side",
        "stp",
        "tif",
        "type",
    )
    FIELDS: ClassVar[Fields] = (
        ("account", "AccountId"),
        ("instrument", "InstrumentId"),
        ("side", "Side"),
        ("type", "OrderType"),
        ("quantity", "Lots"),
        ("limit", "Ticks"),
        ("tif", "TimeInForce"),
        ("display", "Lots"),
        ("expires", "Nanos"),
        ("is_post_only", "bool"),
        ("stp", "SelfTrade"),
        ("client_order_id", "str"),
    )

    def __init__(
        self,
        account: int,
        instrument: int,
        side: int,
        type: int,
        quantity: Lots,
        limit: Ticks = 0,
        tif: int = GTC,
        display: Lots = 0,
        expires: Nanos = 0,
        is_post_only: bool = False,
        stp: int = STP_CANCEL_NEWEST,
        client_order_id: str = "",
    ) -> None:
        self.account = account
        self.instrument = instrument
        self.side = side
        self.type = type
        self.quantity = quantity
        self.limit = limit
        self.tif = tif
        self.display = display
        self.expires = expires
        self.is_post_only = is_post_only
        self.stp = stp
        self.client_order_id = client_order_id


@mypyc_attr(acyclic=True, free_list_len=1)
class CancelOrder(Command):
    """FIX 35=F.  Names the order by engine id or, if that is 0, by client order id."""

    __slots__ = ("account", "client_order_id", "order_id")
    FIELDS: ClassVar[Fields] = (
        ("account", "AccountId"),
        ("order_id", "OrderId"),
        ("client_order_id", "str"),
    )

    def __init__(self, account: int, order_id: int = 0, client_order_id: str = "") -> None:
        self.account = account
        self.order_id = order_id
        self.client_order_id = client_order_id


@mypyc_attr(acyclic=True)
class ModifyOrder(Command):
    """FIX 35=G keeping the order id; priority stays when only the quantity shrinks.

    quantity: new total, filled part included; 0 leaves it.   limit: 0 leaves it.
    instrument: what the numbers are steps of; -1 trusts the order.
    """

    __slots__ = ("account", "client_order_id", "instrument", "limit", "order_id", "quantity")
    FIELDS: ClassVar[Fields] = (
        ("account", "AccountId"),
        ("order_id", "OrderId"),
        ("client_order_id", "str"),
        ("quantity", "Lots"),
        ("limit", "Ticks"),
        ("instrument", "InstrumentId"),
    )

    def __init__(
        self,
        account: int,
        order_id: int = 0,
        client_order_id: str = "",
        quantity: Lots = 0,
        limit: Ticks = 0,
        instrument: int = -1,
    ) -> None:
        self.instrument = instrument
        self.account = account
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.quantity = quantity
        self.limit = limit


@mypyc_attr(acyclic=True, free_list_len=1)
class ReplaceOrder(Command):
    """Cancel-replace in one step: the order ends and a new one with this quantity takes the back.

    quantity: of the new order.   limit: of the new order; 0 keeps the old one.
    instrument: what the numbers are steps of; -1 trusts the order.
    """

    __slots__ = ("account", "instrument", "limit", "new_client_order_id", "order_id", "quantity")
    FIELDS: ClassVar[Fields] = (
        ("account", "AccountId"),
        ("order_id", "OrderId"),
        ("quantity", "Lots"),
        ("limit", "Ticks"),
        ("new_client_order_id", "str"),
        ("instrument", "InstrumentId"),
    )

    def __init__(
        self,
        account: int,
        order_id: int,
        quantity: Lots,
        limit: Ticks = 0,
        new_client_order_id: str = "",
        instrument: int = -1,
    ) -> None:
        self.instrument = instrument
        self.account = account
        self.order_id = order_id
        self.quantity = quantity
        self.limit = limit
        self.new_client_order_id = new_client_order_id


@mypyc_attr(acyclic=True, free_list_len=1)
class OrderAccepted(Event):
    """FIX 150=0.  order: the command as asked.   limit: the effective one, 0 for market orders.
    hold: what was checked and set aside, in the quote asset for a buy, the base asset for a sell."""

    __slots__ = ("hold", "limit", "order", "order_id")
    FIELDS: ClassVar[Fields] = (
        ("order_id", "OrderId"),
        ("limit", "Ticks"),
        ("hold", "Minor:hold"),
        ("order", "Order"),
    )

    def __init__(self, order_id: int, limit: Ticks, hold: Minor, order: PlaceOrder) -> None:
        self.order_id = order_id
        self.limit = limit
        self.hold = hold
        self.order = order


@mypyc_attr(acyclic=True, free_list_len=1)
class Traded(Event):
    """One fill of two orders, FIX 150=F on both sides.  The price is the maker's.

    maker_leaves, taker_leaves: remaining after this fill.  Fees are in the quote asset.
    """

    __slots__ = (
        "instrument",
        "maker_account",
        "maker_fee",
        "maker_leaves",
        "maker_order_id",
        "price",
        "quantity",
        "taker_account",
        "taker_fee",
        "taker_leaves",
        "taker_order_id",
        "taker_side",
        "trade_id",
    )
    FIELDS: ClassVar[Fields] = (
        ("trade_id", "TradeId"),
        ("instrument", "InstrumentId"),
        ("price", "Ticks"),
        ("quantity", "Lots"),
        ("taker_side", "Side"),
        ("maker_order_id", "OrderId"),
        ("maker_account", "AccountId"),
        ("maker_fee", "Minor:quote"),
        ("maker_leaves", "Lots"),
        ("taker_order_id", "OrderId"),
        ("taker_account", "AccountId"),
        ("taker_fee", "Minor:quote"),
        ("taker_leaves", "Lots"),
    )

    def __init__(
        self,
        trade_id: int,
        instrument: int,
        price: Ticks,
        quantity: Lots,
        taker_side: int,
        maker_order_id: int,
        maker_account: int,
        maker_fee: Minor,
        maker_leaves: Lots,
        taker_order_id: int,
        taker_account: int,
        taker_fee: Minor,
        taker_leaves: Lots,
    ) -> None:
        self.trade_id = trade_id
        self.instrument = instrument
        self.price = price
        self.quantity = quantity
        self.taker_side = taker_side
        self.maker_order_id = maker_order_id
        self.maker_account = maker_account
        self.maker_fee = maker_fee
        self.maker_leaves = maker_leaves
        self.taker_order_id = taker_order_id
        self.taker_account = taker_account
        self.taker_fee = taker_fee
        self.taker_leaves = taker_leaves


@mypyc_attr(acyclic=True, free_list_len=1)
class OrderDone(Event):
    """The order left the book for good.  leaves: what was not filled."""

    __slots__ = ("account", "instrument", "leaves", "order_id", "reason")
    FIELDS: ClassVar[Fields] = (
        ("order_id", "OrderId"),
        ("account", "AccountId"),
        ("instrument", "InstrumentId"),
        ("reason", "DoneReason"),
        ("leaves", "Lots"),
    )

    def __init__(self, order_id: int, account: int, instrument: int, reason: int, leaves: Lots) -> None:
        self.order_id = order_id
        self.account = account
        self.instrument = instrument
        self.reason = reason
        self.leaves = leaves


@mypyc_attr(acyclic=True, free_list_len=1)
class OrderModified(Event):
    """FIX 150=5.  quantity: new total, filled part included.   leaves: remaining."""

    __slots__ = (
        "account",
        "hold",
        "instrument",
        "kept_priority",
        "leaves",
        "limit",
        "order_id",
        "quantity",
        "side",
    )
    FIELDS: ClassVar[Fields] = (
        ("order_id", "OrderId"),
        ("account", "AccountId"),
        ("instrument", "InstrumentId"),
        ("side", "Side"),
        ("quantity", "Lots"),
        ("limit", "Ticks"),
        ("leaves", "Lots"),
        ("hold", "Minor:hold"),
        ("kept_priority", "bool"),
    )

    def __init__(
        self,
        order_id: int,
        account: int,
        instrument: int,
        side: int,
        quantity: Lots,
        limit: Ticks,
        leaves: Lots,
        hold: Minor,
        kept_priority: bool,
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.instrument = instrument
        self.side = side
        self.quantity = quantity
        self.limit = limit
        self.leaves = leaves
        self.hold = hold
        self.kept_priority = kept_priority


@mypyc_attr(acyclic=True, free_list_len=1)
class LevelChanged(Event):
    """A price level after the command, FIX 35=X.  quantity: displayed; 0 and 0 orders = gone."""

    __slots__ = ("instrument", "orders", "price", "quantity", "side")
    FIELDS: ClassVar[Fields] = (
        ("instrument", "InstrumentId"),
        ("side", "Side"),
        ("price", "Ticks"),
        ("quantity", "Lots"),
        ("orders", "int"),
    )

    def __init__(self, instrument: int, side: int, price: Ticks, quantity: Lots, orders: int) -> None:
        self.instrument = instrument
        self.side = side
        self.price = price
        self.quantity = quantity
        self.orders = orders


@mypyc_attr(acyclic=True)
class Rejected(Event):
    """The command changed nothing.  order_id: the first order for ``order.exists``, else 0."""

    __slots__ = ("command", "order_id", "reject")
    FIELDS: ClassVar[Fields] = (("reject", "Reject"), ("order_id", "OrderId"), ("command", "Command"))

    def __init__(self, reject: Reject, order_id: int, command: Command) -> None:
        self.reject = reject
        self.order_id = order_id
        self.command = command
