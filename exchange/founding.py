"""What a new exchange starts with: instruments, the person at this machine, their account and money."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from exchange.config import LOCAL_USER, Config
from exchange.core.commands import Command, Deposit, OpenAccount, RegisterUser
from exchange.core.state.root import State
from exchange.core.terms import ROLE_SUPER_ADMIN
from exchange.core.units import Nanos
from exchange.directory import Directory
from exchange.errors import ConfigError, DataError, NotFound
from exchange.listing import Master, listing_commands, read_master, shipped_file

REFERENCE: Final = "starting balance"


def master_of(config: Config) -> Master:
    """The instrument file of the settings.  Raises ConfigError."""
    chosen = config.market.instruments
    return read_master(Path(chosen).expanduser() if chosen else shipped_file())


def founding_commands(config: Config, master: Master, state: State, now: Nanos) -> list[Command]:
    """The next commands of the system user towards the settings; ask again until there are none.

    A store that is founded already gets what the instrument file has new.  Raises ConfigError.
    """
    commands = listing_commands(master, state, now)
    if LOCAL_USER not in state.user_names:
        commands.append(RegisterUser(name=LOCAL_USER, role=ROLE_SUPER_ADMIN))
    if commands:
        return commands
    account_id = state.account_names.get(config.account.name)
    if account_id is None:
        return [OpenAccount(name=config.account.name, owner=state.user_names[LOCAL_USER])]
    account = state.accounts[account_id]
    owner = state.users[account.owner].name
    if owner != LOCAL_USER:
        origin = config.origins["account.name"]
        raise ConfigError(f"{origin}: account.name: {account.name} belongs to {owner}, not to {LOCAL_USER}")
    is_untouched = not account.epoch and all(balance is None for balance in account.balances)
    return _deposits(config, state, account_id) if is_untouched else []


def _deposits(config: Config, state: State, account_id: int) -> list[Command]:
    text = Directory.of(state)
    commands: list[Command] = []
    for symbol, amount in config.account.balances.items():
        if not amount.strip("0."):
            continue
        try:
            asset = text.asset_id(symbol)
            minor = text.parse_money(asset, amount)
        except (DataError, NotFound) as error:
            origin = config.origins["account.balances"]
            raise ConfigError(f"{origin}: account.balances.{symbol}: {error}") from None
        commands.append(Deposit(account=account_id, asset=asset, amount=minor, reference=REFERENCE))
    return commands
