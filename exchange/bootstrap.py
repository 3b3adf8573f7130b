"""From settings to an open client: attach to the process that owns the store, or own it.

A single command that finds nobody opens the store itself, does its work and leaves.  A screen
starts the exchange as a process of its own and attaches, so neither waits for the other.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exchange.client import Client
from exchange.config import LOCAL_USER, SETTINGS, Config
from exchange.core.units import DAY, SECOND, Nanos
from exchange.errors import ConfigError, ConnectionLost, ExchangeError, JournalFailed, StoreLocked

if TYPE_CHECKING:
    import subprocess

    from exchange.runtime.pace import Pace
    from exchange.runtime.ports import Feed
    from exchange.runtime.sequencer import Exchange

LOCKED_SECONDS: Final = 10.0  # for an owner that is starting, stopping or doing one command
START_SECONDS: Final = 60.0  # for a process of our own to recover and listen
POLL_SECONDS: Final = (0.002, 0.1)  # first and longest pause between two looks
WARM_UP: Final[Nanos] = 60 * SECOND  # a new market has been trading this long when one comes in
SWITCH_SECONDS: Final = 0.0005  # an order waits no longer than this for a thread that writes history
THREADS: Final = 4  # of the exchange process: the disk, and questions about the past
LOG: Final = "exchange.log"
LOG_MAX: Final = 1 << 20
FOUNDED: Final = "founded"  # what the store was last brought up to date with


def open_client(config: Config, *, attach_only: bool = False, start_owner: bool = False) -> Client:
    """A client acting as the person at this machine.

    attach_only: never own the store.   start_owner: start the exchange as a process if there is none.
    Raises ConnectionLost when there is nobody to attach to, StoreLocked when an owner does not
    answer, ConfigError, JournalError, JournalFailed.
    """
    check_interpreter()
    child: subprocess.Popen[bytes] | None = None
    locked: StoreLocked | None = None
    pause, longest = POLL_SECONDS
    deadline = time.monotonic() + (START_SECONDS if start_owner else LOCKED_SECONDS)
    while True:
        client = _attached(config)
        if client is not None:
            return client
        if attach_only:
            raise ConnectionLost(f"no exchange process is running for {config.folder}")
        if start_owner:
            child = _started(config, child)
        else:
            try:
                return _owned(config)
            except StoreLocked as error:
                locked = error
        if time.monotonic() > deadline:
            raise locked or ConnectionLost(f"the exchange process does not answer; see {config.folder / LOG}")
        time.sleep(pause)
        pause = min(2 * pause, longest)


def run_owner(
    config: Config,
    *,
    is_staying: bool = False,
    first_seconds: float = 10.0,
    linger_seconds: float = 1.0,
    feed: Feed | None = None,
) -> None:
    """Be the exchange process until SIGTERM, or until it is left alone unless is_staying.

    first_seconds: for a first client to come.   linger_seconds: after the last has left.
    feed: the market instead of the one in the settings.   Raises StoreLocked, JournalError,
    JournalFailed, ConfigError.
    """
    check_interpreter()
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from exchange.adapters.archive import Archive
    from exchange.adapters.documents import JsonDocuments
    from exchange.adapters.local_server import LocalServer, Terms
    from exchange.adapters.local_socket import socket_path
    from exchange.runtime.hub import Hub
    from exchange.runtime.lookup import Lookup
    from exchange.runtime.owner import Owner
    from exchange.runtime.recovery import tune_collector

    exchange, pace = _opened(config, is_staying=True)
    tune_collector()
    accounts = exchange.state.accounts
    terms = Terms(is_staying, first_seconds, linger_seconds)
    try:
        archive = Archive(config.folder, exchange)
        market = _market(config, exchange, pace, feed)
        hub = Hub(lambda account: accounts[account].owner, exchange.state.seq)
        exchange.listeners.append(hub.publish)
        with ThreadPoolExecutor(THREADS, "exchange") as threads:

            async def serve() -> None:
                lookup = Lookup(exchange, archive, JsonDocuments(config.folder))
                owner = Owner(exchange, pace, lookup, hub, threads)
                server = LocalServer(owner, socket_path(config.folder), terms)
                threads.submit(archive.opened)  # whoever asks first is told what went wrong
                await server.run(market)

            interval = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_SECONDS)
            try:
                asyncio.run(serve())
            finally:
                sys.setswitchinterval(interval)
                archive.close()
    finally:
        for note in exchange.notes:
            sys.stderr.write(f"seq={exchange.state.seq} {note}\n")
        exchange.close()


def check_interpreter() -> None:
    """Raises ConfigError under ``python -O``: assertions guard the money."""
    if not __debug__:
        raise ConfigError("python -O takes the checks out of the engine; run it without -O")


def _attached(config: Config) -> Client | None:
    from exchange.adapters.local_socket import socket_path

    path = socket_path(config.folder)
    if not path.exists():
        return None
    from exchange.adapters.local_client import LocalClient

    try:
        return LocalClient(path, LOCAL_USER)
    except ConnectionLost:
        return None


def _owned(config: Config) -> Client:
    from exchange.adapters.archive import Archive
    from exchange.adapters.documents import JsonDocuments
    from exchange.runtime.embedded import EmbeddedClient

    exchange, pace = _opened(config, is_staying=False)
    try:
        if exchange.state.seq == 0:
            _market(config, exchange, pace, None)
        else:
            _found(config, exchange, pace)
        actor = exchange.state.user_names[LOCAL_USER]
        archive = Archive(config.folder, exchange)
        return EmbeddedClient(exchange, actor, archive, JsonDocuments(config.folder))
    except BaseException:
        exchange.close()
        raise


def _opened(config: Config, *, is_staying: bool) -> tuple[Exchange, Pace]:
    from exchange.adapters.clock import SystemClock
    from exchange.adapters.journal import JournalOptions
    from exchange.adapters.store import RESERVE_BYTES, StoreOptions, open_exchange
    from exchange.runtime.pace import Pace
    from exchange.runtime.sequencer import SequencerOptions

    chosen = config.store
    journal = JournalOptions(segment_bytes=chosen.segment_bytes)
    if is_staying:
        journal = journal._replace(reserve_bytes=RESERVE_BYTES, is_ahead=True)
    sequencer = SequencerOptions(
        snapshot_every=chosen.snapshot_every, snapshot_ns=chosen.snapshot_seconds * SECOND
    )
    options = StoreOptions(journal=journal, sequencer=sequencer, snapshots_kept=chosen.keep)
    pace = Pace(SystemClock(), config.market.speed)
    exchange = open_exchange(config.folder, pace, options=options)
    if exchange.read_only and LOCAL_USER not in exchange.state.user_names:
        exchange.close()
        raise JournalFailed(exchange.read_only)
    pace.anchor(exchange.state.ts)
    return exchange, pace


def _market(config: Config, exchange: Exchange, pace: Pace, feed: Feed | None) -> Feed | None:
    """Bring the store up to date with the settings, and the market to the present.

    A new store gets a market that has been trading for a while, so that there is a book to trade
    against and something on the chart.
    """
    from exchange.runtime.feeding import prepare, run_until

    if exchange.read_only:
        return None
    is_new = exchange.state.seq == 0 and feed is None and config.market.feed == "living"
    now = exchange.now()
    if is_new:
        pace.hold(now - WARM_UP)
    _found(config, exchange, pace)
    if feed is None and config.market.feed == "living":
        from exchange.adapters.feeds.living import LivingMarket

        feed = LivingMarket(config.market.seed, exchange.now())
    if feed is not None:
        prepare(exchange, feed)
    if is_new and feed is not None:
        run_until(exchange, feed, pace, now)
        pace.anchor(exchange.state.ts)
    return feed


def _found(config: Config, exchange: Exchange, pace: Pace) -> None:
    """Whatever the settings and the instrument file have and the store lacks."""
    stamp = _stamp(config, exchange, pace.now()).encode()
    path = config.folder / FOUNDED
    if exchange.read_only or (path.exists() and path.read_bytes() == stamp):
        return
    from exchange.core.terms import REASONS, SYSTEM_USER
    from exchange.founding import founding_commands, master_of

    master = master_of(config)
    while commands := founding_commands(config, master, exchange.state, exchange.now()):
        for receipt in exchange.commit([(SYSTEM_USER, command) for command in commands]):
            if receipt.reject is not None:
                raise ConfigError(f"{master.file}: refused by the exchange: {REASONS[receipt.reject.reason]}")
    new = path.with_suffix(".new")
    new.write_bytes(stamp)
    new.replace(path)


def _stamp(config: Config, exchange: Exchange, now: Nanos) -> str:
    """Changes with everything that founding looks at: most starts need not look."""
    from exchange.listing import shipped_file

    chosen = config.market.instruments
    path = Path(chosen).expanduser().absolute() if chosen else shipped_file()
    found = path.stat() if path.exists() else None
    parts: list[Any] = [
        getattr(exchange.journal, "instance", b"").hex(),
        path,
        found and (found.st_mtime_ns, found.st_size),
        now // DAY,  # daylight saving time begins on some day
        config.account.name,
    ]
    return "\n".join(str(part) for part in parts)


# -- the process of a screen --------------------------------------------------------------------

STARTED: Final[list[subprocess.Popen[bytes]]] = []  # by this process


def _started(config: Config, child: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes]:
    """The child as it runs; a new one if there was none or it found another owner at work."""
    if child is not None:
        code = child.poll()
        if code is None:
            return child
        if code not in (0, StoreLocked.exit_code):
            raise _failed(config, code)
    return _spawn(config)


def _spawn(config: Config) -> subprocess.Popen[bytes]:
    import subprocess

    folder = config.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / LOG
    if log.exists() and log.stat().st_size > LOG_MAX:
        log.replace(log.with_suffix(".old"))
    for earlier in STARTED:
        earlier.poll()  # leaves no zombie behind
    command = [sys.executable, "-m", "tradecli", "_owner", "--home", str(config.home)]
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **settings_environment(config)},
            start_new_session=True,  # an interrupt at the screen's terminal is not for it
        )
    STARTED.append(child)
    return child


def settings_environment(config: Config) -> dict[str, str]:
    """Every setting that is not a default, for another process of this program."""
    values = {"TRADECLI_HOME": str(config.home)}
    for row in config.rows():
        key = row["key"]
        if key != "home" and config.get(key) != SETTINGS[key].default:
            values[f"TRADECLI_{key.replace('.', '_').upper()}"] = row["value"] or ","
    return values


def _failed(config: Config, code: int) -> ExchangeError:
    """What the process said last, with its exit code."""
    lines = (config.folder / LOG).read_text(errors="replace").splitlines()
    error = ExchangeError(
        f"the exchange process ended with code {code}: {lines[-1] if lines else 'no message'}"
    )
    error.exit_code = code if 0 < code < 126 else ExchangeError.exit_code
    return error
