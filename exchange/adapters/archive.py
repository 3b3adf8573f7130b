"""The read models of one store, opened when first needed and fed behind the acknowledgement.

An order never comes here: nothing heavy is imported before somebody asks about the past.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exchange.adapters.disk import LocalDisk
from exchange.adapters.snapshots import FileSnapshots
from exchange.adapters.store import SNAPSHOTS
from exchange.client import Update
from exchange.directory import Directory
from exchange.errors import ConnectionLost
from exchange.runtime.sequencer import Exchange

if TYPE_CHECKING:
    from exchange.adapters.sql.read_models import ReadModels

FILE: Final = "exchange.db"


class Archive:
    """``History`` (``exchange.runtime.lookup``) over the file beside the journal."""

    names: Final = frozenset(
        {
            "candles",
            "fills",
            "notices",
            "order",
            "order_history",
            "pnl",
            "positions",
            "statement",
            "trades",
        }
    )

    def __init__(self, home: Path, exchange: Exchange) -> None:
        """Make it when nothing of the exchange is undelivered."""
        self._home = home
        self._journal = exchange.journal
        self._delivered = exchange.state.seq
        self._opening = threading.Lock()
        self._models: ReadModels | None = None
        self._is_closed = False
        exchange.listeners.append(self.follow)

    def follow(self, updates: Sequence[Update]) -> None:
        """Remembers how far the exchange has come; what is missed is read from the journal later."""
        if updates:
            self._delivered = updates[-1].seq
            if self._models is not None:
                self._models.follow(updates)

    def query(self, name: str, directory: Directory, **params: Any) -> Any:
        models = self.opened()
        models.expect(self._delivered)  # what came while the file was opened is read from the journal
        return models.query(name, directory, **params)

    def opened(self) -> ReadModels:
        """Raises ExchangeError when the file does not fit the journal, ConnectionLost when closing."""
        with self._opening:
            if self._is_closed:
                raise ConnectionLost("the exchange is stopping")
            if self._models is None:
                from exchange.adapters.sql.read_models import ReadModels, journal_source

                instance: bytes = getattr(self._journal, "instance", b"")
                snapshots = FileSnapshots(LocalDisk(self._home / SNAPSHOTS), instance)
                source = journal_source(self._journal, snapshots)
                end = self._delivered
                self._models = ReadModels(self._home / FILE, source, end=end, journal=instance.hex())
            return self._models

    def close(self) -> None:
        with self._opening:
            self._is_closed = True
            models, self._models = self._models, None
        if models is not None:
            models.close()
