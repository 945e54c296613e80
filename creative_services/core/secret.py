"""Strings that must not show."""

from __future__ import annotations

from typing import Any


class Secret(str):
    """A string that reads as itself but shows masked wherever Python shows values: `repr`, tracebacks, debug pages."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'" if self else "''"

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self
