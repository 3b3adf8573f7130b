from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core import units
from exchange.core.units import ceil_div, floor_div, half_even_div

WHOLE = st.integers(-(10**30), 10**30)
STILL = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@STILL
@given(WHOLE, st.integers(1, 10**15))
def test_named_divisions_round_as_they_say(value: int, divisor: int) -> None:
    exact = Fraction(value, divisor)
    assert floor_div(value, divisor) == floor(exact)
    assert ceil_div(value, divisor) == ceil(exact)
    assert half_even_div(value, divisor) == round(exact)


@pytest.mark.parametrize("divide", [floor_div, ceil_div, half_even_div])
def test_division_by_nothing_or_less_is_a_bug(divide) -> None:
    for divisor in (0, -1):
        with pytest.raises(AssertionError):
            divide(1, divisor)


def test_limits_are_positive_whole_numbers() -> None:
    limits = {name: value for name, value in vars(units).items() if name.endswith("_MAX")}
    assert len(limits) > 10
    assert all(type(value) is int and value > 0 for value in limits.values())


@pytest.mark.parametrize(
    ("value", "expected"), [(5, 2), (15, 8), (25, 12), (-5, -2), (-15, -8), (4, 2), (6, 3)]
)
def test_ties_go_to_the_even_neighbor(value: int, expected: int) -> None:
    assert half_even_div(value, 2) == expected
