"""The instrument master: the shipped file, the commands it becomes, and one clear error for a bad one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.core.commands import AmendInstrument, Command, ListAsset, ListInstrument
from exchange.core.engine import Engine
from exchange.core.messages import Record, Rejected
from exchange.core.state.root import State
from exchange.core.units import SECOND
from exchange.directory import Directory
from exchange.errors import ConfigError
from exchange.listing import Session, listing_commands, read_master, session_fields, shipped_file

HOUR = 3600 * SECOND
WEEKDAYS = 0b0011111


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


WINTER, SUMMER = at("2026-11-24T12:00"), at("2026-07-01T12:00")


def applied(engine: Engine, commands: list[Command], ts: int = WINTER) -> State:
    for command in commands:
        events = engine.apply(Record(engine.state.seq + 1, max(ts, engine.state.ts), 0, command))
        assert not any(isinstance(event, Rejected) for event in events), command
    return engine.state


def listed(ts: int = WINTER) -> Engine:
    engine = Engine()
    applied(engine, listing_commands(read_master(shipped_file()), engine.state, ts), ts)
    return engine


MINIMAL = """\
[[asset]]
symbol = "USD"
exponent = 2
[[asset]]
symbol = "ABC"
exponent = 0
[session.day]
timezone = "America/New_York"
open = "09:30"
close = "16:00"
days = "Mon-Fri"
[fees]
flat = [[10, 20]]
[[instrument]]
symbol = "ABC"
name = "Abc"
venue = "X"
base = "ABC"
quote = "USD"
tick = "0.05"
lot = "1"
fees = "flat"
session = "day"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "instruments.toml"
    path.write_text(text)
    return path


def test_every_shipped_listing_is_accepted() -> None:
    state = listed().state
    assert list(state.symbols) == [
        *("BTC-USDC", "ETH-USDC", "SOL-USDC", "AAPL", "SPY"),
        *("RELIANCE.NS", "TCS.NS", "INFY.NS", "RELIANCE.BO", "SBIN.BO"),
        *("CRUDEOILM.MCX", "GUARSEED10.NCDEX", "NIFTY.GIFT", "CN.SGX"),
    ]
    for book in state.books:
        assert book.instrument.reference > 0
        assert book.instrument.band_ppm > 0


def test_sizes_of_the_shipped_listings_read_as_published() -> None:
    directory = Directory.of(listed().state)
    shown = {
        info.symbol: (
            directory.price_text(info.instrument_id, 1),
            directory.quantity_text(info.instrument_id, 1),
            directory.money_text(info.quote, info.unit),
        )
        for info in directory.instruments
    }
    assert shown["BTC-USDC"] == ("0.01", "0.00001", "0.00000010")
    assert shown["RELIANCE.NS"] == ("0.10", "1", "0.10")
    assert shown["RELIANCE.BO"] == ("0.05", "1", "0.05")
    assert shown["CRUDEOILM.MCX"] == ("1", "1", "10.00")
    assert shown["GUARSEED10.NCDEX"] == ("0.50", "1", "50.00")
    assert shown["NIFTY.GIFT"] == ("0.5", "1", "1.00")
    assert shown["AAPL"] == ("0.01", "1", "0.01")


def test_shares_listed_on_two_venues_are_one_asset() -> None:
    state = listed().state
    one, other = (state.books[state.symbols[s]].instrument for s in ("RELIANCE.NS", "RELIANCE.BO"))
    assert one.base == other.base


def test_limits_and_fees_are_taken_over() -> None:
    state = listed().state
    bitcoin = state.books[state.symbols["BTC-USDC"]].instrument
    assert bitcoin.fees[0] == (1000, 1000)
    assert bitcoin.reference == 6_425_050
    assert bitcoin.quantity_max == 900_000_000
    assert bitcoin.notional_min == 5 * 10**8
    assert (bitcoin.session_open, bitcoin.session_close, bitcoin.session_days) == (0, 0, 127)


def test_nothing_is_asked_of_a_store_that_matches() -> None:
    engine = listed()
    assert listing_commands(read_master(shipped_file()), engine.state, WINTER) == []


