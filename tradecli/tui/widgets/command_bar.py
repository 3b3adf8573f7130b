"""The bottom row: key hints, the last notice, or the line being typed."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.strip import Strip

from tradecli.tui.line_edit import LineEdit
from tradecli.tui.messages import LineEntered, LineLeft
from tradecli.tui.theme import ink
from tradecli.tui.widgets.surface import Row, Surface

HISTORY_MAX: Final = 100
PROMPT: Final = " : "


class CommandBar(Surface, can_focus=True):
    """hints: (keys, text) pairs.   notice: (text, palette field), empty text for none."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self.hints: list[tuple[str, str]] = []
        self.notice: tuple[str, str] = ("", "text")
        self.is_open = False
        self.edit = LineEdit()
        self.error = (0, 0)  # columns of the word at fault
        self._history: list[str] = []
        self._at = 0

    def open(self, text: str = "") -> None:
        self.can_focus = True
        self.is_open = True
        self.edit = LineEdit(text)
        self.error = (0, 0)
        self._at = len(self._history)
        self.focus()
        self.redraw()

    def close(self) -> None:
        self.is_open = False
        self.can_focus = False
        self.redraw()

    def fail(self, start: int, end: int) -> None:
        """Mark the word at fault."""
        self.error = (start, end)
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        if self.is_open:
            return [self._notice(width), self._line(width)] if height > 1 else [self._line(width)]
        return [self._notice(width) if self.notice[0] else self._hints(width)]

    def _notice(self, width: int) -> Strip:
        palette = self.palette
        text, color = self.notice
        style = ink(getattr(palette, color), palette.title, bold=color != "text")
        return Row().left(f" {text}", width, style).strip(width, style)

    def _hints(self, width: int) -> Strip:
        palette = self.palette
        row = Row()
        for keys, text in self.hints:
            if row.width + len(keys) + len(text) + 4 > width:
                break
            row.add(f" {keys} ", ink(palette.accent, palette.title, bold=True))
            row.add(f"{text} ", ink(palette.dim, palette.title))
        return row.strip(width, ink(palette.dim, palette.title))

    def _line(self, width: int) -> Strip:
        palette = self.palette
        plain = ink(palette.text, palette.cursor)
        wrong = ink(palette.inverse, palette.error, bold=True)
        row = Row().add(PROMPT, ink(palette.accent, palette.cursor, bold=True))
        room = max(width - len(PROMPT) - 1, 1)
        text, caret = self.edit.text + " ", self.edit.caret
        first = max(0, caret - room + 1)
        start, end = self.error
        for at, glyph in enumerate(text[first : first + room], start=first):
            style = wrong if start <= at < end else plain
            row.add(glyph, ink(palette.inverse, palette.text) if at == caret else style)
        return row.strip(width, plain)

    def on_key(self, event: events.Key) -> None:
        if not self.is_open:
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            self._enter()
        elif event.key == "escape":
            self.close()
            self.post_message(LineLeft())
        elif event.key in ("up", "down"):
            self._recall(-1 if event.key == "up" else 1)
        elif self.edit.key(event.key, event.character):
            self.error = (0, 0)
        self.redraw()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.edit.insert(event.text)
        self.redraw()

    def _enter(self) -> None:
        line = self.edit.text.strip()
        if not line:
            self.close()
            self.post_message(LineLeft())
            return
        if not self._history or self._history[-1] != line:
            self._history = [*self._history, line][-HISTORY_MAX:]
        self.post_message(LineEntered(line))

    def _recall(self, by: int) -> None:
        self._at = max(0, min(len(self._history), self._at + by))
        self.edit = LineEdit(self._history[self._at] if self._at < len(self._history) else "")
