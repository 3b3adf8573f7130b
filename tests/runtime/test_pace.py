"""The market's clock: wall time, faster, held, and never before the journal's end."""

from __future__ import annotations

import pytest

from exchange.adapters.clock import VirtualClock
from exchange.core.units import SECOND
from exchange.runtime.pace import Pace


def test_at_speed_one_it_is_the_wall_clock_with_its_jumps() -> None:
    wall = VirtualClock(1000 * SECOND)
    pace = Pace(wall)
    pace.anchor(0)
    assert pace.now() == 1000 * SECOND
    wall.set(900 * SECOND)
    assert pace.now() == 900 * SECOND


def test_it_goes_on_from_a_journal_that_is_ahead_of_the_wall() -> None:
    wall = VirtualClock(1000 * SECOND)
    pace = Pace(wall)
    pace.anchor(5000 * SECOND)
    wall.advance(3 * SECOND)
    assert pace.now() == 5003 * SECOND


@pytest.mark.parametrize(("speed", "seconds"), [(10.0, 20), (0.5, 1), (1000.0, 2000), (0.01, 0.02)])
def test_speed_is_market_time_per_wall_time(speed: float, seconds: float) -> None:
    wall = VirtualClock(1000 * SECOND)
    pace = Pace(wall, speed)
    pace.anchor(400 * SECOND)
    wall.advance(2 * SECOND)
    assert pace.now() == 1000 * SECOND + seconds * SECOND


def test_it_stands_still_while_held() -> None:
    wall = VirtualClock(1000 * SECOND)
    pace = Pace(wall, 10)
    pace.hold(7 * SECOND)
    wall.advance(SECOND)
    assert pace.now() == 7 * SECOND
    pace.anchor(7 * SECOND)
    assert pace.now() == wall.now()


def test_seconds_until_are_wall_seconds() -> None:
    wall = VirtualClock(1000 * SECOND)
    pace = Pace(wall, 10)
    pace.anchor(0)
    assert pace.seconds_until(1020 * SECOND) == pytest.approx(2, abs=1e-5)
    assert pace.seconds_until(999 * SECOND) == 0


def test_after_the_seconds_the_time_has_come_even_when_cut_to_microseconds() -> None:
    wall = VirtualClock(1000 * SECOND)
    pace = Pace(wall, 3)
    pace.anchor(0)
    due = 1000 * SECOND + 12_345_000
    wall.advance(round(pace.seconds_until(due) * SECOND))
    now = pace.now()
    assert now - now % 1000 >= due
