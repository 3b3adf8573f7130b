"""When a key press may move money: not at once, not by a held key, and only once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

ARM_NS: Final = 250_000_000


class Arming:
    """A confirmation that opens after 250 ms without a press and takes one.

    A key held down repeats every few hundredths of a second, and each early press starts the
    delay anew, so holding the key never confirms.   now: monotonic nanoseconds.
    Source of the demand: jesseduffield/lazygit#3471 and #4649, confirmations hit by auto-repeat.
    """

    __slots__ = ("_now", "_since", "is_used")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._since = now()
        self.is_used = False

    @property
    def is_armed(self) -> bool:
        return not self.is_used and self._now() - self._since >= ARM_NS

    def press(self) -> bool:
        """True for the one press that counts."""
        if self.is_used:
            return False
        if not self.is_armed:
            self._since = self._now()
            return False
        self.is_used = True
        return True
