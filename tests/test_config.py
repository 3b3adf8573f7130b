"""Settings: sources in order, origins, and one clear error for everything that is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from exchange.config import SETTINGS, Config, default_home, load_config
from exchange.errors import ConfigError
from exchange.toml_source import read_toml

SHIPPED = Path(__file__).parents[1] / "config.toml"


def written(folder: Path, text: str | bytes, name: str = "config.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path, environ: dict[str, str] | None = None, **given: object) -> Config:
    return load_config(home=folder, environ=environ or {}, **given)  # type: ignore[arg-type]


def complaint(folder: Path, environ: dict[str, str] | None = None, **given: object) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, environ, **given)
    assert caught.value.exit_code == 78
    return str(caught.value)


def test_the_shipped_file_states_every_default_in_order() -> None:
    values = tomllib.loads(SHIPPED.read_text())
    flat = {top: value for top, value in values.items() if not isinstance(value, dict)}
    for top, table in values.items():
        if isinstance(table, dict):
            flat.update({f"{top}.{key}": value for key, value in table.items()})
    assert flat == {key: setting.default for key, setting in SETTINGS.items()}
    assert list(values["account"]["balances"].items()) == list(SETTINGS["account.balances"].default.items())


def test_the_shipped_file_loads_as_a_user_file(tmp_path: Path) -> None:
    plain = loaded(tmp_path)
    named = loaded(tmp_path, file=SHIPPED)
    assert named[:-1] == plain[:-1]


def test_every_key_of_the_shipped_file_has_a_comment() -> None:
    lines = SHIPPED.read_text().splitlines()
    for number, line in enumerate(lines):
        key = line.partition(" =")[0]
        if "=" in line and not line.startswith("#") and key.islower():
            assert lines[number - 1].startswith("#"), line


def test_later_sources_win_and_are_remembered(tmp_path: Path) -> None:
    path = written(tmp_path, "[market]\nspeed = 2\nseed = 1\n[ui]\nhz = 30\n")
    config = loaded(
        tmp_path,
        {"TRADECLI_MARKET_SEED": "2", "TRADECLI_UI_HZ": "40"},
        flags={"ui.hz": 50, "ui.theme": "light"},
    )
    assert (config.market.speed, config.market.seed, config.ui.hz) == (2.0, 2, 50)
    assert config.ui.theme == "light"
    assert config.origins["market.speed"] == f"{path}:2"
    assert config.origins["market.seed"] == "TRADECLI_MARKET_SEED"
    assert config.origins["ui.hz"] == config.origins["home"] == "command line"
    assert config.origins["store.keep"] == "default"


def test_a_named_file_stands_in_for_the_one_at_home(tmp_path: Path) -> None:
    written(tmp_path, "[ui]\nhz = 30\n")
    other = written(tmp_path, f"home = '{tmp_path / 'elsewhere'}'\n[ui]\nhz = 31\n", "other.toml")
    assert loaded(tmp_path, file=other).ui.hz == 31
    assert load_config(environ={"TRADECLI_CONFIG": str(other)}).home == tmp_path / "elsewhere"


def test_a_flag_that_is_none_is_not_given(tmp_path: Path) -> None:
    assert loaded(tmp_path, flags={"market.seed": None}).market.seed == SETTINGS["market.seed"].default


def test_profiles_have_their_own_folder(tmp_path: Path) -> None:
    assert loaded(tmp_path).folder == tmp_path
    assert loaded(tmp_path, profile="quiet").folder == tmp_path / "profiles" / "quiet"


def test_balances_are_replaced_as_a_whole(tmp_path: Path) -> None:
    written(tmp_path, '[account.balances]\nUSDC = "5.5"\nBTC = 1\n')
    config = loaded(tmp_path)
    assert config.account.balances == {"USDC": "5.5", "BTC": "1"}
    assert config.origins["account.balances"].endswith(":1")
    config = loaded(tmp_path, {"TRADECLI_ACCOUNT_BALANCES": "USD=7, ETH=0.5"})
    assert config.account.balances == {"USD": "7", "ETH": "0.5"}


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("0", False), ("TRUE", True), ("off", False)])
def test_switches_from_text(tmp_path: Path, text: str, value: object) -> None:
    assert loaded(tmp_path, {"TRADECLI_UI_CONFIRM": text}).ui.confirm is value


def test_rows_show_every_setting_as_text_with_its_origin(tmp_path: Path) -> None:
    rows = loaded(tmp_path, flags={"account.balances": "BTC=1"}).rows()
    assert [row["key"] for row in rows] == list(SETTINGS)
    shown = {row["key"]: row["value"] for row in rows}
    assert shown["home"] == str(tmp_path)
    assert shown["ui.confirm"] == "true"
    assert shown["market.speed"] == "1"
    assert shown["account.balances"] == "BTC=1"


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/tradecli"),
        ("linux", {}, "~/.local/share/tradecli"),
        ("darwin", {}, "~/Library/Application Support/tradecli"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/tradecli"),
        ("win32", {}, "~/AppData/Local/tradecli"),
    ],
)
def test_default_home(platform: str, environ: dict[str, str], expected: str) -> None:
    assert default_home(environ, platform) == Path(expected).expanduser()


@pytest.mark.parametrize(
    ("text", "line", "parts"),
    [
        ("profil = 'x'\n", 1, ["profil: unknown key", "did you mean profile?"]),
        ("\n[market]\nsped = 2\n", 3, ["market.sped: unknown key", "did you mean speed?"]),
        ("[markets]\nspeed = 2\n", 1, ["markets: unknown key", "did you mean market?"]),
        ("[store]\nzzz = 2\n", 2, ["store.zzz: unknown key", "known keys: snapshot_every"]),
        ("[market]\nseed = 'x'\n", 2, ["market.seed", "whole number from 0"]),
        ("[market]\nseed = -1\n", 2, ["market.seed", "whole number from 0"]),
        ("[market]\nseed = true\n", 2, ["market.seed", "whole number"]),
        ("[market]\nseed = 1.0\n", 2, ["market.seed", "whole number"]),
        ("[market]\nspeed = nan\n", 2, ["market.speed", "number from 0.01 to 1000"]),
        ("[market]\nspeed = inf\n", 2, ["market.speed", "number from 0.01 to 1000"]),
        ("[market]\nfeed = 'alive'\n", 2, ["market.feed", "one of: living, none"]),
        ("[market]\nfeed = 3\n", 2, ["market.feed", "one of"]),
        ('[market]\ninstruments = "a\\u0007b"\n', 2, ["market.instruments", "control characters"]),
        ("[ui]\nconfirm = 'yes'\n", 2, ["ui.confirm", "true or false"]),
        ("market = 5\n", 1, ["market: is a section", "[market]"]),
        ("profile = '../x'\n", 1, ["profile", "names a folder"]),
        ("profile = 'a.b'\n", 1, ["profile", "names a folder"]),
        ("[account]\nname = 'a b'\n", 2, ["account.name", "letters"]),
        ("[account]\nbalances = 5\n", 2, ["account.balances", "table"]),
        ("[account.balances]\nBTC = 1.5\n", 1, ["account.balances", "BTC", "in quotes"]),
        ("[account.balances]\nBTC = '-1'\n", 1, ["account.balances", "BTC"]),
        ("[account.balances]\n'B C' = '1'\n", 1, ["account.balances", "letters"]),
        ("[market\nseed = 1\n", 1, ["not TOML"]),
        ("[market]\nseed = 1\nseed = 2\n", 3, ["not TOML", "overwrite"]),
        ("a = [1,\n2", 2, ["not TOML"]),
        ("home = '/x'\n", 1, ["home", "--home"]),
        (b"[ui]\nhz = 2\xff\n", 2, ["not UTF-8"]),
        (b"x = " + b"[" * 5000, 0, ["nested too deeply"]),
        (b"#" * (1 << 20) + b"#", 0, ["larger than"]),
    ],
)
def test_a_bad_file_is_one_error_with_file_line_and_key(
    tmp_path: Path, text: str | bytes, line: int, parts: list[str]
) -> None:
    path = written(tmp_path, text)
    told = complaint(tmp_path)
    assert told.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert "\n" not in told
    for part in parts:
        assert part in told


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    assert "nothing.toml: cannot be read" in complaint(tmp_path, file=tmp_path / "nothing.toml")
    assert "cannot be read" in complaint(tmp_path, file=tmp_path)


@pytest.mark.parametrize(
    ("variable", "text", "parts"),
    [
        ("TRADECLI_MARKET_SED", "1", ["unknown key", "TRADECLI_MARKET_SEED"]),
        ("TRADECLI_UI_HZ", "x", ["TRADECLI_UI_HZ", "whole number"]),
        ("TRADECLI_UI_HZ", "9" * 500, ["TRADECLI_UI_HZ", "whole number"]),
        ("TRADECLI_MARKET_SPEED", "fast", ["TRADECLI_MARKET_SPEED", "number from"]),
        ("TRADECLI_UI_CONFIRM", "maybe", ["TRADECLI_UI_CONFIRM", "true or false"]),
        ("TRADECLI_ACCOUNT_BALANCES", "BTC", ["TRADECLI_ACCOUNT_BALANCES", "BTC"]),
    ],
)
def test_a_bad_variable_is_named(tmp_path: Path, variable: str, text: str, parts: list[str]) -> None:
    told = complaint(tmp_path, {variable: text})
    assert told.startswith(f"environment: {variable}: ")
    for part in parts:
        assert part in told


def test_an_empty_variable_and_those_of_others_are_left_alone(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"TRADECLI_UI_HZ": "", "_TRADECLI_COMPLETE": "x", "HOME": "/x"}).ui.hz == 20


def test_a_bad_flag_is_named(tmp_path: Path) -> None:
    assert complaint(tmp_path, flags={"ui.theme": "pink"}) == (
        "command line: ui.theme: must be one of: dark, light, color-blind"
    )
    assert "did you mean ui.theme?" in complaint(tmp_path, flags={"ui.them": "dark"})


def test_lines_are_found_behind_long_values_and_in_arrays_of_tables(tmp_path: Path) -> None:
    text = (
        '''a = """
b = 1
"""  # not a key above
"c d".e = [
  1, # ] not the end
  "]",
]
x = 'it''s' '''.replace("'it''s'", "'its'")
        + """
[[row]]
k = 1
[[row]]
k = { y = "}#", z = [1] }
[row.deep]
m = \'\'\'one\'\'\'
[[row.inner]]
n = 2
"""
    )
    source = read_toml(written(tmp_path, text))
    assert source.lines[("a",)] == 1
    assert source.lines[("c d", "e")] == 4
    assert source.lines[("x",)] == 8
    assert ("b",) not in source.lines
    assert (source.lines[("row", 0, "k")], source.lines[("row", 1, "k")]) == (10, 12)
    assert source.lines[("row", 1, "deep", "m")] == 14
    assert source.lines[("row", 1, "inner", 0, "n")] == 16
    assert source.line(("row", 1, "k", "y")) == 12
    assert source.line(("nowhere",)) == 0
