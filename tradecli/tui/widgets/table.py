"""Columns of a table drawn row by row: which fit, how wide, and the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.strip import Strip

from tradecli.tui.figures import compact
from tradecli.tui.widgets.surface import Row, Surface

GAP = 2


class Column(NamedTuple):
    """weight: the lower, the sooner the column goes when there is no room; 9 stays."""

    head: str
    is_number: bool
    weight: int


class Cell(NamedTuple):
    """color: name of a palette field."""

    text: str
    color: str = "text"
    is_bold: bool = False


class Line(NamedTuple):
    """key: what the row stands for, such as an order id; 0 for none."""

    key: int
    cells: tuple[Cell, ...]


def widths_of(columns: Sequence[Column], lines: Sequence[Line], room: int) -> list[int]:
    """Cells per column, 0 for one that is left out.  Every row counts, so scrolling never shifts."""
    needs = [cell_len(column.head) for column in columns]
    for line in lines:
        for at, cell in enumerate(line.cells):
            needs[at] = max(needs[at], cell_len(cell.text))
    kept = set(range(len(columns)))
    while sum(needs[at] + GAP for at in kept) > room:
        weakest = min(kept, key=lambda at: (columns[at].weight, -at))
        if columns[weakest].weight >= 9:
            break
        kept.discard(weakest)
    return [need if at in kept else 0 for at, need in enumerate(needs)]


def head_strip(surface: Surface, columns: Sequence[Column], widths: Sequence[int], width: int) -> Strip:
    style = surface.ink(surface.palette.faint)
    row = Row()
    for column, cells in zip(columns, widths, strict=True):
        if cells:
            row.add(" ", style)
            if column.is_number:
                row.right(column.head, cells, style)
            else:
                row.left(column.head, cells, style)
            row.add(" ", style)
    return row.strip(width, style)


def line_strip(
    surface: Surface, columns: Sequence[Column], widths: Sequence[int], line: Line, background: str
) -> Strip:
    palette = surface.palette
    plain = surface.ink(palette.text, background)
    row = Row()
    for column, cells, cell in zip(columns, widths, line.cells, strict=True):
        if not cells:
            continue
        style = surface.ink(getattr(palette, cell.color), background, bold=cell.is_bold)
        row.add(" ", plain)
        if column.is_number:
            row.right(compact(cell.text, cells) if len(cell.text) > cells else cell.text, cells, style)
        else:
            row.left(cell.text, cells, style)
        row.add(" ", plain)
    return row.strip(surface.size.width, plain)
