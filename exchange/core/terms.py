"""The field's terms as small integers and names, each with its FIX tag, and the reject reasons.

Hot modules compare plain ``Final`` integers: an ``IntEnum`` comparison costs a quarter of the
interpreted throughput.  The name tables below are what the wire and the screen show.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Side: TypeAlias = int
OrderType: TypeAlias = int
TimeInForce: TypeAlias = int
SelfTrade: TypeAlias = int
DoneReason: TypeAlias = int
MarketStatus: TypeAlias = int
AccountKind: TypeAlias = int
Role: TypeAlias = int

UserId: TypeAlias = int
AccountId: TypeAlias = int
AssetId: TypeAlias = int
InstrumentId: TypeAlias = int
OrderId: TypeAlias = int
TradeId: TypeAlias = int
Seq: TypeAlias = int

# Side, FIX 54
BUY: Final = 1
SELL: Final = 2
SIDES: Final = ("", "buy", "sell")

# Order type, FIX 40
MARKET: Final = 1
LIMIT: Final = 2
MARKET_TO_LIMIT: Final = 3  # FIX 40=K
ORDER_TYPES: Final = ("", "market", "limit", "market_to_limit")

# Time in force, FIX 59
GTC: Final = 1
IOC: Final = 2
FOK: Final = 3
DAY_ORDER: Final = 4
GTD: Final = 5
TIMES_IN_FORCE: Final = ("", "gtc", "ioc", "fok", "day", "gtd")

# Self-trade prevention, FIX 2964 SelfMatchPreventionInstruction
STP_CANCEL_NEWEST: Final = 1
STP_CANCEL_OLDEST: Final = 2
STP_CANCEL_BOTH: Final = 3
STP_DECREMENT: Final = 4
STP_NONE: Final = 5
SELF_TRADES: Final = (
    "",
    "cancel_newest",
    "cancel_oldest",
    "cancel_both",
    "decrement_and_cancel",
    "none",
)

# Why an order left the book, FIX 39 OrdStatus with 58 Text
FILLED: Final = 1
CANCELED: Final = 2
EXPIRED: Final = 3
IOC_REMAINDER: Final = 4
NO_LIQUIDITY: Final = 5
SELF_TRADE: Final = 6
REPLACED: Final = 7
RESET: Final = 8
DONE_REASONS: Final = (
    "",
    "filled",
    "canceled",
    "expired",
    "ioc_remainder",
    "no_liquidity",
    "self_trade",
    "replaced",
    "account_reset",
)

# Trading status of an instrument, FIX 326
OPEN: Final = 1
HALTED: Final = 2
MARKET_STATUSES: Final = ("", "open", "halted")

# What an account is for
CLIENT: Final = 1
HOUSE: Final = 2
FEES: Final = 3
EXTERNAL: Final = 4  # the outside world: its balance is minus everything ever paid in
ACCOUNT_KINDS: Final = ("", "client", "house", "fees", "external")

# Roles, least to most; the account tree arrives with the server
ROLE_CLIENT: Final = 1
ROLE_BROKER: Final = 2
ROLE_MASTER: Final = 3
ROLE_ADMIN: Final = 4
ROLE_SUPER_ADMIN: Final = 5
ROLE_COMPLIANCE: Final = 6
ROLE_SYSTEM: Final = 7
ROLES: Final = (
    "",
    "client",
    "broker",
    "master",
    "admin",
    "super_admin",
    "compliance",
    "system",
)

SYSTEM_USER: Final = 0
FEES_ACCOUNT: Final = 0
EXTERNAL_ACCOUNT: Final = 1
HOUSE_ACCOUNT: Final = 2

# Reject reasons, FIX 103 with 58 Text: `group.snake_case` on the wire, one sentence for people.
REASONS: Final[dict[str, str]] = {
    "access.denied": "your role does not allow this operation on this account",
    "access.suspended": "the account is suspended",
    "account.unknown": "there is no such account",
    "account.name_taken": "an account with this name exists",
    "account.name_invalid": "a name is 1 to 40 characters of letters, digits, '_', '-', '.', ':'",
    "account.limit": "the exchange holds its maximum number of accounts",
    "user.unknown": "there is no such user",
    "user.name_taken": "a user with this name exists",
    "user.name_invalid": "a name is 1 to 40 characters of letters, digits, '_', '-', '.', ':'",
    "user.limit": "the exchange holds its maximum number of users",
    "user.role_invalid": "there is no such role",
    "asset.unknown": "there is no such asset",
    "asset.exists": "an asset with this symbol exists",
    "asset.invalid": "an asset has a symbol of 1 to 40 characters and an exponent of 0 to 18",
    "asset.limit": "the exchange holds its maximum number of assets",
    "instrument.unknown": "there is no such instrument",
    "instrument.exists": "an instrument with this symbol is listed already",
    "instrument.invalid": "the listing has a field outside its range",
    "instrument.fractional_unit": "one tick times one lot must be a whole number of minor units",
    "instrument.limit": "the exchange holds its maximum number of instruments",
    "market.halted": "trading in this instrument is halted",
    "market.not_halted": "trading in this instrument is not halted",
    "market.price_band": "the limit price is outside the price band",
    "market.no_liquidity": "there is nothing on the other side of the book",
    "order.unknown": "there is no open order with this id in this account",
    "order.exists": "this client order id was used before with the same fields",
    "order.exists_with_different_fields": "this client order id was used before with other fields",
    "order.client_id_invalid": "a client order id is 1 to 36 letters, digits or '_', '-', '.', ':'",
    "order.side_invalid": "the side is neither buy nor sell",
    "order.type_invalid": "there is no such order type",
    "order.tif_invalid": "this time in force does not go with this order type",
    "order.stp_invalid": "there is no such self-trade prevention mode",
    "order.limit_missing": "a limit order needs a limit price",
    "order.limit_not_allowed": "a market order takes no limit price",
    "order.limit_range": "the limit price is outside the range of prices",
    "order.quantity_range": "the quantity is outside the range of quantities",
    "order.quantity_min": "the quantity is below the instrument's minimum",
    "order.quantity_max": "the quantity is above the instrument's maximum",
    "order.quantity_below_filled": "the new quantity is not above what is filled already",
    "order.display_invalid": "only a resting limit order displays a part, above zero and below its quantity",
    "order.expiry_invalid": "a GTD order, and no other, carries an expiry, at most 366 days ahead",
    "order.post_only_invalid": "post-only goes with resting limit orders only",
    "order.post_only_would_take": "the order would take liquidity at once",
    "order.fok_unfillable": "the whole quantity cannot be filled at once",
    "order.nothing_to_change": "the order already has this quantity and this limit",
    "risk.notional_min": "the order's value is below the instrument's minimum",
    "risk.notional_max": "the order's value is above the instrument's maximum",
    "risk.open_orders": "the account has its maximum number of open orders",
    "funds.insufficient": "the available balance is too small",
    "funds.amount_range": "the amount must be above zero and below the limit",
    "funds.same_account": "source and target are the same account",
    "fee.tier_unknown": "there is no such fee tier",
    "limits.invalid": "a limit must be at least zero and at most its maximum",
    "text.invalid": "the text is too long or has control characters",
}
