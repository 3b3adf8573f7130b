"""Messages of the outside matching suite to engine commands, engine events to its report lines.

Hot: compiled together with the core.  The suite names orders by its own ids; ``OrderFlow`` keeps
the engine's id of the live ones.  The suite's modify is the engine's cancel-replace.  Report lines
say what the engine's events say; they are built in pieces that the caller joins, a batch at once.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64, mypyc_attr

from exchange.core.engine import Engine
from exchange.core.messages import (
    CancelOrder,
    Command,
    Event,
    LevelChanged,
    OrderAccepted,
    OrderDone,
    PlaceOrder,
    Record,
    Rejected,
    ReplaceOrder,
    Traded,
)
from exchange.core.terms import BUY, FILLED, GTC, IOC, LIMIT, REPLACED, SELL, STP_NONE

NEW: Final = 0
CANCEL: Final = 1
MODIFY: Final = 2

DIGITS_MAX: Final = 18
NEAR_IDS: Final = 1 << 21  # suite ids below this stand in a list, the others in a dictionary
BLOCK: Final = 1000  # messages that share the leading digits of their sequence number
WORDS_KEPT: Final = 1 << 20


@mypyc_attr(acyclic=True)
class Message:
    """name, word: the suite's order id as a number and as text.

    side: BUY or SELL.   tif: GTC or IOC.   limit_text: with the comma before it.   Fields a kind
    does not have are 0 or "".
    """

    __slots__ = ("kind", "limit", "limit_text", "name", "quantity", "side", "tif", "word")

    def __init__(self, kind: int, word: str, limit: int, quantity: int) -> None:
        self.kind = kind
        self.name: i64 = whole(word)
        self.word = word
        self.limit = limit
        self.quantity = quantity
        self.side = 0
        self.tif = 0
        self.limit_text = ""


def whole(text: str) -> int:
    is_number = text.isdigit() and text.isascii() and len(text) <= DIGITS_MAX
    if not is_number or (text.startswith("0") and text != "0"):
        raise ValueError(f"{text[:40]!a} is not a whole number")
    return int(text)


def read(text: str, out: list[Message]) -> None:
    """Append the messages of whole lines.

    Raises ValueError for one the format does not allow; ``out`` then ends with the one before.
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    for line in lines:
        fields = line.split(",")
        kind = fields[0]
        if kind == "N" and len(fields) == 6:
            side, tif = fields[2], fields[5]
            if (side != "B" and side != "S") or (tif != "I" and tif != "G"):
                raise ValueError("the side is B or S, the time in force I or G")
            message = Message(NEW, fields[1], whole(fields[3]), whole(fields[4]))
            message.side = BUY if side == "B" else SELL
            message.tif = IOC if tif == "I" else GTC
            at = 4 + len(fields[1])
            message.limit_text = line[at : at + 1 + len(fields[3])]
            out.append(message)
        elif kind == "C" and len(fields) == 2:
            out.append(Message(CANCEL, fields[1], 0, 0))
        elif kind == "M" and len(fields) == 4:
            out.append(Message(MODIFY, fields[1], whole(fields[2]), whole(fields[3])))
        else:
            raise ValueError("a message is N with 5 fields, C with 1 or M with 3")


