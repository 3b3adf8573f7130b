"""Who may act: id, name and role.  Everything secret or personal lives outside the core."""

from __future__ import annotations


class User:
    __slots__ = ("name", "role", "user_id")

    def __init__(self, user_id: int, name: str, role: int) -> None:
        self.user_id = user_id
        self.name = name
        self.role = role
