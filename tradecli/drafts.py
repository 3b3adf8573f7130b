"""What a line of the order grammar means, before it has an account: one class per kind of line."""

from __future__ import annotations

from typing import TypeAlias

from exchange.core.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder, ReplaceOrder


class OrderDraft:
    """A new order, complete but for the account.  Fields as in ``PlaceOrder``."""

    __slots__ = (
        "client_order_id",
        "display",
        "expires",
        "instrument",
        "is_post_only",
        "is_preview",
        "limit",
        "quantity",
        "side",
        "stp",
        "tif",
        "type",
    )

    def __init__(self, side: int, instrument: int) -> None:
        self.side = side
        self.instrument = instrument
        self.type = 0
        self.quantity = 0
        self.limit = 0
        self.tif = 0
        self.display = 0
        self.expires = 0
        self.is_post_only = False
        self.stp = 0
        self.client_order_id = ""
        self.is_preview = False

    def command(self, account: int) -> PlaceOrder:
        return PlaceOrder(
            account=account,
            instrument=self.instrument,
            side=self.side,
            type=self.type,
            quantity=self.quantity,
            limit=self.limit,
            tif=self.tif,
            display=self.display,
            expires=self.expires,
            is_post_only=self.is_post_only,
            stp=self.stp,
            client_order_id=self.client_order_id,
        )


class CancelDraft:
    """One order to cancel, by order id or, if that is 0, by client order id."""

    __slots__ = ("client_order_id", "is_preview", "order_id")

    def __init__(self, order_id: int, client_order_id: str) -> None:
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.is_preview = False

    def command(self, account: int) -> CancelOrder:
        return CancelOrder(account, self.order_id, self.client_order_id)


class CancelAllDraft:
    """Every open order; instrument -1 and side 0 mean any."""

    __slots__ = ("instrument", "is_preview", "side")

    def __init__(self) -> None:
        self.instrument = -1
        self.side = 0
        self.is_preview = False

    def command(self, account: int) -> CancelAll:
        return CancelAll(account=account, instrument=self.instrument, side=self.side)


class ModifyDraft:
    """New total quantity or limit of a resting order; 0 leaves it.   is_replace: back of the queue."""

    __slots__ = (
        "client_order_id",
        "instrument",
        "is_preview",
        "is_replace",
        "limit",
        "new_client_order_id",
        "order_id",
        "quantity",
    )

    def __init__(self, order_id: int, client_order_id: str, instrument: int) -> None:
        self.order_id = order_id
        self.client_order_id = client_order_id
        self.instrument = instrument
        self.quantity = 0
        self.limit = 0
        self.is_replace = False
        self.new_client_order_id = ""
        self.is_preview = False

    def command(self, account: int) -> ModifyOrder | ReplaceOrder:
        if self.is_replace:
            return ReplaceOrder(
                account, self.order_id, self.quantity, self.limit, self.new_client_order_id, self.instrument
            )
        return ModifyOrder(
            account, self.order_id, self.client_order_id, self.quantity, self.limit, self.instrument
        )


Draft: TypeAlias = OrderDraft | CancelDraft | CancelAllDraft | ModifyDraft
