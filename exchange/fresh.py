"""Exchanges in memory with a clock of their own: same commands in, same bytes out.

What ``tradecli run``, a headless day and the tests trade on; nothing of it reaches a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from exchange.client import Receipt, Update
from exchange.codec import EventDigest, state_digest
from exchange.config import LOCAL_USER
from exchange.core.engine import Engine
from exchange.core.messages import Command, Record, Rejected
from exchange.core.terms import SYSTEM_USER
from exchange.core.units import DAY, MICRO, SECOND, Nanos
from exchange.directory import Directory
from exchange.errors import DataError, NotFound
from exchange.founding import founding_commands, master_of

if TYPE_CHECKING:
    from exchange.adapters.feeds.day import DayResult
    from exchange.config import Config
    from exchange.core.state.root import State
    from exchange.runtime.preview import Preview

Advance: TypeAlias = Callable[[int, int], None]  # done, total (0: unknown)

FRESH_BEGIN: Final[Nanos] = 20_454 * DAY + DAY // 2  # noon of 2026-01-01 UTC, a Thursday
FRESH_STEP: Final[Nanos] = 1_000 * MICRO  # between two commands that carry no time


class FreshExchange:
    """An exchange in memory with a clock of its own: same commands, same bytes.

    Acts for one user unless ``stamp`` says otherwise.  It is a client of itself.
    """

    def __init__(self, actor: int = SYSTEM_USER, begin: Nanos = FRESH_BEGIN) -> None:
        self.engine = Engine()
        self.actor = actor
        self.updates: list[Update] = []
        self._digest = EventDigest()
        self._now = begin
        self._stamped: tuple[Nanos, int] | None = None

    @property
    def state(self) -> State:
        return self.engine.state

    def stamp(self, row: Mapping[str, Any]) -> None:
        """Time and user of the next command: ``ts`` in microseconds, ``actor`` by name, if it has them.

        Raises DataError for a time that goes back, NotFound for a user that does not exist.
        """
        ts = row.get("ts", (self._now + FRESH_STEP) // MICRO)
        if isinstance(ts, bool) or not isinstance(ts, int) or not self.state.ts <= ts * MICRO < 1 << 62:
            raise DataError(
                f"ts {str(ts)[:40]!r} is not a time in microseconds at or after the command before it"
            )
        actor = self.actor
        if "actor" in row:
            names = self.state.user_names
            if row["actor"] not in names:
                raise NotFound(f"there is no user {str(row['actor'])[:40]!r}")
            actor = names[row["actor"]]
        self._stamped = ts * MICRO, actor

    def send(self, commands: Sequence[Command]) -> list[Receipt]:
        return [self._apply(command) for command in commands]

    def _apply(self, command: Command) -> Receipt:
        ts, actor = self._stamped or (self._now + FRESH_STEP, self.actor)
        self._stamped = None
        self._now = ts
        record = Record(self.state.seq + 1, ts, actor, command)
        events = self.engine.apply(record)
        self._digest.add(record, events)
        self.updates.append(Update(record.seq, ts, events))
        last = events[-1] if events else None
        if isinstance(last, Rejected) and last.command is command:
            return Receipt(record.seq, ts, events, last.reject)
        return Receipt(record.seq, ts, events, None)

    def preview(self, actor: int, command: Command) -> Preview:
        from exchange.runtime.preview import preview

        return preview(self.engine, actor, command, self._now + FRESH_STEP)

    def query(self, name: str, **params: Any) -> Any:
        from exchange.runtime.queries import answer

        return answer(self, self.actor, name, params)

    def watch(self, since: int | None = None) -> Iterator[Update]:
        """What has happened; nothing else will while somebody waits."""
        after = self.state.seq if since is None else since
        return iter([update for update in self.updates if update.seq > after])

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        del document
        raise NotFound(f"an exchange in memory keeps no documents ({kind} {key})")

    def close(self) -> None:
        self.updates.clear()

    def summary(self) -> dict[str, Any]:
        """digest: over every command and event.   state: over what is left at the end."""
        state = self.state
        return {
            "commands": state.seq,
            "trades": state.last_trade_id,
            "digest": self._digest.hexdigest(),
            "state": state_digest(state),
        }


def fresh_exchange(config: Config, *, is_empty: bool = False) -> FreshExchange:
    """With the instruments and the funded account of the settings, or with nothing at all."""
    if is_empty:
        return FreshExchange()
    exchange = FreshExchange()
    master = master_of(config)
    while commands := founding_commands(config, master, exchange.state, FRESH_BEGIN):
        for receipt in exchange.send(commands):
            assert receipt.reject is None, receipt.reject.reason
    exchange.actor = exchange.state.user_names[LOCAL_USER]
    exchange.updates.clear()
    return exchange


def living_day(config: Config, until: Nanos, progress: Advance | None = None) -> dict[str, Any]:
    """The living market of the settings from midnight for this long, as fast as it goes.

    Same seed and instruments, same row on any machine.  progress: market seconds done and in all.
    """
    from exchange.adapters.feeds.day import DAY_START, run_day
    from exchange.adapters.feeds.living.feed import LivingMarket

    def advance(done: Nanos, total: Nanos) -> None:
        if progress is not None:
            progress(done // SECOND, total // SECOND)

    commands = founding_commands(config, master_of(config), Engine().state, DAY_START)
    result = run_day(
        LivingMarket(config.market.seed, DAY_START),
        commands=[(SYSTEM_USER, command) for command in commands],
        start=DAY_START,
        until=DAY_START + until,
        progress=advance,
    )
    return {"seed": config.market.seed, **day_row(result)}


def day_row(result: DayResult) -> dict[str, Any]:
    """last: price of the last trade by symbol, of those that traded."""
    text = Directory.of(result.state)
    last = [(text.instrument(symbol).instrument_id, ticks) for symbol, ticks in result.last.items() if ticks]
    return {
        "market_seconds": result.seconds,
        "records": result.seq,
        "events": result.events,
        "trades": result.trades,
        "rejects": result.rejects,
        "last": {text.instruments[number].symbol: text.price_text(number, ticks) for number, ticks in last},
        "digest": result.digest,
        "state": result.state_digest,
    }
