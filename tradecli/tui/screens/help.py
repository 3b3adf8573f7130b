"""Every key and every command line, made from the one table."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.strip import Strip

from tradecli.tui import command_line
from tradecli.tui.actions import ACTIONS, key_text
from tradecli.tui.theme import Palette
from tradecli.tui.widgets.surface import Row, Surface

KEY_CELLS = 7
COLUMN_MIN = 52


class HelpPane(Surface, can_focus=True):
    """keymap: the person's own keys by action."""

    IS_RAISED = True

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self.keymap = keymap
        self.top = 0

    def items(self) -> list[tuple[str, str]]:
        """(keys, text) in reading order; a heading has no keys, a blank line neither."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for action in ACTIONS:
            groups.setdefault(action.group, []).append((key_text(action.name, self.keymap), action.help))
        items: list[tuple[str, str]] = []
        for name, lines in groups.items():
            items += [("", name), *lines, ("", "")]
        items += [("", "Order ticket")]
        items += [("Enter", "review"), ("y", "send what was reviewed, once"), ("Esc", "back, then close")]
        items += [("↑ ↓", "field"), ("← →", "choose, or a letter"), ("+ -", "limit by a tick"), ("", "")]
        items.append(("", "Command bar"))
        items += [(f": {line}", text) for line, text in command_line.HELP]
        return items

    def draw(self, width: int, height: int) -> list[Strip]:
        palette = self.palette
        items = self.items()
        columns = max(width // COLUMN_MIN, 1)
        page = max(height - 1, 1)
        rows = -(-len(items) // columns)
        self.top = max(0, min(self.top, rows - page))
        plain = self.ink(palette.text)
        right = "↑↓ scroll  Esc close" if rows > page else "Esc close"
        lines = [self.title_row(width, "Help", right)]
        cells = width // columns
        for y in range(self.top, min(self.top + page, rows)):
            row = Row()
            for column in range(columns):
                at = column * rows + y
                if at < len(items):
                    self._item(row, items[at], cells)
                row.fill(cells * (column + 1), plain)
            lines.append(row.strip(width, plain))
        return lines

    def _item(self, row: Row, item: tuple[str, str], cells: int) -> None:
        palette = self.palette
        keys, text = item
        end = row.width + cells
        if not keys:
            row.left(f" {text}", cells, self.ink(palette.own, bold=True))
            return
        row.add(f"  {keys.ljust(KEY_CELLS)} ", self.ink(palette.accent, bold=True))
        row.left(text, max(end - row.width, 0), self.ink(palette.text))


class HelpScreen(ModalScreen[None]):
    def __init__(self, keymap: Mapping[str, str], palette: Palette) -> None:
        super().__init__()
        self.pane = HelpPane(keymap)
        self.pane.palette = palette

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        page = max(self.pane.size.height - 1, 1)
        by = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": page, "pageup": -page, "space": page}.get(
            event.key
        )
        if by is not None:
            self.pane.top += by
            self.pane.redraw()
        elif event.key in ("escape", "q", "question_mark", "enter"):
            self.dismiss()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.pane.top += 2
        self.pane.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.pane.top -= 2
        self.pane.redraw()