class OrderFlow:
    """near, far: engine order id by suite id, 0 if not live.   words: suite id by engine order id,
    from ``first`` on.   block, number: what the sequence number of the message is made of."""

    __slots__ = (
        "account",
        "actor",
        "block",
        "buys",
        "canceled",
        "engine",
        "entered",
        "far",
        "first",
        "instrument",
        "modified",
        "near",
        "number",
        "sells",
        "tails",
        "texts",
        "trades",
        "words",
    )

    def __init__(self, engine: Engine, actor: int, account: int, instrument: int) -> None:
        self.engine = engine
        self.actor = actor
        self.account = account
        self.instrument = instrument
        self.near: list[int] = [0]
        self.far: dict[int, int] = {}
        self.first: i64 = engine.state.next_order_id
        self.words: list[str] = []
        self.block: i64 = -1
        self.number: i64 = BLOCK
        self.trades = 0
        self.texts = [f",{number}" for number in range(BLOCK)]
        self.tails = [str(number).zfill(3) for number in range(BLOCK)]
        self.entered = ""
        self.canceled = ""
        self.modified = ""
        self.buys: list[str] = []
        self.sells: list[str] = []

    def messages(self) -> int:
        """Applied so far; of the current one, its sequence number."""
        return self.block * BLOCK + self.number

    def play(self, messages: list[Message], out: list[str]) -> None:
        """Apply messages and append the pieces of their report lines, a newline before each.

        Raises ValueError for what the engine refuses for another reason than the suite knows.
        """
        for message in messages:
            if self.number == BLOCK:
                self._turn()
            if message.kind == CANCEL:
                self._cancel(message, out)
            else:
                self._enter(message, out)
            self.number += 1

    def _turn(self) -> None:
        """Texts of the next block of sequence numbers."""
        self.block += 1
        self.number = 0
        block = str(self.block) if self.block else ""
        self.entered = "\n0," + block
        self.canceled = "\n2," + block
        self.modified = "\n3," + block
        if self.block < 2:
            numbers = [str(number).zfill(3 if block else 1) for number in range(BLOCK)]
            self.buys = [number + ",0," for number in numbers]
            self.sells = [number + ",1," for number in numbers]
        words = self.words
        if len(words) > WORDS_KEPT:
            dead = 0
            while dead < len(words) and not words[dead]:
                dead += 1
            del words[:dead]
            self.first += dead

    def _order_id(self, name: i64) -> int:
        near = self.near
        if name < len(near):
            return near[name]
        return self.far.get(name, 0)

    def _live(self, name: i64, order_id: int) -> None:
        near = self.near
        if name >= len(near):
            if name >= NEAR_IDS:
                self.far[name] = order_id
                return
            near.extend([0] * (name + 1 if name < NEAR_IDS // 2 else NEAR_IDS - len(near)))
        near[name] = order_id

    def _dead(self, name: i64, order_id: i64) -> None:
        self.words[order_id - self.first] = ""
        near = self.near
        if name < len(near):
            near[name] = 0
        else:
            del self.far[name]

    def _append(self, number: i64, out: list[str]) -> None:
        """A number with the comma before it, from tables small enough for the fastest cache."""
        if number < BLOCK:
            out.append(self.texts[number])
        elif number < BLOCK * BLOCK:
            head = number // BLOCK
            out.append(self.texts[head])
            out.append(self.tails[number - head * BLOCK])
        else:
            out.append(f",{number}")

    def _apply(self, command: Command) -> list[Event]:
        engine = self.engine
        state = engine.state
        return engine.apply(Record(state.seq + 1, state.ts, self.actor, command))

    def _cancel(self, message: Message, out: list[str]) -> None:
        order_id = self._order_id(message.name)
        for event in self._apply(CancelOrder(self.account, order_id)):
            if isinstance(event, LevelChanged):
                self._canceled(event.side, event.price, message.word, out)
                self._dead(message.name, order_id)
            elif isinstance(event, Rejected):
                self._refused(event, message, out)

    def _enter(self, message: Message, out: list[str]) -> None:
        """A new order, or a modified one: its acknowledgement comes after its trades."""
        order_id = self._order_id(message.name)
        command: Command
        if message.kind == MODIFY:
            command = ReplaceOrder(self.account, order_id, message.quantity, message.limit)
        elif order_id:
            raise ValueError("an order with this id is resting")
        else:
            command = PlaceOrder(
                self.account,
                self.instrument,
                message.side,
                LIMIT,
                message.quantity,
                message.limit,
                message.tif,
                0,
                0,
                False,  # noqa: FBT003
                STP_NONE,
            )
        accepted: OrderAccepted | None = None
        for event in self._apply(command):
            if isinstance(event, OrderAccepted):
                accepted = event
                self._live(message.name, event.order_id)
                self.words.append(message.word)
                if message.kind == NEW:
                    self._acknowledge(event, self.entered, message, out)
            elif isinstance(event, LevelChanged):
                pass
            elif isinstance(event, Traded):
                self.trades += 1
                out.append(self._trade(event, message.word))
            elif isinstance(event, OrderDone):
                self._done(event, accepted, message, out)
            elif isinstance(event, Rejected):
                self._refused(event, message, out)
        if accepted is not None and message.kind == MODIFY:
            self._acknowledge(accepted, self.modified, message, out)

    def _done(
        self, event: OrderDone, accepted: OrderAccepted | None, message: Message, out: list[str]
    ) -> None:
        index: i64 = event.order_id - self.first
        if event.reason == REPLACED:
            self.words[index] = ""
        elif accepted is None or event.order_id != accepted.order_id:
            self._dead(int(self.words[index]), event.order_id)
        else:
            self._dead(message.name, event.order_id)
            if event.reason != FILLED:
                self._canceled(accepted.order.side, accepted.limit, message.word, out)

    def _canceled(self, side: int, limit: int, word: str, out: list[str]) -> None:
        number = self.number
        out.append(self.canceled)
        out.append(self.buys[number] if side == BUY else self.sells[number])
        out.append(word)
        self._append(limit, out)

    def _acknowledge(self, event: OrderAccepted, head: str, message: Message, out: list[str]) -> None:
        order = event.order
        number = self.number
        limit = event.limit
        out.append(head)
        out.append(self.buys[number] if order.side == BUY else self.sells[number])
        out.append(message.word)
        # The suite's own text of the same number is at hand, its pieces are one more.
        is_same = limit == message.limit and message.kind == NEW
        if is_same:
            out.append(message.limit_text)
        else:
            self._append(limit, out)
        self._append(order.quantity, out)

    def _trade(self, event: Traded, word: str) -> str:
        index: i64 = event.maker_order_id - self.first
        maker = self.words[index]
        return f"\n1,{self.messages()},{event.price},{event.quantity},{maker},{word}"

    def _refused(self, event: Rejected, message: Message, out: list[str]) -> None:
        """The suite knows one reason to refuse a cancel or a modify."""
        if event.reject.reason != "order.unknown" or message.kind == NEW:
            raise ValueError(f"the engine refuses it: {event.reject.reason}")
        kind = 4 if message.kind == CANCEL else 5
        out.append(f"\n{kind},{self.messages()},{message.word}")
