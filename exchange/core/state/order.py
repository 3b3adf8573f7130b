"""An order and the legal transitions of its status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional

from exchange.core.state.ledger import Account, Balance
from exchange.core.terms import (
    CANCELED,
    EXPIRED,
    FILLED,
    IOC_REMAINDER,
    NO_LIQUIDITY,
    REPLACED,
    RESET,
    SELF_TRADE,
)
from exchange.core.units import Lots, Minor, Nanos, Ppm, Ticks

if TYPE_CHECKING:
    from exchange.core.state.book import Book, Level

# Status of an order as its events tell it, FIX 39.  The core keeps only live orders; views fold
# these from OrderAccepted, Traded, OrderModified and OrderDone.
TRANSITIONS: Final[dict[str, tuple[str, ...]]] = {
    "new": ("new", "partially_filled", "filled", "canceled", "expired", "replaced"),
    "partially_filled": ("partially_filled", "filled", "canceled", "expired", "replaced"),
    "filled": (),
    "canceled": (),
    "expired": (),
    "replaced": (),
}
DONE_STATUS: Final[dict[int, str]] = {
    FILLED: "filled",
    CANCELED: "canceled",
    EXPIRED: "expired",
    IOC_REMAINDER: "canceled",
    NO_LIQUIDITY: "canceled",
    SELF_TRADE: "canceled",
    REPLACED: "replaced",
    RESET: "canceled",
}


class Order:
    """A live order.

    leaves: remaining lots, hidden part included.   shown: what the book displays of it.
    limit: 0 for a market order.   hold: minor units set aside now, quote for a buy, base for a sell.
    fee_numerator: sum of notional * ppm over the fills; fee_paid is its rounded-up share, so the
    fee of n fills is the fee of the whole.   timer: number of its expiry timer, 0 if none.
    """

    __slots__ = (
        "account",
        "base_balance",
        "book",
        "client_order_id",
        "display",
        "earlier",
        "expires",
        "fee_numerator",
        "fee_paid",
        "filled",
        "hold",
        "is_post_only",
        "later",
        "leaves",
        "level",
        "limit",
        "maker_ppm",
        "next",
        "order_id",
        "prev",
        "quantity",
        "quote_balance",
        "shown",
        "side",
        "stp",
        "taker_ppm",
        "tif",
        "timer",
        "ts",
        "type",
    )

    def __init__(
        self, order_id: int, account: Account, book: Book, side: int, limit: Ticks, quantity: Lots
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.book = book
        self.side = side
        self.limit: Ticks = limit
        self.quantity: Lots = quantity
        self.leaves: Lots = quantity
        self.shown: Lots = quantity
        self.filled: Lots = 0
        self.display: Lots = 0
        self.hold: Minor = 0
        self.fee_numerator = 0
        self.fee_paid: Minor = 0
        self.maker_ppm: Ppm = 0
        self.taker_ppm: Ppm = 0
        self.type = 2
        self.tif = 1
        self.stp = 1
        self.ts: Nanos = 0
        self.expires: Nanos = 0
        self.timer = 0
        self.is_post_only = False
        self.client_order_id = ""
        self.base_balance: Balance = account.balance(book.instrument.base)
        self.quote_balance: Balance = account.balance(book.instrument.quote)
        self.level: Optional[Level] = None
        self.prev: Optional[Order] = None
        self.next: Optional[Order] = None
        self.earlier: Optional[Order] = None
        self.later: Optional[Order] = None
