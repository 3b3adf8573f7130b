"""What an operator does with a store, in one call each; the front ends' way to the engine room.

Everything heavy is imported by the function that needs it: the command line starts with this file.
Rows are dicts of text, integers and booleans, decimals as text, times as ISO-8601.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from exchange.codec import state_digest
from exchange.core.commands import KINDS
from exchange.core.events import AssetListed, Event, InstrumentListed
from exchange.core.messages import Record
from exchange.core.state.root import State
from exchange.core.terms import AccountId, AssetId, Seq
from exchange.core.units import MICRO
from exchange.directory import Directory, time_text

if TYPE_CHECKING:
    from exchange.config import Config
    from exchange.views.ledger import LedgerView, Mismatch

SEQ_MAX = 1 << 62

Advance: TypeAlias = Callable[[int, int], None]  # done, total (0: unknown)
Write: TypeAlias = Callable[[dict[str, Any]], None]


# -- ledger -------------------------------------------------------------------------------------


def verify_ledger(config: Config, progress: Advance | None = None) -> dict[str, Any]:
    """Rebuild every balance from the journal and compare it with the engine's.

    ok, and in ``mismatch`` the first difference with the sequence number after which it is there.
    Raises JournalError, NotFound, PoisonRecord.
    """
    from exchange.adapters.store import replay
    from exchange.views.ledger import LedgerView

    view = LedgerView(Directory.of(State()))
    broken: list[Seq] = []

    def fold(record: Record, events: list[Event], state: State) -> None:
        before = view.postings
        _learn(view, events, state)
        view.fold(record.seq, events)
        if view.postings != before and not broken and any(view.sums().values()):
            broken.append(record.seq)

    replayed = replay(config.folder, on_record=fold, progress=progress)
    state = replayed.engine.state
    mismatch = view.compare(state)
    text = Directory.of(state)
    first = broken[0] if broken else 0
    if mismatch is not None and mismatch.account >= 0 and not broken:
        first = _first_difference(config, mismatch, progress) or mismatch.seq
    return {
        "ok": mismatch is None and not broken,
        "records": replayed.records,
        "postings": view.postings,
        "accounts": len(state.accounts),
        "open_orders": sum(account.open_orders for account in state.accounts),
        "snapshots_compared": len(replayed.compared),
        "state": state_digest(state),
        "sums": {
            text.asset_symbol(asset): text.money_text(asset, total) for asset, total in _sums(view, state)
        },
        "mismatch": _mismatch_text(mismatch, text, first),
        "seq": first or state.seq,
    }


def _learn(view: LedgerView, events: list[Event], state: State) -> None:
    if any(isinstance(event, AssetListed | InstrumentListed) for event in events):
        view.directory = Directory.of(state)


def _sums(view: LedgerView, state: State) -> list[tuple[AssetId, int]]:
    sums = view.sums()
    return [(asset, sums.get(asset, 0)) for asset in range(len(state.assets))]


def _mismatch_text(mismatch: Mismatch | None, text: Directory, first: Seq) -> str | None:
    if mismatch is None:
        return f"an asset did not sum to zero after sequence {first}" if first else None
    return f"{mismatch.text(text)}; first seen after sequence {first}"


def _first_difference(config: Config, mismatch: Mismatch, progress: Advance | None) -> Seq:
    """The record after which this one balance differs: the journal once more, looking only at it."""
    from exchange.adapters.store import replay
    from exchange.views.ledger import LedgerView

    if mismatch.what != "posted":
        return 0
    view = LedgerView(Directory.of(State()))
    found: list[Seq] = []

    def look(record: Record, events: list[Event], state: State) -> None:
        _learn(view, events, state)
        view.fold(record.seq, events)
        if not found and _posted(state, mismatch.account, mismatch.asset) != view.balance(
            mismatch.account, mismatch.asset
        ):
            found.append(record.seq)

    replay(config.folder, on_record=look, progress=progress)
    return found[0] if found else 0


def _posted(state: State, account: AccountId, asset: AssetId) -> int:
    balances = state.accounts[account].balances if account < len(state.accounts) else []
    balance = balances[asset] if asset < len(balances) else None
    return balance.posted if balance is not None else 0


# -- journal ------------------------------------------------------------------------------------


def verify_journal(config: Config, progress: Advance | None = None) -> dict[str, Any]:
    """Chain, checksums, order and watermark.  ok, and in ``problem`` the first thing wrong."""
    from exchange.adapters.journal_tools import verify

    found = verify(config.folder, progress)
    return {"ok": not found.problem, **found._asdict(), "problem": found.problem or None}


def journal_stats(config: Config) -> dict[str, Any]:
    """Raises JournalError on damage, NotFound without a journal."""
    from exchange.adapters.journal_tools import stats

    found = stats(config.folder)
    row = found._asdict()
    for name in ("first_time", "last_time"):
        row[name] = time_text(row[name]) if row[name] else None
    return row


def write_records(config: Config, since: Seq, until: Seq | None, write: Write) -> None:
    """Each record as the JSON of its command, with seq, ts in microseconds and actor.

    Names are those of the newest state.  Raises JournalError, NotFound, PoisonRecord.
    """
    from exchange.adapters.journal_tools import cat
    from exchange.adapters.store import replay
    from exchange.records import record_to_json

    text = Directory.of(replay(config.folder, since=SEQ_MAX).engine.state)
    for record in cat(config.folder, since, until):
        write(record_to_json(record, text))


def write_raw_records(config: Config, since: Seq, until: Seq | None, write: Write) -> None:
    """The same as integers, without the engine: for a journal it breaks on."""
    from exchange.adapters.journal_tools import cat
    from exchange.core.commands import row_of

    for record in cat(config.folder, since, until):
        command = record.command
        write(
            {
                "seq": record.seq,
                "ts": record.ts // MICRO,
                "actor": record.actor,
                "kind": KINDS[type(command)],
                "fields": row_of(command),
            }
        )


def skip_record(config: Config, seq: Seq, reason: str) -> None:
    """Raises DataError, NotFound, StoreLocked."""
    from exchange.adapters.journal_tools import skip

    skip(config.folder, seq, reason)


def repair_journal(config: Config, truncate_to: Seq) -> dict[str, Any]:
    """Raises DataError, JournalError, NotFound, StoreLocked."""
    from exchange.adapters.journal_tools import repair

    return repair(config.folder, truncate_to)._asdict()


# -- self-check ---------------------------------------------------------------------------------


def examine(config: Config) -> Iterator[dict[str, Any]]:
    """Rows of check, status (ok, warn, fail), detail and the exit code a failure stands for."""
    yield _python_row()
    yield _core_row()
    yield _row("config", "ok", f"profile {config.profile}, feed {config.market.feed}")
    yield _folder_row(config)
    yield from _store_rows(config)
    yield _disk_row(config)


def _row(check: str, status: str, detail: str, exit_code: int = 0) -> dict[str, Any]:
    return {"check": check, "status": status, "detail": detail, "exit_code": exit_code}


def _python_row() -> dict[str, Any]:
    import platform
    import sys

    detail = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    if sys.flags.optimize:
        return _row("python", "fail", f"{detail}; -O drops the checks the engine relies on", 78)
    return _row("python", "ok", detail)


def _core_row() -> dict[str, Any]:
    from exchange import __version__, is_compiled

    detail = "compiled" if is_compiled() else "interpreted"
    if os.environ.get("EXCHANGE_PURE") == "1":
        detail += " (EXCHANGE_PURE=1)"
    return _row("core", "ok", f"{detail}, version {__version__}")


def _folder_row(config: Config) -> dict[str, Any]:
    folder = config.folder
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if not os.access(nearest, os.W_OK):
        return _row("folder", "fail", f"{nearest} cannot be written; choose another with --home", 74)
    return _row("folder", "ok", f"{folder}{'' if folder.exists() else ' (not there yet)'}")


def _store_rows(config: Config) -> Iterator[dict[str, Any]]:
    """Journal, clock and owner of a store that exists; nothing is changed in it."""
    from exchange.adapters.clock import SystemClock
    from exchange.adapters.disk import StoreLock
    from exchange.adapters.journal_tools import verify
    from exchange.adapters.store import JOURNAL, LOCK
    from exchange.errors import StoreLocked

    folder = config.folder
    if not (folder / JOURNAL).is_dir():
        yield _row("journal", "ok", "none yet; the first command makes one")
        return
    found = verify(folder)
    detail = f"{found.records} records in {found.segments} segments, durable up to {found.watermark}"
    yield _row("journal", "fail", found.problem, 65) if found.problem else _row("journal", "ok", detail)
    try:
        StoreLock(folder / LOCK).release()
        yield _row("owner", "ok", "nobody; the next command takes the store")
    except StoreLocked as error:
        yield _owner_row(config, str(error).partition(";")[0])
    last = 0 if found.problem else journal_last(config)
    ahead = last - SystemClock().now()
    if ahead > 0:
        yield _row(
            "clock", "warn", f"the last record is {ahead // 1_000_000_000} s in the future of this clock"
        )
    else:
        yield _row("clock", "ok", "at or after the last record")


def _owner_row(config: Config, who: str) -> dict[str, Any]:
    """Does the process that owns the store answer, and how soon?"""
    from time import monotonic_ns

    from exchange.bootstrap import open_client
    from exchange.errors import ExchangeError

    try:
        client = open_client(config, attach_only=True)
        begun = monotonic_ns()
        client.query("status")
        taken = monotonic_ns() - begun
        client.close()
    except ExchangeError as error:
        return _row("owner", "warn", f"{who}; it takes no clients: {error}", 0)
    return _row("owner", "ok", f"{who}; it answers in {taken // 1000} us")


def journal_last(config: Config) -> int:
    """Engine time of the last record, 0 for an empty journal."""
    from exchange.adapters.journal_tools import stats

    return stats(config.folder).last_time


def _disk_row(config: Config) -> dict[str, Any]:
    import shutil

    folder = config.folder
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    free = shutil.disk_usage(nearest).free
    detail = f"{free >> 20} MiB free"
    if free < 64 << 20:
        return _row("disk", "fail", f"{detail}; the journal needs 64 MiB", 74)
    return _row("disk", "warn" if free < 1 << 30 else "ok", detail)