def test_daylight_saving_time_moves_the_session_at_the_next_start() -> None:
    engine = listed(WINTER)
    york = engine.state.books[engine.state.symbols["AAPL"]].instrument
    assert (york.session_open, york.session_close) == (14 * HOUR + HOUR // 2, 21 * HOUR)
    commands = listing_commands(read_master(shipped_file()), engine.state, SUMMER)
    assert [type(command) for command in commands] == [AmendInstrument, AmendInstrument]
    applied(engine, commands)
    assert (york.session_open, york.session_close) == (13 * HOUR + HOUR // 2, 20 * HOUR)


def test_a_changed_rule_is_amended_and_a_new_instrument_listed(tmp_path: Path) -> None:
    engine = Engine()
    applied(engine, listing_commands(read_master(written(tmp_path, MINIMAL)), engine.state, WINTER))
    second = MINIMAL[MINIMAL.index("[[instrument]]") :].replace('symbol = "ABC"', 'symbol = "ABC2"')
    changed = MINIMAL + 'band_ppm = 5\nquantity_max = "10"\n' + second
    commands = listing_commands(read_master(written(tmp_path, changed)), engine.state, WINTER)
    assert [type(command) for command in commands] == [AmendInstrument, ListInstrument]
    applied(engine, commands)
    instrument = engine.state.books[0].instrument
    assert (instrument.band_ppm, instrument.quantity_max) == (5, 10)


def test_an_instrument_the_file_no_longer_has_stays_listed(tmp_path: Path) -> None:
    engine = listed()
    commands = listing_commands(read_master(written(tmp_path, MINIMAL)), engine.state, WINTER)
    assert [type(command) for command in commands] == [ListAsset, ListInstrument]


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('tick = "0.05"', 'tick = "0.01"', "instrument ABC: tick differs"),
        ('lot = "1"', 'lot = "10"', "instrument ABC: lot differs"),
        ('lot = "1"', 'lot = "1"\ncontract = 2', "instrument ABC: multiplier differs"),
        ("exponent = 2", "exponent = 3", "asset USD: listed with exponent 2"),
    ],
)
def test_sizes_cannot_change_once_listed(tmp_path: Path, old: str, new: str, part: str) -> None:
    engine = Engine()
    applied(engine, listing_commands(read_master(written(tmp_path, MINIMAL)), engine.state, WINTER))
    master = read_master(written(tmp_path, MINIMAL.replace(old, new)))
    with pytest.raises(ConfigError, match=part):
        listing_commands(master, engine.state, WINTER)


