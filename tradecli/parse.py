"""Text typed by a person into commands: numbers, durations, moments and the one-line grammar.

Pure: sizes come from a Directory, the market from a callable that is asked only when the line
needs it.  The command line and the dashboard's command bar share every word of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from exchange.core.terms import (
    BUY,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    SELF_TRADES,
    SELL,
    STP_CANCEL_NEWEST,
    TIMES_IN_FORCE,
)
from exchange.core.units import DAY, SECOND
from exchange.directory import Directory, InstrumentInfo, safe_text
from exchange.errors import DataError, NotFound
from tradecli.drafts import CancelAllDraft, CancelDraft, Draft, ModifyDraft, OrderDraft
from tradecli.errors import InputError, expected

Quote: TypeAlias = Callable[[str], Mapping[str, Any]]  # symbol -> row of the query `quote`
SymbolOf: TypeAlias = Callable[[int, str], str]  # order id, client order id -> symbol

NUMBER: Final = re.compile(r"[0-9._,]*[0-9][0-9._,]*", re.ASCII)
GROUPED: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)
WORD: Final = re.compile(r"@|[^\s@]+")
PART: Final = re.compile(r"([0-9]+)(ms|us|ns|s|m|h|d|w)", re.ASCII)
MOMENT: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?Z?)?", re.ASCII | re.IGNORECASE
)
UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": DAY,
    "w": 7 * DAY,
}
DURATION_MAX: Final = 366 * DAY
SIDE_WORDS: Final = {"buy": BUY, "b": BUY, "sell": SELL, "s": SELL}
MARKET_WORDS: Final = ("mkt", "market")
STP_WORDS: Final = {
    "newest": 1,
    "oldest": 2,
    "both": 3,
    "decrement": 4,
    "none": 5,
    **{name: number for number, name in enumerate(SELF_TRADES) if name},
}


def parse_order_line(
    text: str, directory: Directory, quote: Quote | None = None, symbol_of: SymbolOf | None = None
) -> Draft:
    """One line of the order grammar.  Raises InputError pointing at the word.

    buy | sell  SYMBOL SIZE [@ PRICE] [WORD...]      (SIZE SYMBOL works too)
        SYMBOL   any case; a prefix will do if only one instrument starts with it
        SIZE     0.5 | 1_000 | 1,000.5 | $1000 or `for 1000`: worth that much of the quote asset at
                 the limit, else at the current ask (buy) or bid (sell), rounded down to whole lots
        PRICE    limit price; without one, or with `mkt`, a market order (IOC unless it says otherwise)
        WORD     gtc | ioc | fok | day | gtd DATE      time in force; a bare date ends with that UTC day
                 post                                  post-only: never takes liquidity
                 mtl                                   market to limit
                 iceberg SIZE                          show only this much at a time
                 stp newest|oldest|both|decrement|none self-trade prevention
                 id TEXT                               client order id: sending it twice places one order
                 --preview                             say what would happen, send nothing
    cancel ORDER | cancel id TEXT | cancel all [SYMBOL] [buy|sell]
    modify ORDER [SIZE] [@ PRICE]                      keeps its place when only the size shrinks
    replace ORDER SIZE [@ PRICE] [id TEXT]             cancel-replace: a new order, back of the queue
        ORDER    an order id, or `id TEXT` for a client order id (not with replace)
    """
    words = _Words(text)
    verb = words.take("buy, sell, cancel, modify or replace").lower()
    if verb in SIDE_WORDS:
        return _order(words, SIDE_WORDS[verb], directory, quote)
    if verb == "cancel":
        return _cancel(words, directory)
    if verb in ("modify", "replace"):
        return _modify(words, directory, symbol_of, verb == "replace")
    raise words.wrong("an order line starts with", ("buy", "sell", "cancel", "modify", "replace"))


def parse_duration(text: str) -> int:
    """Nanoseconds of "90s", "10m", "1h30m".  Raises InputError."""
    compact = text.strip().lower()
    if not compact or PART.sub("", compact):
        raise InputError(f"duration {safe_text(text)[:40]!r} is not like 90s, 10m or 1h30m")
    if (
        len(compact) > 40
        or (total := sum(int(n) * UNITS[u] for n, u in PART.findall(compact))) > DURATION_MAX
    ):
        raise InputError(f"duration {safe_text(text)[:40]} is above the limit of 366d")
    if not total:
        raise InputError(f"duration {safe_text(text)} must be above zero")
    return total


def parse_moment(text: str) -> int:
    """Nanoseconds since the epoch of a UTC date, meaning its end, or of a time.  Raises InputError."""
    from datetime import UTC, datetime

    shown = safe_text(text)[:40]
    match = MOMENT.fullmatch(text)
    if match is None:
        raise InputError(f"time {shown!r} is not like 2026-12-01 or 2026-12-01T15:30:00")
    parts = [int(part) for part in match.groups() if part is not None]
    try:
        moment = datetime(*parts[:3], *parts[3:], tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise InputError(f"time {shown}: {error}") from None
    return int(moment.timestamp()) * SECOND + (DAY if len(parts) == 3 else 0)


def plain_number(field: str, text: str) -> str:
    """The number without the separators of "64_250.5" or "64,250.50".  Raises InputError."""
    shown = safe_text(text)[:40]
    if len(text) > 60 or NUMBER.fullmatch(text) is None:
        raise InputError(f"{field} {shown!r} is not a positive decimal number")
    if "," in text and GROUPED.fullmatch(text) is None:
        raise InputError(f"{field} {shown!r}: decimals come after a point; a comma only groups three digits")
    number = text.replace(",", "").replace("_", "")
    if number.count(".") > 1:
        raise InputError(f"{field} {shown!r} has more than one decimal point")
    return number


class _Words:
    """The words of one line with their places; a cursor over them."""

    def __init__(self, text: str) -> None:
        self.line = safe_text(text.replace("\t", " ").replace("\n", " "))
        self.places = [(m.group(), m.start()) for m in WORD.finditer(self.line)]
        self.next = 0

    def peek(self, ahead: int = 0) -> str:
        """A word to come, lower case; "" after the end."""
        at = self.next + ahead
        return self.places[at][0].lower() if at < len(self.places) else ""

    def take(self, what: str) -> str:
        if self.next >= len(self.places):
            end = len(self.line) + 1 if self.line else 0
            raise InputError(f"the line ends where {what} should stand", self.line, end, end + 1)
        self.next += 1
        return self.places[self.next - 1][0]

    def fail(self, message: str) -> InputError:
        """An error at the word taken last."""
        word, start = self.places[self.next - 1]
        return InputError(message, self.line, start, start + len(word))

    def wrong(self, context: str, known: Iterable[str]) -> InputError:
        """The word taken last is none of the known ones."""
        word = self.places[self.next - 1][0]
        return self.fail(f"{word[:40]!r} is not known here: {context} {expected(word, list(known))}")

    def number(self, field: str, parse: Callable[[str], int]) -> int:
        """Take a number and turn it into steps; the error points at it."""
        word = self.take(f"a {field}")
        try:
            return parse(plain_number(field, word))
        except (InputError, DataError) as error:
            raise self.fail(str(error)) from None

    def instrument(self, directory: Directory) -> InstrumentInfo:
        word = self.take("an instrument")
        try:
            return directory.instrument(word)
        except NotFound as error:
            raise self.fail(str(error)) from None


def _order(words: _Words, side: int, directory: Directory, quote: Quote | None) -> OrderDraft:
    size_first = _is_size(words.peek()) and not _is_size(words.peek(1))
    size_at = words.next
    words.next += size_first
    info = words.instrument(directory)
    draft = OrderDraft(side, info.instrument_id)
    rest = words.next
    words.next = size_at if size_first else rest
    amount = _size(words, draft, directory, info)
    amount_at = words.next
    words.next = max(words.next, rest)
    while words.peek():
        _word(words, draft, directory)
    _complete(draft)
    if amount:
        words.next = amount_at
        draft.quantity = _lots_worth(words, draft, (amount, directory, info), quote)
    return draft


def _is_size(word: str) -> bool:
    return NUMBER.fullmatch(word.lstrip("+-$")) is not None


def _size(words: _Words, draft: OrderDraft, directory: Directory, info: InstrumentInfo) -> int:
    """Take the quantity; or an amount of the quote asset, which is returned, else 0."""
    word = words.peek()
    if word == "for":
        words.next += 1
        return words.number("amount", partial(directory.parse_money, info.quote))
    if word.startswith("$"):
        words.next += 1
        try:
            return directory.parse_money(info.quote, plain_number("amount", word[1:]))
        except (InputError, DataError) as error:
            raise words.fail(str(error)) from None
    try:
        draft.quantity = words.number("quantity", partial(directory.parse_quantity, info.instrument_id))
    except InputError as error:
        if not word or word.strip("0"):
            raise
        hint = "a shell eats the $1 of $1000: quote it, or write `for 1000`"
        raise words.fail(f"{error.message}; {hint}") from None
    return 0


def _lots_worth(
    words: _Words, draft: OrderDraft, size: tuple[int, Directory, InstrumentInfo], quote: Quote | None
) -> int:
    """Whole lots an amount of the quote asset is worth at the limit or at the other side's best."""
    amount, directory, info = size
    price = draft.limit
    if not price:
        side = "ask" if draft.side == BUY else "bid"
        best = (quote(info.symbol) if quote is not None else {}).get(side)
        if not best:
            raise words.fail(f"{info.symbol} has no {side} to convert the amount with: give '@ PRICE'")
        price = directory.parse_price(info.instrument_id, str(best))
    lots = amount // (price * info.unit)
    if not lots:
        lot = directory.quantity_text(info.instrument_id, 1)
        cost = directory.money_text(info.quote, price * info.unit)
        raise words.fail(f"the amount is below one lot: {lot} {info.symbol} costs {cost}")
    return lots


