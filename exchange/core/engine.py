"""The exchange as a function: one record in, the events it caused out.  All wiring is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Optional

from exchange.core.commands import (
    AmendInstrument,
    CancelAll,
    Command,
    Deposit,
    ExpireOrder,
    HaltInstrument,
    ListAsset,
    ListInstrument,
    OpenAccount,
    RegisterUser,
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
from exchange.core.events import CommandSkipped
from exchange.core.messages import (
    CancelOrder,
    Event,
    ModifyOrder,
    PlaceOrder,
    Record,
    Reject,
    Rejected,
    ReplaceOrder,
)
from exchange.core.rules import funds, listing, orders, users
from exchange.core.rules.access import operate
from exchange.core.state.root import State
from exchange.core.terms import SYSTEM_USER

ENGINE_VERSION: Final = 1  # raised by every release that changes the outcome of ``apply``
STEPS_MAX: Final = 1_000_000  # timers one record may fire beyond those that waited

Handler = Callable[[State, int, Any, list[Event]], Optional[Reject]]


def tick(state: State, actor: int, command: Tick, out: list[Event]) -> Reject | None:
    """The due timers have fired already."""
    return operate(state, actor, Tick)


def skip(state: State, actor: int, command: Skip, out: list[Event]) -> Reject | None:
    reject = operate(state, actor, Skip)
    if reject is None:
        out.append(CommandSkipped(seq=state.seq, reason=command.reason))
    return reject


HANDLERS: dict[type[Command], Handler] = {
    PlaceOrder: orders.place,
    CancelOrder: orders.cancel,
    ModifyOrder: orders.modify,
    ReplaceOrder: orders.replace,
    CancelAll: orders.cancel_all,
    ExpireOrder: orders.expire,
    ListAsset: listing.list_asset,
    ListInstrument: listing.list_instrument,
    AmendInstrument: listing.amend,
    HaltInstrument: listing.halt,
    ResumeInstrument: listing.resume,
    RegisterUser: users.register,
    SetRole: users.set_role,
    OpenAccount: users.open_account,
    SuspendAccount: users.suspend,
    SetAccountLimits: users.set_limits,
    SetFeeTier: users.set_fee_tier,
    ResetAccount: users.reset,
    Deposit: funds.deposit,
    Withdraw: funds.withdraw,
    Transfer: funds.transfer,
    Tick: tick,
    Skip: skip,
}


class Engine:
    """Owns the state; nothing else may change money, positions, orders or permissions."""

    __slots__ = ("state",)

    def __init__(self, state: State | None = None) -> None:
        if state is None:
            state = State()
            state.found()
        self.state = state

    def apply(self, record: Record) -> list[Event]:
        """The events of one record, due timers first.  A refused command ends in one ``Rejected``.

        Precondition: records come in sequence, their time never goes back.
        """
        state = self.state
        ts = record.ts
        assert record.seq == state.seq + 1
        state.seq = record.seq
        out: list[Event] = []
        if ts != state.ts:
            assert ts > state.ts
            state.ts = ts
            if state.timers.next_due <= ts:
                self._fire(ts, out)
        command = record.command
        reject: Optional[Reject]
        # The two commands of nearly every record skip the table: a call through it costs more
        # than a cancel.
        if isinstance(command, PlaceOrder):
            reject = orders.place(state, record.actor, command, out)
        elif isinstance(command, CancelOrder):
            reject = orders.cancel(state, record.actor, command, out)
        elif isinstance(command, ReplaceOrder):
            reject = orders.replace(state, record.actor, command, out)
        elif isinstance(command, ModifyOrder):
            reject = orders.modify(state, record.actor, command, out)
        else:
            reject = HANDLERS[type(command)](state, record.actor, command, out)
        if reject is not None:
            first = reject.limit if reject.unit == "OrderId" else 0
            out.append(Rejected(reject, first, command))
        return out

    def _fire(self, ts: int, out: list[Event]) -> None:
        timers = self.state.timers
        for _ in range(len(timers.commands) + STEPS_MAX):
            command = timers.pop_due(ts)
            if command is None:
                return
            reject = HANDLERS[type(command)](self.state, SYSTEM_USER, command, out)
            if reject is not None:
                out.append(Rejected(reject, 0, command))
        raise AssertionError("timers did not settle")
