"""Every command.  The hot ones stand in ``messages``; the cold ones here.

``COMMANDS`` gives each its number in the journal and its name on the wire; numbers are never
reused.  A field is never added without a codec upgrade and a golden row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.core.messages import CancelOrder, Command, ModifyOrder, PlaceOrder, ReplaceOrder
from exchange.core.slotted import message
from exchange.core.terms import (
    CLIENT,
    ROLE_CLIENT,
    AccountId,
    AccountKind,
    AssetId,
    InstrumentId,
    OrderId,
    Role,
    Side,
    UserId,
)
from exchange.core.units import OPEN_ORDERS_MAX, Minor, Nanos

__all__ = [
    "COMMANDS",
    "KINDS",
    "AmendInstrument",
    "CancelAll",
    "CancelOrder",
    "Command",
    "Deposit",
    "ExpireOrder",
    "HaltInstrument",
    "ListAsset",
    "ListInstrument",
    "ModifyOrder",
    "OpenAccount",
    "PlaceOrder",
    "RegisterUser",
    "ReplaceOrder",
    "ResetAccount",
    "ResumeInstrument",
    "SetAccountLimits",
    "SetFeeTier",
    "SetRole",
    "Skip",
    "SuspendAccount",
    "Tick",
    "Transfer",
    "Withdraw",
    "command_of",
    "row_of",
]


@message
class CancelAll(Command):
    """Cancel the account's open orders; instrument and side narrow it.  -1 / 0 mean any."""

    account: AccountId
    instrument: InstrumentId = -1
    side: Side = 0


@message
class ListAsset(Command):
    """exponent: decimals of the smallest unit."""

    symbol: str
    exponent: int


@message
class ListInstrument(Command):
    """Open a central book.

    tick size = tick_units / 10**price_decimals, lot size = lot_units / 10**quantity_decimals,
    one lot stands for multiplier times the lot size.  fees: (maker, taker) ppm per tier.
    quantity_* are lots, notional_* quote minor units, reference ticks; all plain integers on the
    wire.  band_ppm, reference, *_max: 0 means none.  Sessions are nanoseconds of the UTC day
    (close <= open: it ends on the next day); days: bit 0 is Monday.
    """

    symbol: str
    name: str
    venue: str
    base: AssetId
    quote: AssetId
    tick_units: int
    price_decimals: int
    lot_units: int
    quantity_decimals: int
    multiplier: int = 1
    fees: tuple[tuple[int, int], ...] = ((0, 0),)
    quantity_min: int = 1
    quantity_max: int = 0
    notional_min: int = 0
    notional_max: int = 0
    band_ppm: int = 0
    reference: int = 0
    session_open: int = 0
    session_close: int = 0
    session_days: int = 127


@message
class AmendInstrument(Command):
    """Change what may change while orders rest; same meaning as in ``ListInstrument``."""

    instrument: InstrumentId
    fees: tuple[tuple[int, int], ...]
    quantity_min: int
    quantity_max: int
    notional_min: int
    notional_max: int
    band_ppm: int
    reference: int
    session_open: int
    session_close: int
    session_days: int


@message
class HaltInstrument(Command):
    instrument: InstrumentId
    reason: str = ""


@message
class ResumeInstrument(Command):
    instrument: InstrumentId


@message
class RegisterUser(Command):
    name: str
    role: Role = ROLE_CLIENT


@message
class SetRole(Command):
    user: UserId
    role: Role


@message
class OpenAccount(Command):
    """name: unique in the exchange.   is_exempt: instrument and open-order limits do not apply."""

    name: str
    owner: UserId
    kind: AccountKind = CLIENT
    is_exempt: bool = False


@message
class SuspendAccount(Command):
    """is_suspended False lifts it.  Open orders stay; cancels stay allowed."""

    account: AccountId
    is_suspended: bool = True
    reason: str = ""


@message
class SetAccountLimits(Command):
    account: AccountId
    open_orders_max: int = OPEN_ORDERS_MAX
    is_exempt: bool = False


@message
class SetFeeTier(Command):
    account: AccountId
    tier: int


@message
class Deposit(Command):
    """Money from outside.  reference: free text for the statement."""

    account: AccountId
    asset: AssetId
    amount: Minor
    reference: str = ""


@message
class Withdraw(Command):
    account: AccountId
    asset: AssetId
    amount: Minor
    reference: str = ""


@message
class Transfer(Command):
    source: AccountId
    target: AccountId
    asset: AssetId
    amount: Minor
    reference: str = ""


@message
class ResetAccount(Command):
    """Cancel every order, send every balance outside, start the next epoch; history stays."""

    account: AccountId


@message
class Tick(Command):
    """Nothing but the passing of time: fires due timers."""


@message
class ExpireOrder(Command):
    """Held by a timer; GTD and DAY orders."""

    order_id: OrderId
    due: Nanos = 0


@message
class Skip(Command):
    """A journal record an operator has marked as poison; changes nothing."""

    reason: str = ""


COMMANDS: dict[int, tuple[str, type[Command]]] = {
    1: ("order.place", PlaceOrder),
    2: ("order.cancel", CancelOrder),
    3: ("order.modify", ModifyOrder),
    4: ("order.replace", ReplaceOrder),
    5: ("order.cancel_all", CancelAll),
    6: ("order.expire", ExpireOrder),
    10: ("asset.list", ListAsset),
    11: ("instrument.list", ListInstrument),
    12: ("instrument.amend", AmendInstrument),
    13: ("instrument.halt", HaltInstrument),
    14: ("instrument.resume", ResumeInstrument),
    20: ("user.register", RegisterUser),
    21: ("user.set_role", SetRole),
    30: ("account.open", OpenAccount),
    31: ("account.suspend", SuspendAccount),
    32: ("account.set_limits", SetAccountLimits),
    33: ("account.set_fee_tier", SetFeeTier),
    34: ("account.reset", ResetAccount),
    40: ("funds.deposit", Deposit),
    41: ("funds.withdraw", Withdraw),
    42: ("funds.transfer", Transfer),
    90: ("clock.tick", Tick),
    91: ("journal.skip", Skip),
}


POSITIONAL = (1, 2, 3, 4)  # hand-written classes take their fields by position, which is four times faster
KINDS: dict[type[Command], int] = {cls: kind for kind, (_, cls) in COMMANDS.items()}


def row_of(command: Command) -> list[Any]:
    """Field values in the order of ``FIELDS``."""
    return [getattr(command, name) for name, _ in command.FIELDS]


def command_of(kind: int, row: Sequence[Any]) -> Command:
    """The command of a journal row.  Raises KeyError for an unknown kind."""
    cls = COMMANDS[kind][1]
    if kind in POSITIONAL and len(row) == len(cls.FIELDS):
        return cls(*row)
    values = {name: _tuple(value) for (name, _), value in zip(cls.FIELDS, row, strict=True)}
    return cls(**values)


def _tuple(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_tuple(item) for item in value)
    return value
