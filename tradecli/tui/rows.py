"""Rows of queries back into the objects the views fold: the text of the wire into ticks and lots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.core.messages import PlaceOrder
from exchange.core.terms import ORDER_TYPES, SIDES, TIMES_IN_FORCE, InstrumentId
from exchange.core.units import MICRO, SECOND, Lots, Minor, Nanos, Ticks
from exchange.directory import Directory, decimal_steps
from exchange.errors import ProtocolError
from exchange.views.blotter import Fill, OpenOrder
from exchange.views.depth import Row as Level
from exchange.views.equity import Holding
from exchange.views.portfolio import Position
from exchange.views.tape import Print

QueryRow = Mapping[str, Any]


def nanos_of(text: str) -> Nanos:
    """ISO-8601 UTC with microseconds, exact."""
    from datetime import datetime

    moment = datetime.fromisoformat(text)
    return int(moment.replace(microsecond=0).timestamp()) * SECOND + moment.microsecond * MICRO


def steps(text: str, decimals: int) -> int:
    """A decimal of a row times 10**decimals; rows may be negative or zero, unlike what people type."""
    value = decimal_steps(text.removeprefix("-"), decimals)
    if value is None:
        raise ProtocolError(
            f"the exchange answered {text[:40]!r} where a decimal with {decimals} digits belongs"
        )
    return -value if text.startswith("-") else value


def price_of(text: str | None, directory: Directory, instrument: InstrumentId) -> Ticks:
    """0 for none."""
    info = directory.instruments[instrument]
    return steps(text, info.price_decimals) // info.tick_units if text else 0


def lots_of(text: str | None, directory: Directory, instrument: InstrumentId) -> Lots:
    info = directory.instruments[instrument]
    return steps(text, info.quantity_decimals) // info.lot_units if text else 0


def money_of(text: str, directory: Directory, asset: int) -> Minor:
    return steps(text, directory.assets[asset][1])


def levels_of(rows: list[list[Any]], directory: Directory, instrument: InstrumentId) -> list[Level]:
    return [
        (price_of(price, directory, instrument), lots_of(lots, directory, instrument), orders)
        for price, lots, orders in rows
    ]


def order_of(row: QueryRow, directory: Directory) -> OpenOrder:
    number = directory.instrument(row["symbol"]).instrument_id
    quantity = lots_of(row["quantity"], directory, number)
    command = PlaceOrder(
        directory.account_id(row["account"]),
        number,
        SIDES.index(row["side"]),
        ORDER_TYPES.index(row["type"]),
        quantity,
        tif=TIMES_IN_FORCE.index(row["tif"]),
        display=lots_of(row["display"], directory, number),
        client_order_id=row["client_order_id"] or "",
    )
    limit = price_of(row["limit"], directory, number)
    order = OpenOrder(row["order_id"], nanos_of(row["time"]), limit, command)
    order.leaves = lots_of(row["leaves"], directory, number)
    return order


def fill_of(row: QueryRow, directory: Directory) -> Fill:
    info = directory.instrument(row["symbol"])
    number = info.instrument_id
    return Fill(
        row["trade_id"],
        nanos_of(row["time"]),
        number,
        row["order_id"],
        SIDES.index(row["side"]),
        price_of(row["price"], directory, number),
        lots_of(row["quantity"], directory, number),
        money_of(row["fee"], directory, info.quote),
        row["liquidity"] == "maker",
    )


def print_of(row: QueryRow, directory: Directory) -> Print:
    number = directory.instrument(row["symbol"]).instrument_id
    return Print(
        row["trade_id"],
        nanos_of(row["time"]),
        price_of(row["price"], directory, number),
        lots_of(row["quantity"], directory, number),
        SIDES.index(row["side"]),
    )


def holding_of(row: QueryRow, directory: Directory) -> Holding:
    asset = directory.asset_id(row["asset"])
    return Holding(asset, money_of(row["posted"], directory, asset), money_of(row["held"], directory, asset))


def position_of(row: QueryRow, directory: Directory) -> tuple[InstrumentId, Position]:
    """At average cost; the single lots that FIFO profit needs are not in the row."""
    info = directory.instrument(row["symbol"])
    position = Position(info.unit)
    position.quantity = lots_of(row["quantity"], directory, info.instrument_id)
    position.cost = money_of(row["cost"], directory, info.quote)
    position.realised = money_of(row["realised"], directory, info.quote)
    position.fees = money_of(row["fees"], directory, info.quote)
    return info.instrument_id, position
