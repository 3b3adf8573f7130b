from __future__ import annotations

import pytest

from exchange.core import commands as c
from exchange.core.commands import COMMANDS, KINDS, command_of, row_of
from exchange.core.events import EVENTS, Transferred
from exchange.core.messages import PlaceOrder, Reject

COLD = [cls for _, cls in (*COMMANDS.values(), *EVENTS.values()) if hasattr(cls, "__annotations__")]


def test_a_command_survives_its_row() -> None:
    command = PlaceOrder(3, 0, 1, 2, 5, 100, 5, 2, 9_000, True, 4, "a-1")  # noqa: FBT003 - in order of the fields
    row = row_of(command)
    assert row == [3, 0, 1, 2, 5, 100, 5, 2, 9_000, True, 4, "a-1"]
    assert row_of(command_of(1, row)) == row


def test_lists_of_a_row_become_tuples_again() -> None:
    fields = dict(
        zip((n for n, _ in c.AmendInstrument.FIELDS), (0, [[1, 2], [3, 4]], *range(1, 10)), strict=True)
    )
    amended = command_of(KINDS[c.AmendInstrument], list(fields.values()))
    assert isinstance(amended, c.AmendInstrument)
    assert amended.fees == ((1, 2), (3, 4))


def test_unknown_kinds_and_rows_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(KeyError):
        command_of(0, [])
    with pytest.raises(ValueError):
        command_of(1, [1, 2])


def test_defaults_say_none() -> None:
    order = PlaceOrder(3, 0, 1, 2, 5)
    assert (order.limit, order.display, order.expires, order.client_order_id) == (0, 0, 0, "")
    assert (order.tif, order.stp, order.is_post_only) == (1, 1, False)
    everything = c.CancelAll(account=3)
    assert (everything.instrument, everything.side) == (-1, 0)


def test_cold_messages_compare_by_value_and_show_their_fields() -> None:
    one, two = c.ListAsset(symbol="BTC", exponent=8), c.ListAsset(symbol="BTC", exponent=8)
    assert one == two
    assert one != c.ListAsset(symbol="BTC", exponent=7)
    assert one != c.Tick()
    assert repr(one) == "ListAsset(symbol='BTC', exponent=8)"
    with pytest.raises(TypeError):
        hash(one)


def test_cold_messages_take_keywords_only_and_nothing_else() -> None:
    with pytest.raises(TypeError):
        c.ListAsset("BTC", 8)  # type: ignore[misc]
    with pytest.raises(TypeError):
        c.ListAsset(symbol="BTC")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        c.ListAsset(symbol="BTC", exponent=8, color="red")  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        c.Tick().color = "red"  # type: ignore[attr-defined]


@pytest.mark.parametrize("cls", COLD, ids=lambda cls: cls.__name__)
def test_messages_have_a_slot_per_field(cls: type) -> None:
    assert cls.__dictoffset__ == 0
    assert all(hasattr(cls, name) for name, _ in cls.FIELDS)


def test_fields_carry_their_kind() -> None:
    kinds = dict(Transferred.FIELDS)
    assert kinds["source"] == "AccountId"
    assert kinds["amount"] == "Minor"


def test_a_reject_without_values_has_no_unit() -> None:
    reject = Reject("market.halted")
    assert (reject.limit, reject.actual, reject.unit) == (0, 0, "")