def _word(words: _Words, draft: OrderDraft, directory: Directory) -> None:
    """One word after the size."""
    word = words.take("a word").lower()
    if word in ("--preview", "--dry-run", "preview"):
        draft.is_preview = True
    elif word == "@":
        if draft.limit:
            raise words.fail("the line has two limit prices")
        draft.limit = words.number("price", partial(directory.parse_price, draft.instrument))
    elif word in MARKET_WORDS or word == "mtl":
        if draft.type:
            raise words.fail("the line has two order types")
        draft.type = MARKET_TO_LIMIT if word == "mtl" else MARKET
    elif word in ("post", "post-only"):
        draft.is_post_only = True
    elif word in ("iceberg", "display"):
        draft.display = words.number("display", partial(directory.parse_quantity, draft.instrument))
    elif word == "id":
        draft.client_order_id = words.take("a client order id")
    elif word == "stp":
        draft.stp = _stp(words)
    else:
        _time_in_force(words, draft, word)


def _stp(words: _Words) -> int:
    mode = words.take("a self-trade prevention mode").lower().replace("-", "_")
    if mode not in STP_WORDS:
        raise words.wrong("self-trade prevention is one of", list(STP_WORDS)[:5])
    return STP_WORDS[mode]


def _time_in_force(words: _Words, draft: OrderDraft, word: str) -> None:
    name, _, moment = word.partition(":")
    if name not in TIMES_IN_FORCE or (moment and name != "gtd"):
        known = (*TIMES_IN_FORCE[1:], "mkt", "mtl", "post", "iceberg", "stp", "id", "--preview")
        raise words.wrong("after the size come", ("@ PRICE", *known))
    if draft.tif:
        raise words.fail(f"the line has two times in force: {TIMES_IN_FORCE[draft.tif]} and {name}")
    draft.tif = TIMES_IN_FORCE.index(name)
    if draft.tif == GTD:
        try:
            draft.expires = parse_moment(moment.upper() or words.take("a date").upper())
        except InputError as error:
            raise words.fail(error.message) from None


