"""JSON objects that many hold and nobody changes."""

from __future__ import annotations

from typing import Any, NoReturn


class Params(dict[str, Any]):
    """A JSON object that refuses to be changed; copies and pickles of it are plain dicts."""

    def _refuse(self, *args: Any) -> NoReturn:
        raise TypeError("An entry's parameters cannot be changed. Make a new entry with `dataclasses.replace`.")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)
