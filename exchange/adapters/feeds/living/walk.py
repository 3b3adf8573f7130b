"""The hidden value of what is traded: returns of one underlying, pulse by pulse.

Regimes (calm, quiet, volatile, trending) last some minutes, jumps are rare, and a group of
underlyings shares a part of its moves.  All in whole parts per billion.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from exchange.adapters.feeds.living.dice import UNIT, Dice
from exchange.adapters.feeds.living.profiles import Profile
from exchange.core.units import SECOND, Nanos

PULSE: Final[Nanos] = SECOND // 4
PULSES_PER_MINUTE: Final = 240
PULSES_PER_ROOT_HOUR: Final = 120  # the square root of the pulses in an hour


class Regime(NamedTuple):
    """volatility, activity: percent of calm.   drift: percent of the pulse's standard deviation,
    added to every return.   minutes: average length.   weight: of its choice as the next one."""

    name: str
    volatility: int
    activity: int
    drift: int
    minutes: int
    weight: int


REGIMES: Final = (
    Regime("calm", 100, 100, 0, 5, 34),
    Regime("quiet", 55, 60, 0, 4, 20),
    Regime("volatile", 190, 200, 0, 2, 14),
    Regime("rising", 90, 120, 4, 4, 16),
    Regime("falling", 90, 120, -4, 4, 16),
)
CHOICES: Final = tuple(regime for regime in REGIMES for _ in range(regime.weight))


class Current:
    """What a group moves by together; ``advance`` before the group's walks do."""

    __slots__ = ("_dice", "move")

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self.move = 0

    def advance(self) -> None:
        self.move = self._dice.normal()


class Walk:
    """Returns of one underlying.  move: the return of the last pulse, ppb."""

    __slots__ = ("_common", "_current", "_dice", "_jump", "_left", "_own", "_sigma", "move", "regime")

    def __init__(self, profile: Profile, current: Current, dice: Dice) -> None:
        self._dice = dice
        self._current = current
        self._sigma = profile.hour_ppm * 1000 // PULSES_PER_ROOT_HOUR
        self._common = profile.common
        self._own = _other_leg(profile.common)
        self._jump = profile.jump_minutes * PULSES_PER_MINUTE
        self._left = 0
        self.regime = REGIMES[0]
        self.move = 0

    def advance(self) -> None:
        dice = self._dice
        if self._left == 0:
            self.regime = dice.pick(CHOICES)
            self._left = 1 + dice.wait(self.regime.minutes * PULSES_PER_MINUTE)
        self._left -= 1
        regime = self.regime
        mixed = (self._current.move * self._common + dice.normal() * self._own) // 100
        mixed = mixed * regime.volatility // 100 + regime.drift * UNIT // 100
        if dice.below(self._jump) == 0:
            mixed += dice.between(15, 40) * UNIT * (1 if dice.hits(50) else -1)
        self.move = self._sigma * mixed // UNIT


def _other_leg(common: int) -> int:
    """The own share that keeps the variance at one: the integer root of 100**2 - common**2."""
    own = 0
    while (own + 1) ** 2 + common**2 <= 10_000:
        own += 1
    return own
