"""Users and accounts: register, role, open, suspend, limits, fee tier, reset."""

from __future__ import annotations

from exchange.core.commands import (
    OpenAccount,
    RegisterUser,
    ResetAccount,
    SetAccountLimits,
    SetFeeTier,
    SetRole,
    SuspendAccount,
)
from exchange.core.events import (
    AccountLimitsSet,
    AccountOpened,
    AccountReset,
    AccountSuspended,
    Event,
    FeeTierSet,
    RoleSet,
    UserRegistered,
)
from exchange.core.messages import Reject
from exchange.core.rules.access import ANY, may_act, operate, right
from exchange.core.rules.funds import send_home
from exchange.core.rules.orders import cancel_matching
from exchange.core.rules.text import is_identifier, is_plain
from exchange.core.state.root import State
from exchange.core.terms import CLIENT, HOUSE, RESET, ROLE_CLIENT, ROLE_COMPLIANCE, SYSTEM_USER
from exchange.core.units import (
    ACCOUNTS_MAX,
    FEE_TIERS_MAX,
    NAME_LENGTH_MAX,
    OPEN_ORDERS_MAX,
    TEXT_LENGTH_MAX,
    USERS_MAX,
)


def register(state: State, actor: int, command: RegisterUser, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, RegisterUser)
    if reject is not None:
        return reject
    if not is_identifier(command.name, NAME_LENGTH_MAX):
        return Reject("user.name_invalid", NAME_LENGTH_MAX, len(command.name), "int")
    if command.name in state.user_names:
        return Reject("user.name_taken")
    if not ROLE_CLIENT <= command.role <= ROLE_COMPLIANCE:
        return Reject("user.role_invalid", ROLE_COMPLIANCE, command.role, "int")
    if command.role != ROLE_CLIENT and right(state, actor, SetRole) != ANY:
        return Reject("access.denied")
    if len(state.users) >= USERS_MAX:
        return Reject("user.limit", USERS_MAX, len(state.users), "int")
    # From here on nothing can fail.
    user = state.add_user(command.name, command.role)
    out.append(UserRegistered(user=user.user_id, name=user.name, role=user.role))
    return None


def set_role(state: State, actor: int, command: SetRole, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, SetRole)
    if reject is not None:
        return reject
    user = state.user(command.user)
    if user is None or user.user_id == SYSTEM_USER:
        return Reject("user.unknown")
    if not ROLE_CLIENT <= command.role <= ROLE_COMPLIANCE:
        return Reject("user.role_invalid", ROLE_COMPLIANCE, command.role, "int")
    # From here on nothing can fail.
    user.role = command.role
    out.append(RoleSet(user=user.user_id, role=user.role))
    return None


def open_account(state: State, actor: int, command: OpenAccount, out: list[Event]) -> Reject | None:
    granted = right(state, actor, OpenAccount)
    if state.user(command.owner) is None:
        return Reject("user.unknown")
    is_plain_client = command.kind == CLIENT and not command.is_exempt
    if granted != ANY and not (granted and command.owner == actor and is_plain_client):
        return Reject("access.denied")
    if command.kind not in (CLIENT, HOUSE):
        return Reject("access.denied")
    if not is_identifier(command.name, NAME_LENGTH_MAX):
        return Reject("account.name_invalid", NAME_LENGTH_MAX, len(command.name), "int")
    if command.name in state.account_names:
        return Reject("account.name_taken")
    if len(state.accounts) >= ACCOUNTS_MAX:
        return Reject("account.limit", ACCOUNTS_MAX, len(state.accounts), "int")
    # From here on nothing can fail.
    account = state.add_account(command.name, command.owner, command.kind)
    account.is_exempt = command.is_exempt
    out.append(
        AccountOpened(account=account.account_id, name=account.name, owner=account.owner, kind=account.kind)
    )
    return None


def suspend(state: State, actor: int, command: SuspendAccount, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, SuspendAccount)
    if reject is not None:
        return reject
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not is_plain(command.reason, TEXT_LENGTH_MAX):
        return Reject("text.invalid", TEXT_LENGTH_MAX, len(command.reason), "int")
    # From here on nothing can fail.
    account.is_suspended = command.is_suspended
    out.append(
        AccountSuspended(account=account.account_id, is_suspended=account.is_suspended, reason=command.reason)
    )
    return None


def set_limits(state: State, actor: int, command: SetAccountLimits, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, SetAccountLimits)
    if reject is not None:
        return reject
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not 0 <= command.open_orders_max <= OPEN_ORDERS_MAX:
        return Reject("limits.invalid", OPEN_ORDERS_MAX, command.open_orders_max, "int")
    # From here on nothing can fail.
    account.open_orders_max = command.open_orders_max
    account.is_exempt = command.is_exempt
    out.append(
        AccountLimitsSet(
            account=account.account_id,
            open_orders_max=account.open_orders_max,
            is_exempt=account.is_exempt,
        )
    )
    return None


def set_fee_tier(state: State, actor: int, command: SetFeeTier, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, SetFeeTier)
    if reject is not None:
        return reject
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not 0 <= command.tier < FEE_TIERS_MAX:
        return Reject("fee.tier_unknown", FEE_TIERS_MAX - 1, command.tier, "int")
    # From here on nothing can fail.
    account.fee_tier = command.tier
    out.append(FeeTierSet(account=account.account_id, tier=account.fee_tier))
    return None


def reset(state: State, actor: int, command: ResetAccount, out: list[Event]) -> Reject | None:
    account = state.account(command.account)
    if account is None:
        return Reject("account.unknown")
    if not may_act(state, actor, ResetAccount, account) or account.owner == SYSTEM_USER:
        return Reject("access.denied")
    if account.is_suspended:  # a reset pays everything out
        return Reject("access.suspended")
    # From here on nothing can fail.
    cancel_matching(state, account, -1, 0, RESET, out)
    send_home(state, account, out)
    account.epoch += 1
    out.append(AccountReset(account=account.account_id, epoch=account.epoch))
    return None
