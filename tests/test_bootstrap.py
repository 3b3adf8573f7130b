"""From settings to a client: a new store is founded, an old one brought up to date, a busy one awaited."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import exchange
from exchange import bootstrap
from exchange.adapters.clock import SystemClock
from exchange.adapters.disk import StoreLock
from exchange.adapters.local_client import LocalClient
from exchange.adapters.store import LOCK, open_exchange
from exchange.bootstrap import FOUNDED, open_client, run_owner, settings_environment
from exchange.client import Client
from exchange.config import SETTINGS, Config, load_config
from exchange.core.commands import ListAsset, RegisterUser, ResetAccount
from exchange.core.terms import ROLE_SUPER_ADMIN, SYSTEM_USER
from exchange.errors import ConfigError, ConnectionLost, ExchangeError, JournalFailed, StoreLocked
from exchange.listing import shipped_file
from exchange.runtime.embedded import EmbeddedClient
from exchange.runtime.sequencer import Exchange
from tests.contracts.running import RunningOwner, quiet_config


def once(config: Config, ask: Callable[[Client], object]) -> object:
    client = open_client(config)
    try:
        return ask(client)
    finally:
        client.close()


def seq_of(client: Client) -> object:
    return client.query("status")["seq"]


def posted(client: Client, account: str = "main") -> dict[str, str]:
    return {row["asset"]: row["posted"] for row in client.query("balances", account=account)}


def owned(client: Client) -> list[str]:
    return [row["account"] for row in client.query("accounts") if row["owner"] == "local"]


# -- founding --------------------------------------------------------------------------------------


def test_a_new_store_has_instruments_the_person_and_their_money(tmp_path: Path) -> None:
    client = open_client(quiet_config(tmp_path))
    assert isinstance(client, EmbeddedClient)
    assert len(client.query("instruments")) == 14
    assert {"user": "local", "role": "super_admin"} in client.query("users")
    assert owned(client) == ["main"]
    assert posted(client)["USDC"] == "100000.00000000"
    assert posted(client)["AAPL"] == "200"
    client.close()


def test_the_next_start_changes_nothing_and_need_not_read_the_instruments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quiet_config(tmp_path)
    first = once(config, seq_of)
    monkeypatch.setattr("exchange.founding.read_master", None)
    assert once(config, seq_of) == first
    (tmp_path / FOUNDED).unlink()
    monkeypatch.undo()
    assert once(config, seq_of) == first


def test_starting_balances_are_those_of_the_settings(tmp_path: Path) -> None:
    config = quiet_config(tmp_path, **{"account.balances": "USD=12.5,BTC=0.00000001,ETH=0"})
    assert once(config, posted) == {"USD": "12.50", "BTC": "0.00000001"}


def test_no_starting_balances(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[account.balances]\n")
    assert once(quiet_config(tmp_path), posted) == {}


@pytest.mark.parametrize(
    ("balances", "part"),
    [
        ("EUR=5", r"account.balances.EUR: there is no asset 'EUR'"),
        ("USD=0.001", r"account.balances.USD: amount 0.001 is not a whole number of steps"),
        (f"USD=1{'0' * 30}", r"account.balances.USD: amount .* is above the limit"),
    ],
)
def test_a_balance_that_cannot_be_is_an_error_and_the_store_is_given_back(
    tmp_path: Path, balances: str, part: str
) -> None:
    with pytest.raises(ConfigError, match=part):
        open_client(quiet_config(tmp_path, **{"account.balances": balances}))
    assert once(quiet_config(tmp_path), owned) == ["main"]


def test_another_account_name_opens_another_funded_account(tmp_path: Path) -> None:
    once(quiet_config(tmp_path), owned)
    config = quiet_config(tmp_path, **{"account.name": "second", "account.balances": "USD=5"})
    client = open_client(config)
    assert owned(client) == ["main", "second"]
    assert posted(client, "second") == {"USD": "5.00"}
    client.close()


def test_the_account_must_be_ones_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"account.name: fees belongs to system, not to local"):
        open_client(quiet_config(tmp_path, **{"account.name": "fees"}))


def test_founding_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    store = open_exchange(tmp_path, SystemClock())
    commands = [ListAsset(symbol="USDC", exponent=8), RegisterUser(name="local", role=ROLE_SUPER_ADMIN)]
    store.commit([(SYSTEM_USER, command) for command in commands])
    store.close()
    client = open_client(quiet_config(tmp_path))
    assert len(client.query("instruments")) == 14
    assert posted(client)["USDC"] == "100000.00000000"
    client.close()


def test_an_account_that_was_reset_is_not_paid_again(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    client = open_client(config)
    account = client.query("directory")["accounts"].index(["main", 1, 1])
    client.send([ResetAccount(account=account)])
    client.close()
    (tmp_path / FOUNDED).unlink()
    assert set(once(config, posted).values()) <= {"0.00000000", "0.000000000", "0.00", "0"}  # type: ignore[attr-defined]


def test_a_changed_instrument_file_takes_effect_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = shipped_file().read_text()
    path.write_text(text)
    config = quiet_config(tmp_path, **{"market.instruments": str(path)})
    before = once(config, lambda client: client.query("instruments")[0]["band_ppm"])
    path.write_text(text.replace("band_ppm = 100_000", "band_ppm = 123_000", 1))
    assert before == 100_000
    assert once(config, lambda client: client.query("instruments")[0]["band_ppm"]) == 123_000
    path.write_text(text.replace('tick = "0.01"', 'tick = "0.02"', 1))
    with pytest.raises(ConfigError, match="instrument BTC-USDC: tick differs"):
        open_client(config)


def test_a_bad_instrument_file_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[[asset]]\nsymbol = 5\nexponent = 2\n")
    config = quiet_config(tmp_path / "home", **{"market.instruments": str(path)})
    with pytest.raises(ConfigError, match=r"bad.toml:2: asset\[1\].symbol"):
        open_client(config)


def test_a_new_living_market_has_been_trading_before_one_comes_in(tmp_path: Path) -> None:
    client = open_client(load_config(home=tmp_path, environ={}))
    for row in client.query("quotes"):
        assert row["bid"], row
        assert row["ask"], row
    assert client.query("status")["trades"] > 100
    client.close()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened_full(*given: object, **named: object) -> Exchange:
        store = open_exchange(*given, **named)  # type: ignore[arg-type]
        store.read_only = "read-only: no room"
        return store

    monkeypatch.setattr("exchange.adapters.store.open_exchange", opened_full)


def test_a_full_disk_leaves_the_queries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    config = quiet_config(tmp_path)
    once(config, owned)
    request.getfixturevalue("full_disk")
    client = open_client(config)
    assert owned(client) == ["main"]
    with pytest.raises(JournalFailed, match="no room"):
        client.send([ResetAccount(account=3)])
    client.close()


@pytest.mark.usefixtures("full_disk")
def test_a_store_cannot_be_founded_on_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed, match="no room"):
        open_client(quiet_config(tmp_path))
    with pytest.raises(JournalFailed, match="no room"):
        run_owner(quiet_config(tmp_path))


# -- whose store -------------------------------------------------------------------------------------


def test_a_client_attaches_where_somebody_listens(tmp_path: Path) -> None:
    config = quiet_config(tmp_path)
    with RunningOwner(config):
        client = open_client(config)
        assert isinstance(client, LocalClient)
        client.close()


def test_profiles_do_not_meet(tmp_path: Path) -> None:
    with RunningOwner(quiet_config(tmp_path)):
        client = open_client(quiet_config(tmp_path, profile="other"))
        assert isinstance(client, EmbeddedClient)
        client.close()


def test_attach_only_never_owns(tmp_path: Path) -> None:
    with pytest.raises(ConnectionLost, match="no exchange process is running"):
        open_client(quiet_config(tmp_path), attach_only=True)
    assert not list(tmp_path.iterdir())


def test_a_store_whose_owner_does_not_listen_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = StoreLock(tmp_path / LOCK)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            lock.release()

    monkeypatch.setattr("exchange.bootstrap.time.sleep", pause)
    assert once(quiet_config(tmp_path), owned) == ["main"]
    assert len(pauses) == 3


def test_a_store_that_stays_locked_is_an_error_that_names_the_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "LOCKED_SECONDS", 0.0)
    lock = StoreLock(tmp_path / LOCK)
    with pytest.raises(StoreLocked, match=f"process {os.getpid()}") as caught:
        open_client(quiet_config(tmp_path))
    assert caught.value.exit_code == 75
    lock.release()


def test_an_owner_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ROOT)
    config = quiet_config(tmp_path, **{"account.balances": "EUR=5"})
    with pytest.raises(ExchangeError, match="EUR") as caught:
        open_client(config, start_owner=True)
    assert caught.value.exit_code == 78


# -- another process of this program -------------------------------------------------------------------

ROOT = str(Path(exchange.__file__).parents[1])


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": ROOT, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False
    )


def test_settings_reach_another_process_through_its_environment(tmp_path: Path) -> None:
    flags = {
        "account.balances": "USD=5,BTC=0.1",
        "market.feed": "none",
        "market.speed": 0.25,
        "ui.confirm": False,
        "ui.theme": "color-blind",
        "market.instruments": str(tmp_path / "a b.toml"),
    }
    config = load_config(home=tmp_path, profile="p-1", environ={}, flags=flags)
    again = load_config(environ=settings_environment(config))
    assert again[:-1] == config[:-1]
    assert settings_environment(load_config(home=tmp_path, environ={})) == {"TRADECLI_HOME": str(tmp_path)}


def test_no_balances_reach_another_process_as_none(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[account]\nbalances = {}\n")
    config = load_config(home=tmp_path, environ={})
    (tmp_path / "config.toml").unlink()
    assert load_config(environ=settings_environment(config)).account.balances == {}
    assert SETTINGS["account.balances"].default


def test_it_does_not_run_without_assertions(tmp_path: Path) -> None:
    code = (
        "from exchange.bootstrap import open_client\nfrom exchange.config import load_config\n"
        f"open_client(load_config(home={str(tmp_path)!r}, environ={{}}))"
    )
    done = run_python("-O", "-c", code)
    assert done.returncode != 0
    assert "ConfigError: python -O takes the checks out of the engine" in done.stderr


HEAVY = (
    "asyncio",
    "sqlalchemy",
    "aiosqlite",
    "textual",
    "rich",
    "pandas",
    "numpy",
    "typer",
    "concurrent.futures",
)
ORDER = """
import sys
from exchange.bootstrap import open_client
from exchange.config import load_config
from exchange.core.messages import PlaceOrder
from exchange.directory import Directory
client = open_client(load_config(home=sys.argv[1], environ={}, flags={"market.feed": "none"}))
names = Directory.from_rows(client.query("directory"))
(receipt,) = client.send([PlaceOrder(names.account_id("main"), 0, 1, 2, 100, 6_000_000)])
assert receipt.reject is None
client.close()
print(type(client).__name__, *(name for name in sys.argv[2:] if name in sys.modules))
"""


def test_an_order_of_a_single_command_imports_nothing_heavy(tmp_path: Path) -> None:
    once(quiet_config(tmp_path), owned)
    done = run_python("-c", ORDER, str(tmp_path), *HEAVY, "socket", "tomllib", "zoneinfo")
    assert (done.stdout.split(), done.stderr) == (["EmbeddedClient"], "")


def test_an_order_of_an_attached_command_imports_nothing_heavy(tmp_path: Path) -> None:
    with RunningOwner(quiet_config(tmp_path)):
        done = run_python("-c", ORDER, str(tmp_path), *HEAVY, "exchange.core.engine", "tomllib")
    assert (done.stdout.split(), done.stderr) == (["LocalClient"], "")
