"""Questions before something is taken away: answered with y, or by typing a word."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.strip import Strip

from tradecli.tui.arming import Arming
from tradecli.tui.line_edit import LineEdit
from tradecli.tui.theme import Palette, ink
from tradecli.tui.widgets.surface import Row, Surface

WIDTH = 56


class Question(Surface, can_focus=True):
    """word: what must be typed, "" if y is enough."""

    IS_RAISED = True

    def __init__(self, title: str, lines: Sequence[str], word: str, now: Callable[[], int]) -> None:
        super().__init__()
        self.title = title
        self.lines = [part for line in lines for part in textwrap.wrap(line, WIDTH - 4) or [""]]
        self.word = word
        self.arming = Arming(now)
        self.edit = LineEdit()
        self.styles.height = len(self.lines) + 5

    def draw(self, width: int, height: int) -> list[Strip]:
        del height
        palette = self.palette
        head = ink(palette.inverse, palette.warn, bold=True)
        plain, dim = self.ink(palette.text), self.ink(palette.dim)
        rows = [Row().add(f" {self.title}", head).strip(width, head), Row().strip(width, plain)]
        rows += [Row().add(f"  {line}", plain).strip(width, plain) for line in self.lines]
        rows.append(Row().strip(width, plain))
        if self.word:
            row = Row().add("  type ", dim).add(self.word, self.ink(palette.warn, bold=True)).add(": ", dim)
            row.add(self.edit.text, plain).add(" ", ink(palette.inverse, palette.text))
            rows.append(row.strip(width, plain))
        key = self.ink(palette.accent, bold=True)
        row = Row().add("  Enter" if self.word else "  y", key).add(" do it   ", dim)
        rows.append(row.add("Esc", key).add(" keep", dim).strip(width, dim))
        return rows


class ConfirmScreen(ModalScreen[bool]):
    """True when the person agreed."""

    def __init__(
        self, title: str, lines: Sequence[str], palette: Palette, now: Callable[[], int], word: str = ""
    ) -> None:
        super().__init__()
        self.question = Question(title, lines, word, now)
        self.question.palette = palette

    def compose(self) -> ComposeResult:
        yield self.question

    def on_mount(self) -> None:
        self.question.focus()

    def on_key(self, event: events.Key) -> None:
        question = self.question
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(False)  # noqa: FBT003 - the screen's answer
        elif not question.word:
            if event.key == "y" and question.arming.press():
                self.dismiss(True)  # noqa: FBT003 - the screen's answer
        elif event.key == "enter":
            if question.edit.text.strip().upper() == question.word:
                self.dismiss(True)  # noqa: FBT003 - the screen's answer
        elif question.edit.key(event.key, event.character):
            question.redraw()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.question.edit.insert(event.text)
        self.question.redraw()
