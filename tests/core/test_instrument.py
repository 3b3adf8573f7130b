from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core.instrument import Instrument, fee_of, notional
from exchange.core.units import DAY, PPM, SECOND

STILL = settings(max_examples=150, deadline=None, derandomize=True, database=None)
HOUR = 3600 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def listed(opens: int = 0, closes: int = 0, days: int = 127) -> Instrument:
    instrument = Instrument(0, "A-B", "", "", 0, 1)
    instrument.session_open, instrument.session_close, instrument.session_days = opens, closes, days
    return instrument


def nanos(text: str) -> int:
    return (datetime.fromisoformat(text + "+00:00") - EPOCH) // timedelta(microseconds=1) * 1_000


@pytest.mark.parametrize(
    ("opens", "closes", "days", "now", "ends"),
    [
        (0, 0, 127, "2024-03-04 00:00", "2024-03-05 00:00"),  # all day, every day
        (0, 0, 127, "2024-02-28 23:59:59.999999", "2024-02-29 00:00"),
        (0, 24, 127, "2024-03-04 10:00", "2024-03-05 00:00"),
        (9, 17, 31, "2024-03-04 08:00", "2024-03-04 17:00"),  # before, during and at the close
        (9, 17, 31, "2024-03-04 16:59:59", "2024-03-04 17:00"),
        (9, 17, 31, "2024-03-04 17:00", "2024-03-05 17:00"),
        (9, 17, 31, "2024-03-08 17:00", "2024-03-11 17:00"),  # Friday to Monday
        (9, 17, 31, "2024-03-09 12:00", "2024-03-11 17:00"),
        (22, 5, 31, "2024-03-04 23:00", "2024-03-05 05:00"),  # over midnight
        (22, 5, 31, "2024-03-04 04:00", "2024-03-05 05:00"),  # Sunday has no session to end on Monday
        (22, 5, 31, "2024-03-09 04:59", "2024-03-09 05:00"),  # Friday's ends on Saturday
        (22, 5, 31, "2024-03-09 05:00", "2024-03-12 05:00"),
        (9, 17, 1, "2024-03-04 17:00", "2024-03-11 17:00"),  # Mondays only: a week ahead
        (22, 5, 1, "2024-03-05 05:00", "2024-03-12 05:00"),
        (9, 17, 0, "2024-03-04 18:00", "2024-03-05 00:00"),  # no days at all
    ],
)
def test_session_end(opens: int, closes: int, days: int, now: str, ends: str) -> None:
    assert listed(opens * HOUR, closes * HOUR, days).session_end(nanos(now)) == nanos(ends)


@STILL
@given(st.integers(0, 24), st.integers(0, 24), st.integers(1, 127), st.integers(0, 30 * 24 * 60))
def test_session_end_is_the_first_close_after_now(opens: int, closes: int, days: int, minutes: int) -> None:
    now = 19_786 * DAY + minutes * 60 * SECOND
    close = closes or 24
    ends = [
        begin * DAY + close * HOUR + (DAY if close <= opens else 0)
        for begin in range(now // DAY - 2, now // DAY + 10)
        if days >> (EPOCH + timedelta(days=begin)).weekday() & 1
    ]
    assert listed(opens * HOUR, closes * HOUR, days).session_end(now) == min(end for end in ends if end > now)


def test_notional_is_exact() -> None:
    instrument = listed()
    instrument.unit = 7
    assert notional(1 << 40, 1 << 50, instrument) == 7 << 90


@STILL
@given(st.integers(0, 10**20), st.integers(0, PPM))
def test_a_fee_is_rounded_up_and_never_more_than_the_amount(amount: int, rate: int) -> None:
    assert fee_of(amount, rate) == ceil(Fraction(amount * rate, PPM)) <= amount
