"""The suite's rules written down as plainly as possible: lists that are searched from the front."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass
class Resting:
    name: int
    side: int
    price: int
    quantity: int


@dataclass
class NaiveSuite:
    book: list[Resting] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def play(self, messages: list[str]) -> list[str]:
        for seq, message in enumerate(messages):
            kind, *fields = message.split(",")
            getattr(self, f"_{kind}")(seq, *fields)
        return self.lines

    def _N(self, seq: int, name: str, side: str, price: str, quantity: str, tif: str) -> None:  # noqa: N802
        order = Resting(int(name), 0 if side == "B" else 1, int(price), int(quantity))
        self.lines.append(f"0,{seq},{order.side},{name},{price},{quantity}")
        self._match(seq, order)
        if order.quantity and tif == "I":
            self.lines.append(f"2,{seq},{order.side},{name},{price}")
        elif order.quantity:
            self.book.append(order)

    def _C(self, seq: int, name: str) -> None:  # noqa: N802
        order = self._take_out(int(name))
        if order is None:
            self.lines.append(f"4,{seq},{name}")
        else:
            self.lines.append(f"2,{seq},{order.side},{name},{order.price}")

    def _M(self, seq: int, name: str, price: str, quantity: str) -> None:  # noqa: N802
        order = self._take_out(int(name))
        if order is None:
            self.lines.append(f"5,{seq},{name}")
            return
        changed = Resting(order.name, order.side, int(price), int(quantity))
        self._match(seq, changed)
        self.lines.append(f"3,{seq},{changed.side},{name},{price},{quantity}")
        if changed.quantity:
            self.book.append(changed)

    def _take_out(self, name: int) -> Resting | None:
        found = next((order for order in self.book if order.name == name), None)
        if found is not None:
            self.book.remove(found)
        return found

    def _match(self, seq: int, taker: Resting) -> None:
        sign = 1 if taker.side == 0 else -1
        while taker.quantity:
            others = [order for order in self.book if order.side != taker.side]
            others = [order for order in others if sign * order.price <= sign * taker.price]
            if not others:
                return
            maker = min(others, key=lambda order: sign * order.price)
            traded = min(maker.quantity, taker.quantity)
            self.lines.append(f"1,{seq},{maker.price},{traded},{maker.name},{taker.name}")
            maker.quantity -= traded
            taker.quantity -= traded
            if not maker.quantity:
                self.book.remove(maker)


def random_messages(seed: int, count: int) -> list[str]:
    """News, cancels and modifies of live, dead and unknown orders around one price."""
    dice = Random(seed)
    messages: list[str] = []
    names: list[int] = []
    for number in range(count):
        roll = dice.random()
        if roll < 0.55 or not names:
            name = number * 7919 % 1_000_003 if dice.random() < 0.9 else (1 << 40) + number
            names.append(name)
            side, tif = dice.choice("BS"), dice.choice("GGGI")
            messages.append(f"N,{name},{side},{dice.randint(95, 105)},{dice.randint(1, 30)},{tif}")
        elif roll < 0.8:
            messages.append(f"C,{dice.choice(names)}")
        else:
            messages.append(f"M,{dice.choice(names)},{dice.randint(95, 105)},{dice.randint(1, 30)}")
    return messages
