"""The screen as an SVG that needs no font of its own: blocks and lines are drawn as shapes.

The layers are what the panes draw, so a picture is the screen and not a copy of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from textual.app import App
from textual.screen import ModalScreen
from textual.strip import Strip

from tradecli.tui.theme import palette_of
from tradecli.tui.widgets.surface import Surface

CELL_X: Final = 10
CELL_Y: Final = 20
FONT_SIZE: Final = 16
BASELINE: Final = 15
FRAME: Final = 12
FONTS: Final = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"
PHRASE: Final = re.compile(r"\S+(?: \S+)*")
# left, top, right, bottom of the ink in a cell of 80 x 80 parts.
SHAPES: Final[dict[str, tuple[tuple[int, int, int, int], ...]]] = {
    "█": ((0, 0, 80, 80),),
    "▀": ((0, 0, 80, 40),),
    "▄": ((0, 40, 80, 80),),
    "▌": ((0, 0, 40, 80),),
    "▎": ((0, 0, 20, 80),),
    **{glyph: ((0, 80 - 10 * at, 80, 80),) for at, glyph in enumerate("▁▂▃▄▅▆▇", start=1)},
    "│": ((36, 0, 44, 80),),
    "╵": ((36, 0, 44, 40),),
    "╷": ((36, 40, 44, 80),),
    "─": ((0, 38, 80, 42),),
    "━": ((0, 36, 80, 44),),
    "┈": ((10, 38, 30, 42), (50, 38, 70, 42)),
    "╌": ((5, 38, 35, 42), (45, 38, 75, 42)),
    "┊": ((36, 10, 44, 25), (36, 45, 44, 60)),
}


class Piece(NamedTuple):
    """One styled run of a row.  x, y: cells."""

    x: int
    y: int
    text: str
    color: str
    background: str
    is_bold: bool


def picture(app: App[None]) -> str:
    """What the app shows now, every layer of it."""
    width, height = app.size
    palette = palette_of(app.theme_variables)
    parts = [_head(width, height, palette.gap)]
    for screen in app.screen_stack:
        if isinstance(screen, ModalScreen):
            cover = _rect(0, 0, width * CELL_X, height * CELL_Y, palette.gap)
            parts.append(cover.replace("/>", ' opacity=".6"/>'))
        parts += _layers(screen.query(Surface))
    return "\n".join([*parts, "</g></svg>", ""])


def _head(width: int, height: int, background: str) -> str:
    wide, high = width * CELL_X + 2 * FRAME, height * CELL_Y + 2 * FRAME
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}">\n'
        f"<style>text{{font:{FONT_SIZE}px {FONTS};white-space:pre}}.b{{font-weight:bold}}</style>\n"
        f'<rect width="{wide}" height="{high}" rx="8" fill="{background}"/>\n'
        f'<g transform="translate({FRAME} {FRAME})" shape-rendering="crispEdges">'
    )


def _layers(surfaces: Iterable[Surface]) -> Iterator[str]:
    """Panes in the order they lie on each other."""
    shown = [surface for surface in surfaces if surface.region.area and surface.display]
    for surface in sorted(shown, key=lambda surface: surface.styles.layer == "overlay"):
        left, top = surface.region.offset
        rows = [surface.render_line(y) for y in range(surface.size.height)]
        pieces = [piece for y, strip in enumerate(rows) for piece in _row(strip, left, top + y)]
        cells = Counter[str]()
        for piece in pieces:
            cells[piece.background] += len(piece.text)
        ground = cells.most_common(1)[0][0]
        size = (surface.size.width * CELL_X, surface.size.height * CELL_Y)
        yield _rect(left * CELL_X, top * CELL_Y, *size, ground)
        yield from _drawn(pieces, ground)


def _row(strip: Strip, left: int, y: int) -> Iterator[Piece]:
    x = left
    for segment in strip:
        style = segment.style
        assert style is not None
        assert style.color is not None
        assert style.bgcolor is not None
        yield Piece(x, y, segment.text, style.color.name, style.bgcolor.name, bool(style.bold))
        x += segment.cell_length


def _drawn(pieces: Iterable[Piece], ground: str) -> Iterator[str]:
    for piece in pieces:
        if piece.background != ground:
            wide = len(piece.text) * CELL_X
            yield _rect(piece.x * CELL_X, piece.y * CELL_Y, wide, CELL_Y, piece.background)
        yield from _shapes(piece)
        yield from _texts(piece)


def _rect(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{color}"/>'


def _shapes(piece: Piece) -> Iterator[str]:
    at = 0
    text = piece.text
    while at < len(text):
        end = at + 1
        shapes = SHAPES.get(text[at], ())
        if len(shapes) == 1 and shapes[0][0] == 0 and shapes[0][2] == 80:  # neighbours join
            while end < len(text) and text[end] == text[at]:
                end += 1
        for left, top, right, bottom in shapes:
            x = (piece.x + at) * CELL_X + left * CELL_X / 80
            wide = (end - at - 1) * CELL_X + (right - left) * CELL_X / 80
            y = piece.y * CELL_Y + top * CELL_Y / 80
            yield _rect(x, y, wide, (bottom - top) * CELL_Y / 80, piece.color)
        at = end


def _texts(piece: Piece) -> Iterator[str]:
    """Phrases, each stretched to its cells so that columns stand in line with any font."""
    text = "".join(" " if glyph in SHAPES else glyph for glyph in piece.text)
    bold = ' class="b"' if piece.is_bold else ""
    for match in PHRASE.finditer(text):
        x, y = (piece.x + match.start()) * CELL_X, piece.y * CELL_Y + BASELINE
        words = match.group()
        yield (
            f'<text x="{x}" y="{y}" textLength="{len(words) * CELL_X}"{bold} fill="{piece.color}">'
            f"{escape(words)}</text>"
        )
