"""A store on disk and the two ways to reach it: in this process, or attached to an owner in a thread."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from exchange.adapters.local_client import LocalClient
from exchange.adapters.local_socket import socket_path
from exchange.bootstrap import open_client, run_owner
from exchange.client import Client
from exchange.config import LOCAL_USER, Config, load_config
from exchange.errors import ExchangeError

PATIENCE = 60.0  # seconds; reached only when something hangs


def quiet_config(home: Path, **flags: object) -> Config:
    """Nobody trades but the test."""
    return load_config(home=home, environ={}, flags={"market.feed": "none", **flags})


class RunningOwner:
    """The exchange process's code in a thread.  It leaves with its last client."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.error: ExchangeError | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            run_owner(self.config, first_seconds=PATIENCE, linger_seconds=0.0)
        except ExchangeError as error:
            self.error = error

    def __enter__(self) -> RunningOwner:
        self._thread.start()
        self.first = self.attach()
        return self

    def attach(self) -> Client:
        """Waits for the socket."""
        path = socket_path(self.config.folder)
        pause = threading.Event()
        for _ in range(6_000):
            if path.exists():
                return LocalClient(path, LOCAL_USER)
            assert self._thread.is_alive(), self.error
            pause.wait(0.01)
        raise AssertionError("the owner does not listen")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.first.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def embedded(config: Config) -> Client:
    return open_client(config)
