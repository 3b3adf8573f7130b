"""Settings: what ``config.toml`` documents, read into one immutable ``Config``.

Later sources win: defaults < user file < environment < command line; each value remembers its
source.  A setting that is unknown or of the wrong shape is an error, never ignored.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from exchange.errors import ConfigError
from exchange.toml_source import TomlSource, read_toml, unknown_key

Found: TypeAlias = tuple[Any, str]  # a value and where it comes from

LOCAL_USER = "local"  # the person at this machine
FILE_NAME = "config.toml"
ENVIRONMENT_PREFIX = "TRADECLI_"
FILE_VARIABLE = "TRADECLI_CONFIG"
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")
NAME_LENGTH_MAX = 40

FEEDS = ("living", "none")
THEMES = ("dark", "light", "color-blind")


class AccountConfig(NamedTuple):
    """balances: asset symbol -> decimal text; what a new account starts with."""

    name: str
    balances: Mapping[str, str]


class MarketConfig(NamedTuple):
    """instruments: path, "" means the shipped file.   speed: market seconds per wall second."""

    feed: str
    seed: int
    speed: float
    instruments: str


class StoreConfig(NamedTuple):
    snapshot_every: int
    snapshot_seconds: int
    segment_bytes: int
    keep: int


class UiConfig(NamedTuple):
    """hz: screen updates a second at most.   confirm: ask before an order leaves the ticket."""

    theme: str
    hz: int
    confirm: bool


class Config(NamedTuple):
    """origins: setting -> where its value comes from."""

    home: Path
    profile: str
    account: AccountConfig
    market: MarketConfig
    store: StoreConfig
    ui: UiConfig
    origins: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where this profile's run-time files live."""
        return self.home if self.profile == "default" else self.home / "profiles" / self.profile

    def rows(self) -> list[dict[str, str]]:
        """key, value and origin of every setting, in the order of ``config.toml``."""
        return [
            {"key": key, "value": _value_text(self.get(key)), "origin": self.origins[key]} for key in SETTINGS
        ]

    def get(self, key: str) -> Any:
        value: Any = self
        for part in key.split("."):
            value = getattr(value, part)
        return value


