"""The one decorator of the cold messages: slots, keyword-only ``__init__``, equality, ``repr``.

``dataclasses`` would do the same but costs a third of the start-up budget for forty classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


def _equal(self: Any, other: Any) -> bool:
    if type(other) is not type(self):
        return False
    return all(getattr(self, name) == getattr(other, name) for name, _ in self.FIELDS)


def _repr(self: Any) -> str:
    inside = ", ".join(f"{name}={getattr(self, name)!r}" for name, _ in self.FIELDS)
    return f"{type(self).__name__}({inside})"


def _make_init(fields: tuple[tuple[str, str], ...], defaults: dict[str, Any]) -> Callable[..., None]:
    parameters = ", ".join(f"{n}=_d_{n}" if n in defaults else n for n, _ in fields)
    body = "\n ".join(f"self.{n} = {n}" for n, _ in fields) or "pass"
    scope: dict[str, Any] = {f"_d_{n}": value for n, value in defaults.items()}
    star = "*, " if fields else ""
    exec(f"def __init__(self, {star}{parameters}) -> None:\n {body}", scope)
    made: Callable[..., None] = scope["__init__"]
    return made


@dataclass_transform(kw_only_default=True, frozen_default=True)
def message(cls: type[T]) -> type[T]:
    """Turn annotated names into slots; ``FIELDS`` keeps (name, kind) with the annotation as kind."""
    fields = tuple(cls.__dict__.get("__annotations__", {}).items())
    defaults = {name: cls.__dict__[name] for name, _ in fields if name in cls.__dict__}
    body: dict[str, Any] = {
        key: value
        for key, value in cls.__dict__.items()
        if key not in defaults and key not in ("__dict__", "__weakref__", "__annotations__")
    }
    body.update(
        __slots__=tuple(name for name, _ in fields),
        __init__=_make_init(fields, defaults),
        __eq__=_equal,
        __hash__=None,
        __repr__=_repr,
        FIELDS=fields,
    )
    metaclass: Any = type(cls)
    made: type[T] = metaclass(cls.__name__, cls.__bases__, body)
    return made
