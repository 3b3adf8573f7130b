"""One line of text with a caret, as keys change it.  No widget: it is drawn where it is used."""

from __future__ import annotations

from typing import Final

from exchange.directory import safe_text

LENGTH_MAX: Final = 200


class LineEdit:
    """caret: 0..len(text).   is_selected: what is typed next takes the place of all of it."""

    __slots__ = ("caret", "is_selected", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.caret = len(text)
        self.is_selected = False

    def select(self) -> None:
        self.caret = len(self.text)
        self.is_selected = bool(self.text)

    def insert(self, text: str) -> None:
        """Typed or pasted text; what is no printable character is dropped."""
        if self.is_selected:
            self._cut(0, len(self.text))
        self.is_selected = False
        clean = safe_text(text)[: LENGTH_MAX - len(self.text)]
        self.text = self.text[: self.caret] + clean + self.text[self.caret :]
        self.caret += len(clean)

    def key(self, key: str, character: str | None) -> bool:
        """True if the key changed text or caret."""
        before = (self.text, self.caret, self.is_selected)
        was_selected, self.is_selected = self.is_selected, False
        if was_selected and key in ("backspace", "delete"):
            self._cut(0, len(self.text))
        elif key == "left":
            self.caret = max(self.caret - 1, 0)
        elif key == "right":
            self.caret = min(self.caret + 1, len(self.text))
        elif key == "home":
            self.caret = 0
        elif key in ("end", "ctrl+e"):
            self.caret = len(self.text)
        elif key == "backspace" and self.caret:
            self._cut(self.caret - 1, self.caret)
        elif key == "delete":
            self._cut(self.caret, self.caret + 1)
        elif key == "ctrl+u":
            self._cut(0, self.caret)
        elif key == "ctrl+k":
            self._cut(self.caret, len(self.text))
        elif key == "ctrl+w":
            head = self.text[: self.caret].rstrip()
            self._cut(head.rfind(" ") + 1, self.caret)
        elif character is not None and character.isprintable():
            self.is_selected = was_selected
            self.insert(character)
        return before != (self.text, self.caret, self.is_selected)

    def _cut(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.caret = start
