"""A screen's exchange process, scripts that attach to it, and what is left when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import exchange
from exchange import bootstrap
from exchange.adapters.local_client import LocalClient
from exchange.adapters.local_socket import socket_path
from exchange.bootstrap import open_client
from exchange.client import Client, Update
from exchange.config import Config
from exchange.core.messages import OrderAccepted, PlaceOrder
from exchange.core.terms import BUY, LIMIT
from exchange.directory import Directory
from exchange.errors import ConnectionLost, ExchangeError
from exchange.runtime.embedded import EmbeddedClient
from tests.contracts.running import quiet_config

ROOT = str(Path(exchange.__file__).parents[1])
ENOUGH = 40  # acknowledged orders before the owner is killed


@pytest.fixture(autouse=True)
def findable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.delenv("TRADECLI_HOME", raising=False)
    yield
    for child in bootstrap.STARTED:
        if child.poll() is None:
            child.kill()
        child.wait(60)
    bootstrap.STARTED.clear()


def screen(config: Config) -> tuple[Client, subprocess.Popen[bytes]]:
    client = open_client(config, start_owner=True)
    assert isinstance(client, LocalClient)
    return client, bootstrap.STARTED[-1]


def order(client: Client, name: str) -> PlaceOrder:
    names = Directory.from_rows(client.query("directory"))
    return PlaceOrder(names.account_id("main"), 0, BUY, LIMIT, 100, 6_000_000, client_order_id=name)


def test_a_script_places_orders_while_a_screen_is_open(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    client, owner = screen(config)
    updates = client.watch()
    code = """
import sys
from exchange.bootstrap import open_client
from exchange.config import load_config
from exchange.core.messages import PlaceOrder
client = open_client(load_config(home=sys.argv[1], environ={}))
account = client.query("directory")["accounts"].index(["main", 1, 1])
print(type(client).__name__)
print(client.send([PlaceOrder(account, 0, 1, 2, 100, 6_000_000, client_order_id="script-1")])[0].order_id)
client.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    kind, order_id = done.stdout.split()
    assert kind == "LocalClient"
    accepted = next(updates).events[0]
    assert isinstance(accepted, OrderAccepted)
    assert (accepted.order_id, accepted.order.client_order_id) == (int(order_id), "script-1")
    client.close()
    assert owner.wait(60) == 0


def test_a_second_screen_shares_the_first_ones_exchange(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    first, owner = screen(config)
    second = open_client(config, start_owner=True)
    assert len(bootstrap.STARTED) == 1
    first.close()
    assert second.query("status")["open_orders"] == 0
    second.close()
    assert owner.wait(60) == 0
    assert not socket_path(config.folder).exists()


def test_a_killed_owner_loses_nothing_it_had_acknowledged(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    client, owner = screen(config)
    updates = client.watch()
    acknowledged: list[str] = []
    enough = threading.Event()

    def trade() -> None:
        script = open_client(config)
        try:
            for number in range(1_000_000):
                (receipt,) = script.send([order(client, f"o-{number}")])
                assert receipt.reject is None
                acknowledged.append(f"o-{number}")
                if number == ENOUGH:
                    enough.set()
        except ExchangeError:
            pass
        finally:
            enough.set()
            script.close()

    trading = threading.Thread(target=trade)
    trading.start()
    assert enough.wait(60)
    owner.send_signal(signal.SIGKILL)
    assert owner.wait(60) == -signal.SIGKILL
    trading.join(60)
    seen: list[Update] = []
    with pytest.raises(ConnectionLost):
        seen.extend(updates)
    with pytest.raises(ConnectionLost):
        client.query("status")
    client.close()

    after = open_client(config)
    assert isinstance(after, EmbeddedClient)
    kept = {row["client_order_id"] for row in after.query("orders", account="main")}
    assert len(acknowledged) > ENOUGH
    assert kept >= set(acknowledged)
    assert len(kept) <= len(acknowledged) + 1
    history = {row["client_order_id"] for row in after.query("order_history", account="main", limit=10_000)}
    assert history == kept
    after.close()


def test_a_screen_can_start_again_after_a_kill(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    client, owner = screen(config)
    (receipt,) = client.send([order(client, "before")])
    owner.kill()
    owner.wait(60)
    client.close()
    assert socket_path(config.folder).exists()
    client, owner = screen(config)
    (again,) = client.send([order(client, "before")])
    assert again.reject is not None
    assert again.reject.reason == "order.exists"
    assert again.order_id == receipt.order_id
    client.close()
    assert owner.wait(60) == 0


def test_sigterm_finishes_what_was_accepted_and_tells_everybody(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    client, owner = screen(config)
    updates = client.watch()
    receipts = client.send([order(client, f"o-{number}") for number in range(200)])
    owner.terminate()
    assert owner.wait(60) == 0
    seen = list(islice(updates, 200))
    assert [update.seq for update in seen] == [receipt.seq for receipt in receipts]
    with pytest.raises(ConnectionLost, match=r"stopping|closed"):
        next(updates)
    client.close()
    assert not socket_path(config.folder).exists()
    assert (tmp_path / bootstrap.LOG).read_text() == ""
    after = open_client(config)
    assert after.query("status")["open_orders"] == 200
    after.close()


def test_a_market_lives_in_the_owner(tmp_path: Path) -> None:
    config = quiet_config(tmp_path, **{"market.feed": "living", "market.speed": 20})
    client, owner = screen(config)
    updates = client.watch()
    first = next(updates)
    later = next(update for update in updates if update.ts > first.ts)
    assert later.seq > first.seq
    assert client.query("candles", instrument="BTC-USDC", timeframe="1m")
    client.close()
    assert owner.wait(60) == 0


def test_it_is_one_process_whoever_asks_at_once(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    clients: list[Client] = []

    def come() -> None:
        clients.append(open_client(config, start_owner=True))

    threads = [threading.Thread(target=come) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(clients) == 3
    pids = {(tmp_path / "lock").read_text().strip()}
    for number, client in enumerate(clients):
        assert client.send([order(client, f"c-{number}")])[0].reject is None
    assert clients[0].query("status")["open_orders"] == 3
    assert pids < {str(child.pid) for child in bootstrap.STARTED} | {str(os.getpid())}
    for client in clients:
        client.close()
    for child in bootstrap.STARTED:
        assert child.wait(60) in (0, 75)
