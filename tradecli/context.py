"""What every command needs: the global options, an open client, and the one table of exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import typer

from tradecli import render
from tradecli.errors import InputError, Refused

if TYPE_CHECKING:
    from exchange.client import Client, Receipt, Update
    from exchange.config import Config
    from exchange.core.messages import Command, Event
    from exchange.directory import Directory

EXIT_CODES: Final[tuple[tuple[int, str], ...]] = (
    (0, "done"),
    (1, "rejected by the exchange; the reason code is printed"),
    (2, "usage: a word, a number or an option is wrong, or a confirmation is missing"),
    (3, "not found: no such instrument, account, order or file"),
    (4, "not connected: no exchange is running to attach to"),
    (5, "not allowed"),
    (6, "timed out or connection lost: outcome unknown, retry with the same client order id"),
    (7, "rate limited"),
    (8, "part of a batch failed"),
    (65, "bad data: an import file, a message or a damaged journal"),
    (70, "a bug in this program"),
    (74, "I/O error: the journal could not be written or synced"),
    (75, "the store is owned by another process that cannot be attached to"),
    (78, "bad configuration"),
    (130, "interrupted from the keyboard"),
    (141, "the reader of the output went away"),
)

# Seen as part of the exchange's answer, not as a failure: the retry of an order that was placed.
REPEATED: Final = "order.exists"

_F = TypeVar("_F", bound=Callable[..., Any])


class Options:
    """The global options, valid before and after the command."""

    def __init__(
        self,
        output: str = "table",
        account: str = "",
        profile: str | None = None,
        home: str | None = None,
        config: str | None = None,
        is_yes: bool = False,
    ) -> None:
        self.output = output
        self.account = account
        self.profile = profile
        self.home = home
        self.config = config
        self.is_yes = is_yes


class Session:
    """One run of the command line; opens what a command asks for, closes it at the end."""

    def __init__(self, options: Options, client: Client | None = None) -> None:
        """client: used instead of opening one, and left open."""
        self.options = options
        self._config: Config | None = None
        self._client = client
        self._is_own = client is None
        self._directory: Directory | None = None

    @property
    def config(self) -> Config:
        if self._config is None:
            self._config = self.settings({})
        return self._config

    def settings(self, flags: Mapping[str, Any]) -> Config:
        """The settings with some of them given on the command line; None means not given."""
        from exchange.config import load_config

        chosen = self.options
        return load_config(home=chosen.home, profile=chosen.profile, file=chosen.config, flags=flags)

    @property
    def client(self) -> Client:
        return self._opened(needs_market=False)

    def _opened(self, *, needs_market: bool) -> Client:
        """needs_market: start the exchange process, so that something moves."""
        if self._client is None:
            from exchange.bootstrap import open_client

            if not self.config.folder.exists():
                render.say(f"founding an exchange in {self.config.folder}")
            self._client = open_client(self.config, start_owner=needs_market)
        return self._client

    @property
    def directory(self) -> Directory:
        if self._directory is None:
            from exchange.directory import Directory

            self._directory = Directory.from_rows(self.client.query("directory"))
        return self._directory

    @property
    def account(self) -> int:
        return self.directory.account_id(self.account_name)

    @property
    def account_name(self) -> str:
        return self.options.account or self.config.account.name

    def close(self) -> None:
        if self._client is not None and self._is_own:
            self._client.close()

    def send(self, command: Command) -> Receipt:
        """The receipt of one accepted command.  Raises Refused."""
        receipt = self.client.send([command])[0]
        if receipt.reject is not None and receipt.reject.reason != REPEATED:
            raise Refused(self.refusal(receipt, command))
        return receipt

    def refusal(self, receipt: Receipt, command: Command) -> dict[str, Any]:
        from exchange.codec import reject_to_json

        assert receipt.reject is not None
        return {**reject_to_json(receipt.reject, command, self.directory), "seq": receipt.seq}

    def watch(self, since: int | None = None) -> Iterator[Update]:
        return self._opened(needs_market=True).watch(since)

    def learn(self, events: Sequence[Event]) -> None:
        """Forget the names read so far when the events bring new ones."""
        if brings_names(events):
            self._directory = None

    def query(self, name: str, **params: Any) -> Any:
        return self.client.query(name, **params)

    def show(self, rows: Sequence[render.Row], *columns: str) -> None:
        render.show_rows(rows, self.options.output, columns)

    def show_object(self, row: render.Row, *lines: str) -> None:
        """lines: what a person reads in place of names and values."""
        render.show_object(row, self.options.output, lines)

    def confirm(self, question: str) -> None:
        """Go on only with --yes or a typed y.  Raises InputError where nobody can be asked."""
        if self.options.is_yes:
            return
        if not is_attended():
            raise InputError(f"{question} There is nobody to ask: add --yes")
        render.complain(f"{question} [y/N]")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise InputError("nothing was done")


def is_attended() -> bool:
    """Is there a person who can be asked and can answer?"""
    return sys.stdin.isatty() and sys.stderr.isatty()


def session_of(context: typer.Context) -> Session:
    session = context.obj
    assert isinstance(session, Session)
    return session


def verb(app: typer.Typer, *examples: str, name: str | None = None, **settings: Any) -> Callable[[_F], _F]:
    """Register a command; every one shows at least one example."""
    lines = "\n".join(f"  {example}" for example in examples)
    title = "Examples" if len(examples) > 1 else "Example"
    return app.command(name, epilog=f"\b\n{title}:\n{lines}", **settings)


def brings_names(events: Iterable[Event]) -> bool:
    """Is there something in them that a directory read before does not know?"""
    from exchange.core.events import AccountOpened, AssetListed, InstrumentListed, UserRegistered

    naming = (AccountOpened, AssetListed, InstrumentListed, UserRegistered)
    return any(isinstance(event, naming) for event in events)