@pytest.mark.parametrize(
    ("session", "now", "opens", "closes", "days"),
    [
        (Session("Asia/Kolkata", 555, 930, WEEKDAYS), WINTER, 3.75, 10, WEEKDAYS),
        (Session("UTC", 0, 1440, 127), WINTER, 0, 0, 127),
        # over midnight in local time, within one UTC day
        (Session("Asia/Singapore", 540, 315, WEEKDAYS), WINTER, 1, 21.25, WEEKDAYS),
        # opens on the day before in UTC: Monday's session begins on Sunday
        (Session("Australia/Sydney", 600, 960, WEEKDAYS), WINTER, 23, 5, 0b1001111),
        # opens on the day after in UTC
        (Session("America/Los_Angeles", 1080, 1140, 0b1000000), WINTER, 2, 3, 0b0000001),
        (Session("America/New_York", 1020, 1020, WEEKDAYS), WINTER, 22, 22, WEEKDAYS),
    ],
)
def test_sessions_in_utc(session: Session, now: int, opens: float, closes: float, days: int) -> None:
    assert session_fields(session, now) == {
        "session_open": opens * HOUR,
        "session_close": closes * HOUR,
        "session_days": days,
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "parts"),
    [
        ('tick = "0.05"', "tick = 0.05", 20, ["instrument[1].tick", "in quotes"]),
        ('tick = "0.05"', 'tick = "0"', 20, ["instrument[1].tick", "above zero"]),
        ('tick = "0.05"', 'tick = "-0.05"', 20, ["instrument[1].tick", "in quotes"]),
        ('tick = "0.05"', 'tick = "nan"', 20, ["instrument[1].tick", "decimal number"]),
        ('tick = "0.05"', 'tick = "1e400"', 20, ["instrument[1].tick", "decimal number"]),
        ('tick = "0.05"', 'tick = "0.005"', 20, ["0.005 USD", "USD has 2 decimals", "raise its exponent"]),
        ('tick = "0.05"\n', "", 14, ["instrument[1].tick", "is missing"]),
        ('tick = "0.05"', 'tik = "0.05"', 20, ["instrument[1].tik", "did you mean tick?"]),
        ('lot = "1"', 'lot = "0.1"\ncontract = 100', 21, ["instrument[1].lot", "finer than ABC"]),
        ('lot = "1"', 'lot = "1"\ncontract = 0', 22, ["contract", "whole number from 1"]),
        ('lot = "1"', 'lot = "1"\nquantity_max = "1.5"', 22, ["quantity_max", "steps of 1"]),
        ('lot = "1"', 'lot = "1"\nreference = "1.02"', 22, ["reference", "steps of 0.05"]),
        ('lot = "1"', 'lot = "1"\nreference = "0"', 22, ["reference", "above zero"]),
        ('lot = "1"', f'lot = "1"\nreference = "1{"0" * 20}"', 22, ["reference", "at most"]),
        ('lot = "1"', 'lot = "1"\nquantity_min = "9"\nquantity_max = "8"', 23, ["below quantity_min"]),
        ('lot = "1"', 'lot = "1"\nband_ppm = -1', 22, ["band_ppm", "from 0 to 1000000"]),
        ('quote = "USD"', 'quote = "EUR"', 19, ["instrument[1].quote", "'EUR'", "[[asset]]"]),
        ('quote = "USD"', 'quote = "ABC"', 19, ["instrument[1].quote", "like the base"]),
        ('fees = "flat"', 'fees = "none"', 22, ["instrument[1].fees", "[fees]"]),
        ('session = "day"', "session = 5", 23, ["instrument[1].session", "[session]"]),
        ('name = "Abc"', 'name = "a\\u001b[31m"', 16, ["instrument[1].name", "printable"]),
        ('symbol = "ABC"\nname', 'symbol = "A BC"\nname', 15, ["instrument[1].symbol", "letters"]),
        ('symbol = "ABC"\nexponent = 0', 'symbol = "USD"\nexponent = 0', 5, ["asset[2]", "twice"]),
        ("exponent = 2", "exponent = 19", 3, ["asset[1].exponent", "from 0 to 18"]),
        ("exponent = 2", "exponent = true", 3, ["asset[1].exponent", "whole number"]),
        ("exponent = 2\n", "", 1, ["asset[1].exponent", "is missing"]),
        ("[[10, 20]]", "[[10]]", 13, ["fees.flat", "pairs"]),
        ("[[10, 20]]", "[]", 13, ["fees.flat", "1 to 10 pairs"]),
        ("[[10, 20]]", "[[10, 2000000]]", 13, ["fees.flat", "2000000"]),
        ("[[10, 20]]", "[[10, 0.5]]", 13, ["fees.flat", "0.5"]),
        ('"America/New_York"', '"America/Nowhere"', 8, ["session.day.timezone", "Nowhere"]),
        ('"America/New_York"', '"../../etc/passwd"', 8, ["session.day.timezone"]),
        ('open = "09:30"', 'open = "9:30"', 9, ["session.day.open", '"09:15"']),
        ('open = "09:30"', "open = 09:30:00", 9, ["session.day.open", '"09:15"']),
        ('open = "09:30"', 'open = "24:00"', 9, ["session.day.open", "24:00"]),
        ('close = "16:00"', 'close = "16:61"', 10, ["session.day.close"]),
        ('days = "Mon-Fri"', 'days = "Mo-Fr"', 11, ["session.day.days", "Mon-Fri"]),
        ('days = "Mon-Fri"', "", 7, ["session.day.days", "is missing"]),
        ("[session.day]", "[sessions.day]", 7, ["sessions: unknown key", "did you mean session?"]),
        ("[[instrument]]", "[instrument]", 14, ["instrument", "[[instrument]]"]),
        ("[[asset]]\nsymbol", "[[asset]\nsymbol", 1, ["not TOML"]),
    ],
)
def test_a_bad_file_is_one_error_with_line_and_key(
    tmp_path: Path, old: str, new: str, line: int, parts: list[str]
) -> None:
    assert old in MINIMAL
    path = written(tmp_path, MINIMAL.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        read_master(path)
    told = str(caught.value)
    assert told.startswith(f"{path}:{line}: ")
    assert "\n" not in told
    for part in parts:
        assert part in told


def test_a_symbol_may_stand_in_the_file_once(tmp_path: Path) -> None:
    again = MINIMAL[MINIMAL.index("[[instrument]]") :]
    with pytest.raises(ConfigError, match=r":25: instrument\[2\].symbol: ABC stands in the file twice"):
        read_master(written(tmp_path, MINIMAL + again))


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="asset: the file needs"):
        read_master(written(tmp_path, ""))


def test_the_minimal_file_is_fine(tmp_path: Path) -> None:
    master = read_master(written(tmp_path, MINIMAL))
    assert master.assets == {"USD": 2, "ABC": 0}
    assert master.instruments[0].fields["fees"] == ((10, 20),)


def test_days_may_be_a_list_and_wrap_around(tmp_path: Path) -> None:
    text = MINIMAL.replace('days = "Mon-Fri"', 'days = "Sun-Tue, Thu"')
    assert read_master(written(tmp_path, text)).instruments[0].session.days == 0b1001011
