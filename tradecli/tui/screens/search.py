"""Find an instrument by symbol, name or venue."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.strip import Strip

from exchange.core.terms import InstrumentId
from exchange.directory import Directory, InstrumentInfo, safe_text
from tradecli.tui.line_edit import LineEdit
from tradecli.tui.theme import Palette, ink
from tradecli.tui.widgets.surface import Row, Surface

HEAD_ROWS = 2


class SearchPane(Surface, can_focus=True):
    """The text typed so far and the instruments it fits."""

    IS_RAISED = True

    def __init__(self, directory: Directory) -> None:
        super().__init__()
        self.directory = directory
        self.edit = LineEdit()
        self.cursor = 0

    def found(self) -> list[InstrumentInfo]:
        """Symbols that begin with the text first, then all that have it somewhere."""
        text = self.edit.text.strip().upper()
        starts, rest = [], []
        for info in self.directory.instruments:
            if info.symbol.upper().startswith(text):
                starts.append(info)
            elif text in f"{info.symbol} {info.name} {info.venue}".upper():
                rest.append(info)
        return starts + rest

    def draw(self, width: int, height: int) -> list[Strip]:
        palette = self.palette
        found = self.found()
        page = max(height - HEAD_ROWS, 1)
        self.cursor = max(0, min(self.cursor, len(found) - 1))
        top = max(0, self.cursor - page + 1)
        plain = ink(palette.text, palette.cursor)
        row = Row().add(" / ", ink(palette.accent, palette.cursor, bold=True)).add(self.edit.text, plain)
        row.add(" ", ink(palette.inverse, palette.text))
        lines = [self.title_row(width, "Instrument", "Enter go  Esc close"), row.strip(width, plain)]
        for at, info in enumerate(found[top : top + page], start=top):
            shade = palette.cursor if at == self.cursor else palette.raised
            item = Row().left(f" {info.symbol}", 16, self.ink(palette.text, shade, bold=True))
            item.left(safe_text(info.name), max(width - 28, 0), self.ink(palette.dim, shade))
            item.left(f" {safe_text(info.venue)}", 12, self.ink(palette.faint, shade))
            lines.append(item.strip(width, self.ink(palette.text, shade)))
        if not found:
            none = self.ink(palette.dim)
            lines.append(Row().add(" nothing fits", none).strip(width, none))
        return lines


class SearchScreen(ModalScreen[InstrumentId | None]):
    """The instrument chosen, None when left."""

    def __init__(self, directory: Directory, palette: Palette) -> None:
        super().__init__()
        self.pane = SearchPane(directory)
        self.pane.palette = palette

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        pane = self.pane
        if event.key == "escape":
            self.dismiss(None)
            return
        if event.key == "enter":
            found = pane.found()
            self.dismiss(found[pane.cursor].instrument_id if found else None)
            return
        if event.key in ("down", "up"):
            pane.cursor += 1 if event.key == "down" else -1
        elif pane.edit.key(event.key, event.character):
            pane.cursor = 0
        pane.redraw()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.pane.edit.insert(event.text)
        self.pane.cursor = 0
        self.pane.redraw()
