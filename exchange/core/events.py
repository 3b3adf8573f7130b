"""Every event.  The hot ones stand in ``messages``; the cold ones here.

``EVENTS`` gives each its number in the event digest and its name on the wire.
"""

from __future__ import annotations

from exchange.core.messages import (
    Event,
    LevelChanged,
    OrderAccepted,
    OrderDone,
    OrderModified,
    Rejected,
    Traded,
)
from exchange.core.slotted import message
from exchange.core.terms import AccountId, AccountKind, AssetId, InstrumentId, Role, Seq, UserId
from exchange.core.units import Minor

__all__ = [
    "EVENTS",
    "AccountLimitsSet",
    "AccountOpened",
    "AccountReset",
    "AccountSuspended",
    "AssetListed",
    "CommandSkipped",
    "Event",
    "FeeTierSet",
    "InstrumentAmended",
    "InstrumentHalted",
    "InstrumentListed",
    "InstrumentResumed",
    "LevelChanged",
    "OrderAccepted",
    "OrderDone",
    "OrderModified",
    "Rejected",
    "RoleSet",
    "Traded",
    "Transferred",
    "UserRegistered",
]


@message
class AssetListed(Event):
    asset: AssetId
    symbol: str
    exponent: int


@message
class InstrumentListed(Event):
    instrument: InstrumentId
    symbol: str


@message
class InstrumentAmended(Event):
    instrument: InstrumentId


@message
class InstrumentHalted(Event):
    instrument: InstrumentId
    reason: str


@message
class InstrumentResumed(Event):
    instrument: InstrumentId


@message
class UserRegistered(Event):
    user: UserId
    name: str
    role: Role


@message
class RoleSet(Event):
    user: UserId
    role: Role


@message
class AccountOpened(Event):
    account: AccountId
    name: str
    owner: UserId
    kind: AccountKind


@message
class AccountSuspended(Event):
    account: AccountId
    is_suspended: bool
    reason: str


@message
class AccountLimitsSet(Event):
    account: AccountId
    open_orders_max: int
    is_exempt: bool


@message
class FeeTierSet(Event):
    account: AccountId
    tier: int


@message
class Transferred(Event):
    """Money moved outside of trading; amount > 0.   kind: deposit, withdrawal, transfer, reset."""

    source: AccountId
    target: AccountId
    asset: AssetId
    amount: Minor
    kind: str
    reference: str


@message
class AccountReset(Event):
    """epoch: number of the history that starts now."""

    account: AccountId
    epoch: int


@message
class CommandSkipped(Event):
    seq: Seq
    reason: str


EVENTS: dict[int, tuple[str, type[Event]]] = {
    1: ("order.accepted", OrderAccepted),
    2: ("trade", Traded),
    3: ("order.done", OrderDone),
    4: ("order.modified", OrderModified),
    5: ("book.level", LevelChanged),
    6: ("rejected", Rejected),
    10: ("asset.listed", AssetListed),
    11: ("instrument.listed", InstrumentListed),
    12: ("instrument.amended", InstrumentAmended),
    13: ("instrument.halted", InstrumentHalted),
    14: ("instrument.resumed", InstrumentResumed),
    20: ("user.registered", UserRegistered),
    21: ("user.role_set", RoleSet),
    30: ("account.opened", AccountOpened),
    31: ("account.suspended", AccountSuspended),
    32: ("account.limits_set", AccountLimitsSet),
    33: ("account.fee_tier_set", FeeTierSet),
    34: ("account.reset", AccountReset),
    40: ("funds.transferred", Transferred),
    91: ("journal.skipped", CommandSkipped),
}
