"""Role x command: who may send what, and on whose accounts."""

from __future__ import annotations

from typing import Final

from exchange.core.commands import (
    AmendInstrument,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    ExpireOrder,
    HaltInstrument,
    ListAsset,
    ListInstrument,
    ModifyOrder,
    OpenAccount,
    PlaceOrder,
    RegisterUser,
    ReplaceOrder,
    ResetAccount,
    ResumeInstrument,
    SetAccountLimits,
    SetFeeTier,
    SetRole,
    Skip,
    SuspendAccount,
    Tick,
    Transfer,
    Withdraw,
)
from exchange.core.messages import Reject
from exchange.core.state.ledger import Account
from exchange.core.state.root import State
from exchange.core.terms import (
    ROLE_ADMIN,
    ROLE_BROKER,
    ROLE_CLIENT,
    ROLE_COMPLIANCE,
    ROLE_MASTER,
    ROLE_SUPER_ADMIN,
    ROLE_SYSTEM,
)

OWN: Final = 1  # on accounts the actor owns
ANY: Final = 2  # on every account, or on the exchange as a whole

TRADING: Final[tuple[type[Command], ...]] = (
    PlaceOrder,
    CancelOrder,
    ModifyOrder,
    ReplaceOrder,
    CancelAll,
)
FUNDS: Final[tuple[type[Command], ...]] = (Deposit, Withdraw, Transfer)
OPERATIONS: Final[tuple[type[Command], ...]] = (
    ListAsset,
    ListInstrument,
    AmendInstrument,
    HaltInstrument,
    ResumeInstrument,
    RegisterUser,
    SuspendAccount,
    SetAccountLimits,
    SetFeeTier,
)
ENGINE: Final[tuple[type[Command], ...]] = (ExpireOrder, Skip)


def _rights() -> dict[int, dict[type[Command], int]]:
    client = dict.fromkeys((*TRADING, *FUNDS, OpenAccount, ResetAccount), OWN)
    client[Tick] = ANY
    admin = dict.fromkeys((*TRADING, *FUNDS, OpenAccount, ResetAccount, *OPERATIONS, Tick), ANY)
    return {
        ROLE_CLIENT: client,
        ROLE_BROKER: client,
        ROLE_MASTER: client,
        ROLE_ADMIN: admin,
        ROLE_SUPER_ADMIN: {**admin, SetRole: ANY},
        ROLE_COMPLIANCE: {},
        ROLE_SYSTEM: {**admin, SetRole: ANY, **dict.fromkeys(ENGINE, ANY)},
    }


RIGHTS: Final = _rights()


def right(state: State, actor: int, kind: type[Command]) -> int:
    """0, OWN or ANY."""
    user = state.user(actor)
    return 0 if user is None else RIGHTS[user.role].get(kind, 0)


def may_act(state: State, actor: int, kind: type[Command], account: Account) -> bool:
    """May the actor send this kind of command for this account?"""
    granted = right(state, actor, kind)
    return granted == ANY or (granted == OWN and account.owner == actor)


def owns(state: State, actor: int, account: Account) -> bool:
    """The short way for the commands of nearly every record: the owner, unless he may only look."""
    return account.owner == actor and state.users[actor].role != ROLE_COMPLIANCE


def operate(state: State, actor: int, kind: type[Command]) -> Reject | None:
    """For commands about the exchange as a whole."""
    return None if right(state, actor, kind) == ANY else Reject("access.denied")