class Setting(NamedTuple):
    """check: the value to keep, or ValueError saying what it must be.

    read: the value a text stands for; the text itself if it stands for none.
    """

    default: Any
    check: Callable[[Any], Any]
    read: Callable[[str], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("must be text in quotes, without control characters")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LENGTH_MAX or set(value) - LETTERS:
        raise ValueError("must be 1 to 40 letters, digits, '_', '-', '.', ':'")
    return value


def _profile(value: Any) -> str:
    if (
        not isinstance(value, str)
        or set(value) - (LETTERS - set(".:"))
        or not 0 < len(value) <= NAME_LENGTH_MAX
    ):
        raise ValueError("must be 1 to 40 letters, digits, '_', '-': it names a folder")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _flag_of(text: str) -> bool | str:
    if text.lower() in ("true", "yes", "on", "1"):
        return True
    return False if text.lower() in ("false", "no", "off", "0") else text


def _whole_of(text: str) -> int | str:
    return int(text) if text.isascii() and text.lstrip("-").isdigit() and len(text) < 20 else text


def _number_of(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _one_of(names: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"must be one of: {', '.join(names)}")
        return value

    return check


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return check


def _number(least: float, most: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return float(value)

    return check


def _balances(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError('must be a table of asset = "amount"')
    kept: dict[str, str] = {}
    for symbol, amount in value.items():
        if isinstance(amount, int) and not isinstance(amount, bool):
            amount = str(amount)
        digits = amount.replace(".", "", 1) if isinstance(amount, str) else ""
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(f'{_name(symbol)} must be a decimal number in quotes, such as "1000.50"')
        kept[_name(symbol)] = amount
    return kept


def _balances_of(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    return {symbol.strip(): amount.strip() for symbol, _, amount in pairs}


BALANCES = {
    "USDC": "100000",
    "USD": "100000",
    "INR": "5000000",
    "BTC": "2",
    "ETH": "20",
    "SOL": "200",
    "AAPL": "200",
    "SPY": "100",
    "RELIANCE": "500",
    "TCS": "200",
    "INFY": "500",
    "SBIN": "1000",
}

# Every setting, in the order of config.toml.
SETTINGS: dict[str, Setting] = {
    "home": Setting("", _text, str),
    "profile": Setting("default", _profile, str),
    "account.name": Setting("main", _name, str),
    "account.balances": Setting(BALANCES, _balances, _balances_of),
    "market.feed": Setting("living", _one_of(FEEDS), str),
    "market.seed": Setting(7, _whole(0, (1 << 63) - 1), _whole_of),
    "market.speed": Setting(1.0, _number(0.01, 1000), _number_of),
    "market.instruments": Setting("", _text, str),
    "store.snapshot_every": Setting(100_000, _whole(1_000, 10_000_000), _whole_of),
    "store.snapshot_seconds": Setting(15, _whole(1, 86_400), _whole_of),
    "store.segment_bytes": Setting(1 << 26, _whole(1 << 16, 1 << 30), _whole_of),
    "store.keep": Setting(10, _whole(2, 1_000), _whole_of),
    "ui.theme": Setting("dark", _one_of(THEMES), str),
    "ui.hz": Setting(20, _whole(1, 60), _whole_of),
    "ui.confirm": Setting(True, _flag, _flag_of),  # noqa: FBT003 - the default, not a switch
}


def load_config(
    home: str | Path | None = None,
    profile: str | None = None,
    file: str | Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """flags: setting -> value or text, from the command line.   file: instead of the one in home.

    Raises ConfigError naming source, key and reason.
    """
    environ = os.environ if environ is None else environ
    outer = {**_environment(environ), **_flags({"home": home, "profile": profile, **(flags or {})})}
    found: dict[str, Found] = {key: (setting.default, "default") for key, setting in SETTINGS.items()}
    named = file or environ.get(FILE_VARIABLE)
    if named:
        found.update(_file(read_toml(Path(named).expanduser())))
    folder = _home({**found, **outer}, environ)
    if not named and (folder / FILE_NAME).exists():
        source = read_toml(folder / FILE_NAME)
        if "home" in source.values:
            raise source.error(("home",), "cannot move its own folder; use --home or TRADECLI_HOME")
        found.update(_file(source))
    return _assembled({**found, **outer}, folder)


def default_home(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The platform's folder for a user's data."""
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "tradecli"


def _home(found: Mapping[str, Found], environ: Mapping[str, str]) -> Path:
    text = found["home"][0]
    return Path(text).expanduser().absolute() if text else default_home(environ)


def _file(source: TomlSource) -> dict[str, Found]:
    found: dict[str, Found] = {}
    sections = {key.partition(".")[0] for key in SETTINGS if "." in key}
    single = [key for key in SETTINGS if "." not in key]
    source.check_keys((), source.values, [*single, *sorted(sections)])
    for top, value in source.values.items():
        if top not in sections:
            entries: list[tuple[tuple[str, ...], Any]] = [((top,), value)]
        elif isinstance(value, dict):
            known = [key.partition(".")[2] for key in SETTINGS if key.startswith(f"{top}.")]
            source.check_keys((top,), value, known)
            entries = [((top, key), inner) for key, inner in value.items()]
        else:
            raise source.error((top,), f"is a section: write it as [{top}]")
        for path, entry in entries:
            key = ".".join(path)
            try:
                found[key] = (SETTINGS[key].check(entry), source.origin(path))
            except ValueError as error:
                raise source.error(path, str(error)) from None
    return found


def _environment(environ: Mapping[str, str]) -> dict[str, Found]:
    variables = {ENVIRONMENT_PREFIX + key.replace(".", "_").upper(): key for key in SETTINGS}
    found: dict[str, Found] = {}
    for variable, text in environ.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == FILE_VARIABLE or not text:
            continue
        if variable not in variables:
            known = [*variables, FILE_VARIABLE]
            raise ConfigError(f"environment: {variable}: {unknown_key(variable, known)}")
        key = variables[variable]
        found[key] = (_checked(key, SETTINGS[key].read(text), f"environment: {variable}"), variable)
    return found


def _flags(flags: Mapping[str, Any]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for key, value in flags.items():
        if value is None:
            continue
        if key not in SETTINGS:
            raise ConfigError(f"command line: {key}: {unknown_key(key, list(SETTINGS))}")
        where = f"command line: {key}"
        if isinstance(value, str | Path):
            value = SETTINGS[key].read(str(value))
        found[key] = (_checked(key, value, where), "command line")
    return found


def _checked(key: str, value: Any, where: str) -> Any:
    try:
        return SETTINGS[key].check(value)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None


def _assembled(found: Mapping[str, Found], home: Path) -> Config:
    values = {key: value for key, (value, _) in found.items()}
    origins = {key: origin for key, (_, origin) in found.items()}

    def section(name: str) -> dict[str, Any]:
        return {key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{name}.")}

    return Config(
        home=home,
        profile=values["profile"],
        account=AccountConfig(**section("account")),
        market=MarketConfig(**section("market")),
        store=StoreConfig(**section("store")),
        ui=UiConfig(**section("ui")),
        origins=origins,
    )


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ",".join(f"{symbol}={amount}" for symbol, amount in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
