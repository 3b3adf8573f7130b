"""The same promises kept embedded and attached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange.client import Client
from tests.contracts.check_client import CHECKS
from tests.contracts.running import RunningOwner, embedded, quiet_config


@pytest.fixture(params=["embedded", "attached"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    config = quiet_config(tmp_path)
    if request.param == "embedded":
        client = embedded(config)
        yield client
        client.close()
        return
    with RunningOwner(config) as owner:
        client = owner.attach()
        yield client
        client.close()
    assert owner.error is None


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_contract(client: Client, check: Callable[[Client], None]) -> None:
    check(client)
