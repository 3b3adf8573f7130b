"""A confirmation takes one deliberate press."""

from __future__ import annotations

from tradecli.tui.arming import ARM_NS, Arming

MS = 1_000_000


class Watch:
    now = 0

    def __call__(self) -> int:
        return self.now


def test_an_early_press_does_nothing_and_starts_the_delay_anew() -> None:
    watch = Watch()
    arming = Arming(watch)
    watch.now = 200 * MS
    assert not arming.press()
    watch.now = 400 * MS
    assert not arming.is_armed
    assert not arming.press()
    watch.now = 400 * MS + ARM_NS
    assert arming.press()


def test_a_held_key_never_confirms() -> None:
    watch = Watch()
    arming = Arming(watch)
    presses = []
    for _ in range(200):
        watch.now += 33 * MS
        presses.append(arming.press())
    assert not any(presses)


def test_it_confirms_once() -> None:
    watch = Watch()
    arming = Arming(watch)
    watch.now = ARM_NS
    assert [arming.press(), arming.press()] == [True, False]
    watch.now = 9 * ARM_NS
    assert not arming.press()
    assert not arming.is_armed
