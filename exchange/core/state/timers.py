"""Commands that wait for their time.  Timers hold commands, never callbacks, so they can be saved."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

from exchange.core.commands import Command
from exchange.core.units import Nanos

NEVER: Final = (1 << 62) - 1  # the largest integer that compiled code compares without a call


class Timers:
    """A heap of (due time, arrival number); arrival decides between equal times."""

    __slots__ = ("commands", "heap", "last", "next_due")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int]] = []
        self.commands: dict[int, Command] = {}
        self.last = 0
        self.next_due: Nanos = NEVER

    def add(self, due: Nanos, command: Command) -> int:
        """Returns the number by which ``cancel`` knows the timer."""
        self.last += 1
        heappush(self.heap, (due, self.last))
        self.commands[self.last] = command
        self.next_due = self.heap[0][0]
        return self.last

    def cancel(self, number: int) -> None:
        """Drop a timer; its heap entry goes when it surfaces or when dead ones outnumber the live."""
        if self.commands.pop(number, None) is None:
            return
        if len(self.heap) > 2 * len(self.commands) + 64:
            self.heap = [entry for entry in self.heap if entry[1] in self.commands]
            heapify(self.heap)
        self._settle()

    def pop_due(self, ts: Nanos) -> Command | None:
        """The next command due at or before ts, oldest first; None when there is none."""
        heap = self.heap
        while heap and heap[0][0] <= ts:
            _, number = heappop(heap)
            command = self.commands.pop(number, None)
            if command is not None:
                self._settle()
                return command
        self._settle()
        return None

    def pending(self) -> list[tuple[Nanos, int, Command]]:
        """Every live timer in the order it will fire."""
        commands = self.commands
        return [(due, n, commands[n]) for due, n in sorted(self.heap) if n in commands]

    def _settle(self) -> None:
        heap = self.heap
        while heap and heap[0][1] not in self.commands:
            heappop(heap)
        self.next_due = heap[0][0] if heap else NEVER
