"""The status row: where this is, what the account is worth, how fresh the data are, the time."""

from __future__ import annotations

from typing import Final, NamedTuple

from textual.strip import Strip

from tradecli.tui.figures import cents, clock_text, grouped, signed, span_text
from tradecli.tui.theme import ink
from tradecli.tui.widgets.surface import Row, Surface

STALE_NS: Final = 2_000_000_000
DEAD_NS: Final = 5_000_000_000


class Status(NamedTuple):
    """equity, day: decimals as text, "" when unknown; in ``currency``.   latency: nanoseconds of the
    last round trip, -1 unknown.   age: nanoseconds since the data were known to be current."""

    badge: str = "LOCAL"
    account: str = ""
    is_connected: bool = False
    equity: str = ""
    day: str = ""
    currency: str = ""
    latency: int = -1
    seq: int = 0
    age: int = 0
    now: int = 0
    is_halted: bool = False


class AccountBar(Surface):
    """status: replaced as a whole."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.status = Status()

    def draw(self, width: int, height: int) -> list[Strip]:
        del height
        palette, status = self.palette, self.status
        background = palette.title
        dim, text = ink(palette.dim, background), ink(palette.text, background)
        row = Row().add(f" {status.badge} ", ink(palette.inverse, palette.accent, bold=True))
        row.add(" ● " if status.is_connected else " ○ ", ink(self.health(), background, bold=True))
        right = self._right(width)
        room = width - len(right) - 1
        if status.equity:
            pieces = [
                (
                    f"{grouped(cents(status.equity))} {status.currency}",
                    ink(palette.text, background, bold=True),
                )
            ]
            if status.day:
                color = palette.down if status.day.startswith("-") else palette.up
                color = color if status.day.strip("-0.") else palette.dim
                pieces.append((f"  {signed(cents(status.day))}", ink(color, background, bold=True)))
                pieces.append((" today", dim))
            if width >= 100:
                row.add("equity ", dim)
            for piece, style in pieces:
                if row.width + len(piece) <= room:
                    row.add(piece, style)
        if width >= 100 and row.width + len(status.account) + 4 <= room:
            row.add("   account ", dim).add(status.account, text)
        row.fill(width - len(right), dim)
        return [row.add(right, ink(self.health(), background)).strip(width, dim)]

    def health(self) -> str:
        """Colour of the connection: current, stale, or gone."""
        status, palette = self.status, self.palette
        if not status.is_connected or status.age > DEAD_NS:
            return palette.error
        return palette.warn if status.age > STALE_NS else palette.up

    def _right(self, width: int) -> str:
        """Freshness and the time; the words go first when there is no room."""
        status = self.status
        if not status.is_connected:
            state = "offline"
        elif status.age > STALE_NS:
            state = f"stale {span_text(status.age)}"
        else:
            state = "live"
        parts = [state]
        if status.latency >= 0 and width >= 70:
            parts.append(span_text(status.latency))
        if width >= 110:
            parts.append(f"#{grouped(str(status.seq))}")
        parts.append(f"{clock_text(status.now)} UTC" if width >= 100 else clock_text(status.now))
        return f" {'  '.join(parts)} "
