"""Adapters: drive PyPI matching engines with the shared workload.

Each adapter is a function ``(messages) -> (seconds of process time, trades)`` where ``trades``
is a list of ``(maker oid, taker oid, price, qty)``.  Only the engine's own public API is used;
what the API makes the caller build per order (order objects, Decimal prices, ...) is inside the
timed loop, the translation back to ``trades`` is kept as cheap as the API allows.  Features an
engine lacks are emulated with its own calls (IOC/market remainder = cancel the remainder).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

Message = tuple[int, int, int, int, int, int]
Trade = tuple[int, int, int, int]
Result = tuple[float, list[Trade]]
LIMIT, IOC, MARKET, CANCEL = 0, 1, 2, 3


def lightmatchingengine(messages: list[Message]) -> Result:
    """gavincyi/LightMatchingEngine: dict of lists, best price by min()/max()."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine

    engine = LightMatchingEngine()
    trades: list[Trade] = []
    far = (1 << 40, 1)
    start = time.process_time()
    for op, oid, _acct, side, price, qty in messages:
        if op == CANCEL:
            try:
                engine.cancel_order(oid, "X")
            except AssertionError:  # a filled order stays in its id map
                pass
            continue
        order, fills = engine.add_order("X", far[side] if op == MARKET else price, qty, side + 1)
        for fill in fills:
            if fill.order_id != oid:
                trades.append((fill.order_id, oid, fill.trade_price, fill.trade_qty))
        if op != LIMIT and order.leaves_qty:
            engine.cancel_order(oid, "X")
    return time.process_time() - start, trades


def liquibook(messages: list[Message]) -> Result:
    """mkipnis wrapper (SWIG directors) over the C++ liquibook; fills call back into Python."""
    import liquibook as lb

    trades: list[Trade] = []

    class OnOrder(lb.OrderListener):
        def __init__(self):
            lb.OrderListener.__init__(self)

        def ignore(self, *_args):
            pass

        on_accept = on_cancel = on_reject = on_cancel_reject = on_replace = on_replace_reject = ignore

        def on_fill(self, incoming, resting, qty, price):
            incoming.fill(qty, price, 0)
            resting.fill(qty, price, 0)
            trades.append((resting.order_id_ - offset, incoming.order_id_ - offset, price, qty))

    book = lb.DepthOrderBook("X")
    listener = OnOrder()
    book.set_order_listener(listener)
    flags = (lb.oc_no_conditions, lb.oc_immediate_or_cancel, lb.oc_immediate_or_cancel)
    offset = lb.SimpleOrder(True, 1, 1).order_id_  # ids come from one process-wide counter
    orders: list[object] = [None]  # our oids are dense; C++ keeps pointers, so keep all alive
    live: set[int] = set()
    start = time.process_time()
    for op, oid, _acct, side, price, qty in messages:
        if op == CANCEL:
            if oid in live and (order := orders[oid]).open_qty():
                book.cancel(order)
                live.discard(oid)
            continue
        if op == LIMIT:
            order = lb.SimpleOrder(side == 0, price, qty)
            live.add(oid)
        else:
            order = lb.SimpleOrder(side == 0, price, qty, 0, flags[op])
        orders.append(order)
        book.add(order, flags[op])
    return time.process_time() - start, trades


PEERS: dict[str, tuple[str, Callable[[list[Message]], Result]]] = {
    # name: (PyPI distribution, adapter)
    "lightmatchingengine": ("lightmatchingengine", lightmatchingengine),
    "liquibook (C++ via SWIG)": ("liquibook", liquibook),
}


def installed(dist: str) -> str | None:
    try:
        return version(dist)
    except PackageNotFoundError:
        return None
