"""Function arguments that Gemini streams in pieces: each names a place by its JSON path and adds a value there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from creative_services.core.wire.json_text import objects, text

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,6})\]|\[(?:'([^']*)'|\"([^\"]*)\")\]")
_VALUES = ("stringValue", "numberValue", "boolValue")
_MOST = 10_000  # items of one list: a path may not make us fill a huge one


class PartialArguments:
    """One call's arguments in the making."""

    __slots__ = ("_last", "_root")

    def __init__(self, begun: Mapping[str, Any]) -> None:
        self._root: dict[str, Any] = dict(begun)
        self._last = ""

    def add(self, pieces: Any) -> None:
        """Take in the pieces of one event; a string that goes on is appended to what its path holds."""
        for piece in objects(pieces):
            path = text(piece.get("jsonPath"))
            steps = _steps(path)
            if steps:
                value = next((piece[name] for name in _VALUES if name in piece), None)
                _put(self._root, steps, value, goes_on=path == self._last)
            self._last = path if piece.get("willContinue") else ""

    @property
    def whole(self) -> dict[str, Any]:
        """What has come so far."""
        return self._root


def _steps(path: str) -> list[str | int]:
    """The names and indexes on the way from the root; none for what is no path below it."""
    found = list(_STEP.finditer(path, 1)) if path.startswith("$") else []
    if sum(len(step[0]) for step in found) != len(path) - 1 or len(found) > 100:
        return []
    return [int(step[2]) if step[2] else step[1] or step[3] or step[4] or "" for step in found]


def _put(root: dict[str, Any], steps: list[str | int], value: Any, *, goes_on: bool) -> None:
    here: Any = root
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            if not isinstance(here, list) or step >= _MOST:
                return
            here.extend([None] * (step + 1 - len(here)))
            below = here[step]
        else:
            if not isinstance(here, dict):
                return
            below = here.get(step)
        if following is None:
            both = goes_on and isinstance(below, str) and isinstance(value, str)
            here[step] = f"{below}{value}" if both else value
        elif not isinstance(below, dict | list):
            here[step] = [] if isinstance(following, int) else {}
        here = here[step]
