from __future__ import annotations

from random import Random

from exchange.core.commands import Command, ExpireOrder
from exchange.core.state.timers import NEVER, Timers


def expiry(number: int) -> ExpireOrder:
    return ExpireOrder(order_id=number)


def numbers(timers: Timers, ts: int) -> list[int]:
    found: list[int] = []
    while True:
        command = timers.pop_due(ts)
        if command is None:
            return found
        assert isinstance(command, ExpireOrder)
        found.append(command.order_id)


def test_nothing_is_due_of_nothing() -> None:
    timers = Timers()
    assert timers.next_due == NEVER
    assert timers.pop_due(NEVER) is None
    assert timers.pending() == []


def test_due_timers_come_by_time_then_by_arrival() -> None:
    timers = Timers()
    for number, due in enumerate((30, 10, 20, 10, 40), 1):
        timers.add(due, expiry(number))
    assert timers.next_due == 10
    assert numbers(timers, 9) == []
    assert numbers(timers, 30) == [2, 4, 3, 1]
    assert timers.next_due == 40
    assert numbers(timers, 40) == [5]
    assert timers.next_due == NEVER


def test_canceled_timers_do_not_fire_and_the_next_due_moves_on() -> None:
    timers = Timers()
    first, second = timers.add(10, expiry(1)), timers.add(20, expiry(2))
    timers.cancel(first)
    assert timers.next_due == 20
    timers.cancel(first)
    timers.cancel(99)
    assert numbers(timers, 100) == [2]
    timers.cancel(second)
    assert timers.next_due == NEVER


def test_numbers_are_never_used_twice() -> None:
    timers = Timers()
    timers.cancel(timers.add(10, expiry(1)))
    assert timers.add(10, expiry(2)) == 2


def test_dead_entries_do_not_pile_up() -> None:
    timers = Timers()
    timers.add(10**9, expiry(0))
    for number in range(1, 5_000):
        timers.cancel(timers.add(10**6 + number, expiry(number)))
        assert len(timers.heap) <= 2 * len(timers.commands) + 65
    assert [due for due, _, _ in timers.pending()] == [10**9]


def test_timers_are_a_sorted_list_under_any_mix_of_calls() -> None:
    draw, timers = Random(7), Timers()
    live: dict[int, tuple[int, int]] = {}
    now = 0
    for number in range(1, 3_000):
        kind = draw.random()
        if kind < 0.5:
            due = now + draw.randrange(1, 50)
            live[timers.add(due, expiry(number))] = (due, number)
        elif kind < 0.8 and live:
            gone = draw.choice(list(live))
            timers.cancel(gone)
            del live[gone]
        else:
            now += draw.randrange(20)
            due = sorted((at, timer) for timer, (at, _) in live.items() if at <= now)
            assert numbers(timers, now) == [live.pop(timer)[1] for _, timer in due]
        expected: list[tuple[int, int, Command]] = [(at, timer, expiry(n)) for timer, (at, n) in live.items()]
        assert timers.next_due == min((at for at, _, _ in expected), default=NEVER)
        if number % 100 == 0:
            assert timers.pending() == sorted(expected, key=lambda entry: entry[:2])
