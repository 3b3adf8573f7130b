"""A recorded file as the market: through an engine in memory as fast as it goes, or at a speed
behind the store that everybody trades on.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from exchange.client import Client, Receipt
from exchange.config import LOCAL_USER, Config
from exchange.core.commands import CancelAll, Deposit
from exchange.core.events import Traded
from exchange.core.terms import SYSTEM_USER
from exchange.core.units import DAY, SECOND, Nanos
from exchange.errors import ConnectionLost, ExchangeError, StoreLocked

if TYPE_CHECKING:
    import subprocess

    from exchange.core.state.root import State
    from exchange.runtime.ports import Feed, Request

YEARS_MAX: Final[Nanos] = 100 * 366 * DAY  # no recording is longer
START_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.02
INTERRUPTED: Final = 130
QUOTE_STAKE: Final = 1_000_000  # whole units; what a person gets of assets he has never had
BASE_STAKE: Final = 100


class Recording(NamedTuple):
    """instrument: symbol it trades under.   kind: of the file, "" to find out.   book: the orderbook
    file that goes with LOBSTER messages, "" for none."""

    file: str
    instrument: str
    kind: str = ""
    book: str = ""

    def feed(self) -> Feed:
        """Reads and checks the whole file.  Raises DataError with file and line, or NotFound."""
        from exchange.adapters.feeds.recorded import open_feed

        path = Path(self.book).expanduser() if self.book else None
        file = Path(self.file).expanduser()
        return open_feed(file, instrument=self.instrument, kind=self.kind or None, book=path)

    def words(self) -> list[str]:
        """The same for the command line of another process of this program."""
        words = ["--replay", str(Path(self.file).expanduser().absolute()), "--instrument", self.instrument]
        words += ["--format", self.kind] if self.kind else []
        return words + (["--book", str(Path(self.book).expanduser().absolute())] if self.book else [])


class ClearedMarket:
    """Feed (``exchange.runtime.ports``) of a recording in a book that others may have used before.

    Orders in its instrument that are nobody's at this machine are canceled first: they are left
    from another market.   at_end: called once when the recording has ended.
    """

    def __init__(self, feed: Feed, instrument: str, at_end: Callable[[], None] | None = None) -> None:
        self.steps = 0
        self.commands = 0
        self.trades = 0
        self.refused = 0
        self._feed = feed
        self._instrument = instrument
        self._at_end = at_end

    def prepare(self, state: State) -> list[Request]:
        return self._leftovers(state) or self._feed.prepare(state) or self._stakes(state)

    def due(self) -> Nanos | None:
        due = self._feed.due()
        if due is None and self._at_end is not None:
            at_end, self._at_end = self._at_end, None
            at_end()
        return due

    def step(self, state: State, now: Nanos) -> list[Request]:
        requests = self._feed.step(state, now)
        self.steps += 1
        self.commands += len(requests)
        return requests

    def answered(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            self.refused += receipt.reject is not None
            self.trades += sum(isinstance(event, Traded) for event in receipt.events)
        self._feed.answered(receipts)

    def row(self) -> dict[str, Any]:
        return {
            "instrument": self._instrument,
            "steps": self.steps,
            "commands": self.commands,
            "trades": self.trades,
            "rejects": self.refused,
        }

    def _stakes(self, state: State) -> list[Request]:
        """Something to trade with for the local person, in assets he has never had."""
        local = state.user_names.get(LOCAL_USER)
        number = state.symbols.get(self._instrument)
        mine = [account for account in state.accounts if account.owner == local]
        if number is None or not mine:
            return []
        instrument, account = state.books[number].instrument, mine[0]
        stakes: list[Request] = []
        for asset, units in ((instrument.quote, QUOTE_STAKE), (instrument.base, BASE_STAKE)):
            if asset >= len(account.balances) or account.balances[asset] is None:
                amount = units * 10 ** state.assets[asset].exponent
                deposit = Deposit(
                    account=account.account_id, asset=asset, amount=amount, reference="replay stake"
                )
                stakes.append((SYSTEM_USER, deposit))
        return stakes

    def _leftovers(self, state: State) -> list[Request]:
        number = state.symbols.get(self._instrument)
        if number is None:
            return []
        local = state.user_names.get(LOCAL_USER)
        owners = {
            order.account.account_id: order.account.owner
            for order in state.live_orders()
            if order.book.instrument.instrument_id == number and order.account.owner != local
        }
        return [(owner, CancelAll(account=account, instrument=number)) for account, owner in owners.items()]


def recorded_day(
    recording: Recording, config: Config, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """All of it on a fresh engine in memory: same file, same row.  progress: market seconds done, 0."""
    from exchange.adapters.feeds.day import DAY_START, run_day
    from exchange.core.engine import Engine
    from exchange.founding import founding_commands, master_of
    from exchange.fresh import day_row

    def advance(done: Nanos, total: Nanos) -> None:
        del total  # the years it may last at most
        progress(done // SECOND, 0)

    market = ClearedMarket(recording.feed(), recording.instrument)
    commands = founding_commands(config, master_of(config), Engine().state, DAY_START)
    result = run_day(
        market,
        commands=[(SYSTEM_USER, command) for command in commands],
        start=DAY_START,
        until=DAY_START + YEARS_MAX,
        progress=advance,
    )
    return {**market.row(), **day_row(result)}


def serve_recording(recording: Recording, config: Config, *, is_ending: bool) -> dict[str, Any]:
    """Be the exchange process with this market, at the speed of the settings.

    is_ending: stop when the recording has ended, else as ``run_owner`` does.
    """
    from exchange.bootstrap import run_owner

    def stop() -> None:
        signal.raise_signal(signal.SIGTERM)  # as a person would stop it: what is under way is finished

    market = ClearedMarket(recording.feed(), recording.instrument, stop if is_ending else None)
    run_owner(config, is_staying=is_ending, feed=market)
    return market.row()


def start_recording(recording: Recording, config: Config) -> tuple[Client, subprocess.Popen[bytes]]:
    """The exchange process with this market, which leaves with its last client, and its first client.

    Raises StoreLocked while another one runs, and what ended the process as ExchangeError.
    """
    import time

    from exchange.bootstrap import open_client

    try:
        open_client(config, attach_only=True).close()
    except ConnectionLost:
        pass
    else:
        raise StoreLocked(f"an exchange with another market is running for {config.folder}; stop it first")
    child = _spawn(recording, config)
    deadline = time.monotonic() + START_SECONDS
    while True:
        code = child.poll()
        if code is not None:
            raise _ended(config, code)
        try:
            return open_client(config, attach_only=True), child
        except ConnectionLost:
            if time.monotonic() > deadline:
                child.terminate()
                raise
        time.sleep(POLL_SECONDS)


def _spawn(recording: Recording, config: Config) -> subprocess.Popen[bytes]:
    import os
    import subprocess

    from exchange.bootstrap import LOG, settings_environment

    config.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tradecli", "_owner", "--home", str(config.home), *recording.words()]
    with (config.folder / LOG).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings_environment(config)},
            start_new_session=True,  # an interrupt at the screen's terminal is not for it
        )


def _ended(config: Config, code: int) -> ExchangeError:
    """What the process said last, with its exit code."""
    from exchange.bootstrap import LOG

    said = (config.folder / LOG).read_text(errors="replace").splitlines()
    last = next((line for line in reversed(said) if line.startswith("error: ")), "")
    error = ExchangeError(last.removeprefix("error: ") or f"the exchange process ended with code {code}")
    error.exit_code = code if 0 < code < INTERRUPTED else ExchangeError.exit_code
    return error
