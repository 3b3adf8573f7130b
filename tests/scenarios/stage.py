"""Plays one scenario table on a real engine and checks every row as it goes.

After every row the whole state is audited and the fold of the events compared with the books.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from exchange.core.commands import Tick
from exchange.core.engine import Engine
from exchange.core.events import Event, Rejected
from exchange.core.messages import Command, Record
from exchange.core.state.book import BookSide
from exchange.core.state.order import Order
from exchange.core.terms import BUY, MARKET_STATUSES, SELL
from exchange.core.units import DAY
from tests.reference.audit import Fold, audit, depth
from tests.scenarios.language import Language
from tests.scenarios.telling import Teller, check, is_same
from tests.scenarios.words import MONDAY_4, UNITS, Words, moment

FOLDER = Path(__file__).parent
START = MONDAY_4 * DAY + 10 * UNITS["h"]


class Stage:
    """One scenario on its way; `records` and `events` are what it amounts to."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.language = Language(self.engine)
        self.fold = Fold()
        self.records: list[Record] = []
        self.events: list[list[Event]] = []
        self.now = START
        self.is_padded = False

    def play(self, row: str) -> None:
        asked, _, expected = (part.strip() for part in row.partition("->"))
        first = asked.split()[0]
        if first == "repeat":
            _, count, each = asked.split(maxsplit=2)
            for at in range(int(count)):
                self.do(each.replace("%", str(at)), expected)
        elif first in ("time", "on", "pad"):
            getattr(self, "play_" + first)(Words(asked), expected)
        elif hasattr(self, "see_" + first):
            seen = getattr(self, "see_" + first)(asked.split()[1:])
            assert same_rows(seen, expected), f"expected  {expected}\n  is        {seen}"
        else:
            self.do(asked, expected)

    def do(self, asked: str, expected: str) -> None:
        events: list[Event] = []
        for actor, command in self.language.read(asked):
            events += self.apply(actor, command)
        if expected:
            self.check(expected, events)
        else:
            assert not any(isinstance(event, Rejected) for event in events), "refused"

    def check(self, expected: str, events: list[Event]) -> None:
        teller = Teller(self.engine.state)
        check(expected, [teller.tell(event) for event in events])

    def apply(self, actor: int, command: Command) -> list[Event]:
        state = self.engine.state
        record = Record(state.seq + 1, self.now, actor, command)
        events = self.engine.apply(record)
        self.records.append(record)
        self.events.append(events)
        self.fold.take(self.engine, events)
        return events

    def play_time(self, words: Words, expected: str) -> None:
        """Time passes; what falls due happens."""
        words.take()
        self.now = moment(words.take(), self.now)
        words.end()
        events = self.apply(0, Tick())
        if expected:
            self.check(expected, events)

    def play_on(self, words: Words, expected: str) -> None:
        """The instrument of the rows that follow."""
        words.take()
        self.language.instrument = self.language.symbol(words.take())
        assert not words
        assert not expected

    def play_pad(self, words: Words, expected: str) -> None:
        """Fill a table of the state with copies of its last entry, up to a number of them.

        The state is no honest one afterwards, and is no longer audited.
        """
        self.is_padded = True
        words.take()
        table = getattr(self.engine.state, words.take())
        table += [table[-1]] * (int(words.take()) - len(table))
        assert not expected

    # What a row may look at

    def see_book(self, words: list[str]) -> str:
        """bid 100.00 x 2, 99.00 x 1 | ask none"""
        number = self.language.symbol(words[0]) if words else self.language.instrument
        text, book = Teller(self.engine.state).text, self.engine.state.books[number]
        sides = []
        for name, side in (("bid", BUY), ("ask", SELL)):
            levels = [
                f"{text.price_text(number, price)} x {text.quantity_text(number, shown)}"
                for price, shown, _ in depth(book, side)
            ]
            sides.append(f"{name} {', '.join(levels) or 'none'}")
        return " | ".join(sides)

    def see_queue(self, words: list[str]) -> str:
        """bid 100.00 -> #1 2, #3 0.5: displayed part of each order, the next to trade first"""
        number = self.language.instrument
        book, price = self.engine.state.books[number], self.language.ticks(words[1])
        text = Teller(self.engine.state).text
        orders = level(book.bids, price) if words[0] == "bid" else level(book.asks, -price)
        return ", ".join(f"#{o.order_id} {text.quantity_text(number, o.shown)}" for o in orders) or "none"

    def see_sum(self, words: list[str]) -> str:
        """Of an asset over all accounts."""
        asset = self.language.asset(words[0])
        return str(sum(b[asset].posted for b in self._balances() if asset < len(b) and b[asset] is not None))

    def _balances(self) -> list[list]:
        return [account.balances for account in self.engine.state.accounts]

    def see_balance(self, words: list[str]) -> str:
        """alice USDC -> 100.00 held 5.00"""
        account, asset = self.language.account(words[0]), self.language.asset(words[1])
        balances = self.engine.state.accounts[account].balances
        balance = balances[asset] if asset < len(balances) else None
        text = Teller(self.engine.state).text
        posted, held = (balance.posted, balance.held) if balance is not None else (0, 0)
        return f"{text.money_text(asset, posted)} held {text.money_text(asset, held)}"

    def see_orders(self, words: list[str]) -> str:
        """Open orders of an account, oldest first."""
        found, order = [], self.engine.state.accounts[self.language.account(words[0])].first_order
        while order is not None:
            found.append(f"#{order.order_id}")
            order = order.later
        return " ".join(found) or "none"

    def see_status(self, words: list[str]) -> str:
        return MARKET_STATUSES[self.engine.state.books[self.language.symbol(words[0])].status]

    def see_last(self, words: list[str]) -> str:
        number = self.language.symbol(words[0])
        return Teller(self.engine.state).text.price_text(number, self.engine.state.books[number].last)


def level(side: BookSide, key: int) -> list[Order]:
    found = []
    order = side.at(key).head if side.find(key) is not None else None
    while order is not None:
        found.append(order)
        order = order.next
    return found


def same_rows(seen: str, expected: str) -> bool:
    """Equal word by word, decimals by value."""
    one, two = (text.replace(",", " , ").split() for text in (seen, expected))
    return len(one) == len(two) and all(map(is_same, one, two))


def tables() -> list[Path]:
    return sorted(FOLDER.glob("*.txt"))


@cache
def played(path: Path) -> Stage:
    """The scenario after its last row.  Raises AssertionError naming file, line and row."""
    stage = Stage()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = line.strip()
        if not row or row == "#" or row.startswith("# "):
            continue
        try:
            stage.play(row)
            if not stage.is_padded:
                audit(stage.engine.state)
                stage.fold.check_state(stage.engine.state)
        except Exception as failure:
            raise AssertionError(f"{path.name}:{number}: {row}\n  {failure}") from failure
    return stage