def _complete(draft: OrderDraft) -> None:
    """Defaults that depend on each other; whether the fields fit is the engine's to say."""
    if not draft.type:
        draft.type = LIMIT if draft.limit else MARKET
    if not draft.tif:
        draft.tif = IOC if draft.type == MARKET else GTC
    if not draft.stp:
        draft.stp = STP_CANCEL_NEWEST


def _order_name(words: _Words) -> tuple[int, str]:
    """(order id, "") or (0, client order id)."""
    word = words.take("an order id, or `id` and a client order id")
    if word.lower() == "id":
        return 0, words.take("a client order id")
    number = word.removeprefix("#")
    if not (number.isascii() and number.isdigit() and 0 < len(number) <= 18) or not int(number):
        raise words.fail(
            f"order id {word[:40]!r} is not a whole number above zero (client order ids: `id TEXT`)"
        )
    return int(number), ""


def _cancel(words: _Words, directory: Directory) -> CancelDraft | CancelAllDraft:
    draft: CancelDraft | CancelAllDraft
    if words.peek() == "all":
        words.next += 1
        draft = CancelAllDraft()
    else:
        draft = CancelDraft(*_order_name(words))
    while word := words.peek():
        if word in ("--preview", "--dry-run", "preview"):
            words.next += 1
            draft.is_preview = True
        elif isinstance(draft, CancelDraft):
            words.next += 1
            raise words.fail("nothing comes after the order to cancel but --preview")
        elif word in SIDE_WORDS and not draft.side:
            words.next += 1
            draft.side = SIDE_WORDS[word]
        else:
            info = words.instrument(directory)
            if draft.instrument >= 0:
                raise words.fail("the line has two instruments")
            draft.instrument = info.instrument_id
    return draft


def _modify(words: _Words, directory: Directory, symbol_of: SymbolOf | None, is_replace: bool) -> ModifyDraft:
    order_id, client_order_id = _order_name(words)
    if is_replace and not order_id:
        raise words.fail("replace names an order by its order id")
    if symbol_of is None:
        raise words.fail("orders cannot be looked up here")
    info = directory.instrument(symbol_of(order_id, client_order_id))
    draft = ModifyDraft(order_id, client_order_id, info.instrument_id)
    draft.is_replace = is_replace
    while word := words.peek():
        if word == "@" and not draft.limit:
            words.next += 1
            draft.limit = words.number("price", partial(directory.parse_price, info.instrument_id))
        elif word in ("--preview", "--dry-run", "preview"):
            words.next += 1
            draft.is_preview = True
        elif word == "id" and is_replace:
            words.next += 1
            draft.new_client_order_id = words.take("a client order id")
        elif not draft.quantity:
            draft.quantity = words.number("quantity", partial(directory.parse_quantity, info.instrument_id))
        else:
            words.next += 1
            raise words.wrong("after the order come a size,", ("@ PRICE", "--preview"))
    if not draft.quantity and (is_replace or not draft.limit):
        raise words.fail("say the new size" if is_replace else "say the new size, or '@' and the new limit")
    return draft
