"""One line of text under the keys."""

from __future__ import annotations

from tradecli.tui.line_edit import LENGTH_MAX, LineEdit


def typed(edit: LineEdit, *keys: str) -> str:
    """Keys by name; a single letter is itself."""
    for key in keys:
        edit.key(key, key if len(key) == 1 else None)
    return f"{edit.text[: edit.caret]}|{edit.text[edit.caret :]}"


def test_letters_go_in_at_the_caret() -> None:
    assert typed(LineEdit("ac"), "left", "b") == "ab|c"


def test_caret_keys_stay_inside() -> None:
    assert typed(LineEdit("ab"), "right") == "ab|"
    assert typed(LineEdit("ab"), "home", "left") == "|ab"
    assert typed(LineEdit("ab"), "home", "end") == "ab|"


def test_cutting() -> None:
    assert typed(LineEdit("abc"), "backspace") == "ab|"
    assert typed(LineEdit("abc"), "home", "backspace", "delete") == "|bc"
    assert typed(LineEdit("abc"), "left", "ctrl+u") == "|c"
    assert typed(LineEdit("abc"), "left", "ctrl+k") == "ab|"
    assert typed(LineEdit("buy BTC 0.5"), "ctrl+w", "ctrl+w") == "buy |"


def test_the_first_key_replaces_a_selection() -> None:
    edit = LineEdit("64250.50")
    edit.select()
    assert typed(edit, "7") == "7|"
    edit.select()
    assert typed(edit, "backspace") == "|"
    edit = LineEdit("12")
    edit.select()
    assert typed(edit, "left", "0") == "1|0|2".replace("|0|", "0|")


def test_only_printable_text_is_taken() -> None:
    edit = LineEdit()
    edit.insert("a\x1b[31mb\nc\u202e")
    assert edit.text == "a[31mbc"
    assert not edit.key("escape", "\x1b")
    edit.insert("x" * 999)
    assert len(edit.text) == LENGTH_MAX
