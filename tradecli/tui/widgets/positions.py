"""What the tabs of the blotter say: orders, fills, positions and balances as table lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from exchange.core.terms import (
    BUY,
    DONE_REASONS,
    GTC,
    ORDER_TYPES,
    TIMES_IN_FORCE,
    InstrumentId,
)
from exchange.core.units import Ticks
from exchange.directory import Directory, safe_text
from exchange.views.blotter import Done, Fill, OpenOrder
from exchange.views.equity import Holding
from exchange.views.portfolio import Position
from tradecli.tui.figures import cents, clock_text, grouped, percent, signed, trimmed
from tradecli.tui.widgets.table import Cell, Column, Line

ORDER_COLUMNS: Final = (
    Column("id", is_number=True, weight=4),
    Column("time", is_number=False, weight=2),
    Column("symbol", is_number=False, weight=9),
    Column("side", is_number=False, weight=9),
    Column("type", is_number=False, weight=3),
    Column("quantity", is_number=True, weight=9),
    Column("filled", is_number=True, weight=7),
    Column("limit", is_number=True, weight=9),
    Column("away", is_number=True, weight=5),
    Column("tif", is_number=False, weight=3),
    Column("status", is_number=False, weight=6),
    Column("client id", is_number=False, weight=1),
)
FILL_COLUMNS: Final = (
    Column("trade", is_number=True, weight=2),
    Column("time", is_number=False, weight=6),
    Column("symbol", is_number=False, weight=9),
    Column("side", is_number=False, weight=9),
    Column("quantity", is_number=True, weight=9),
    Column("price", is_number=True, weight=9),
    Column("value", is_number=True, weight=5),
    Column("fee", is_number=True, weight=7),
    Column("as", is_number=False, weight=4),
    Column("order", is_number=True, weight=3),
)
POSITION_COLUMNS: Final = (
    Column("symbol", is_number=False, weight=9),
    Column("quantity", is_number=True, weight=9),
    Column("average", is_number=True, weight=7),
    Column("mark", is_number=True, weight=6),
    Column("value", is_number=True, weight=5),
    Column("unrealised", is_number=True, weight=9),
    Column("%", is_number=True, weight=8),
    Column("realised", is_number=True, weight=4),
    Column("fees", is_number=True, weight=3),
    Column("in", is_number=False, weight=2),
)
BALANCE_COLUMNS: Final = (
    Column("asset", is_number=False, weight=9),
    Column("available", is_number=True, weight=9),
    Column("held", is_number=True, weight=8),
    Column("posted", is_number=True, weight=7),
)
TYPE_WORDS: Final = {"market_to_limit": "mtl"}


def side_cell(side: int) -> Cell:
    return Cell("▲ buy" if side == BUY else "▼ sell", "up" if side == BUY else "down")


def money_cell(text: str) -> Cell:
    color = "down" if text.startswith("-") else "up" if text.strip("0.") else "dim"
    return Cell(signed(text), color)


def order_lines(
    orders: Iterable[OpenOrder],
    done: Iterable[Done],
    directory: Directory,
    marks: Mapping[InstrumentId, Ticks],
) -> list[Line]:
    """Working orders, newest first, then the finished ones, newest first, without a key."""
    lines = [_order_line(order, directory, marks.get(order.instrument, 0), None) for order in orders]
    lines.reverse()
    ended = [_order_line(item.order, directory, 0, item) for item in done]
    ended.reverse()
    return lines + ended


def _order_line(order: OpenOrder, directory: Directory, mark: Ticks, done: Done | None) -> Line:
    number = order.instrument
    color = "text" if done is None else "faint"
    away = percent(order.limit - mark, mark) if order.limit and mark and done is None else ""
    kind = ORDER_TYPES[order.type]
    tif = TIMES_IN_FORCE[order.tif] + (" post" if order.is_post_only else "")
    if done is None:
        status = Cell("partly" if order.filled else "working", "own")
    else:
        status = Cell(DONE_REASONS[done.reason].replace("_", " "), "dim")
    side = side_cell(order.side)
    cells = (
        Cell(str(order.order_id), "dim"),
        Cell(clock_text(order.ts if done is None else done.ts), "dim" if done is None else "faint"),
        Cell(directory.instruments[number].symbol, color),
        side if done is None else Cell(side.text, "faint"),
        Cell(TYPE_WORDS.get(kind, kind) + (" iceberg" if order.display else ""), color),
        Cell(trimmed(grouped(directory.quantity_text(number, order.quantity))), color),
        Cell(trimmed(grouped(directory.quantity_text(number, order.filled))) if order.filled else "-", color),
        Cell(grouped(directory.price_text(number, order.limit)) if order.limit else "market", color),
        Cell(away, "dim"),
        Cell(tif, "dim" if order.tif == GTC or done else "text"),
        status,
        Cell(safe_text(order.client_order_id), "faint"),
    )
    return Line(order.order_id if done is None else 0, cells)


def fill_lines(fills: Iterable[Fill], directory: Directory) -> list[Line]:
    """Newest first."""
    lines = [_fill_line(fill, directory) for fill in fills]
    lines.reverse()
    return lines


def _fill_line(fill: Fill, directory: Directory) -> Line:
    info = directory.instruments[fill.instrument]
    cells = (
        Cell(str(fill.trade_id), "dim"),
        Cell(clock_text(fill.ts), "dim"),
        Cell(info.symbol),
        side_cell(fill.side),
        Cell(trimmed(grouped(directory.quantity_text(fill.instrument, fill.quantity)))),
        Cell(grouped(directory.price_text(fill.instrument, fill.price))),
        Cell(grouped(directory.money_text(info.quote, fill.value(info.unit)))),
        Cell(grouped(directory.money_text(info.quote, fill.fee)), "dim"),
        Cell("maker" if fill.is_maker else "taker", "dim"),
        Cell(str(fill.order_id), "dim"),
    )
    return Line(0, cells)


def position_lines(
    positions: Mapping[InstrumentId, Position], directory: Directory, marks: Mapping[InstrumentId, Ticks]
) -> list[Line]:
    """Open ones by symbol."""
    lines = []
    for number, position in positions.items():
        if not position.quantity:
            continue
        info = directory.instruments[number]
        mark = marks.get(number, 0)
        gain = position.unrealised(mark) if mark else None
        gain_text = "" if gain is None else cents(directory.money_text(info.quote, gain))
        color = money_cell(gain_text).color
        cells = (
            Cell(info.symbol),
            Cell(trimmed(grouped(directory.quantity_text(number, position.quantity)))),
            Cell(grouped(position.average_text(info) or ""), "dim"),
            Cell(grouped(directory.price_text(number, mark)) if mark else "-"),
            Cell(grouped(cents(directory.money_text(info.quote, position.value(mark)))) if mark else "-"),
            money_cell(gain_text) if gain is not None else Cell("-", "dim"),
            Cell(percent(gain, position.cost) if gain is not None else "", color),
            money_cell(cents(directory.money_text(info.quote, position.realised))),
            Cell(grouped(cents(directory.money_text(info.quote, position.fees))), "dim"),
            Cell(directory.asset_symbol(info.quote), "dim"),
        )
        lines.append(Line(number + 1, cells))
    return sorted(lines, key=lambda line: line.cells[0].text)


def balance_lines(holdings: Iterable[Holding], directory: Directory) -> list[Line]:
    lines = []
    for holding in holdings:
        asset = holding.asset
        free = holding.posted - holding.held
        cells = (
            Cell(directory.asset_symbol(asset), "text", is_bold=True),
            Cell(grouped(directory.money_text(asset, free))),
            Cell(grouped(directory.money_text(asset, holding.held)) if holding.held else "-", "own"),
            Cell(grouped(directory.money_text(asset, holding.posted)), "dim"),
        )
        lines.append(Line(asset + 1, cells))
    return lines
