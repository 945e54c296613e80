"""What a caller may want of an answer that most APIs have a word for, and some have none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import InvalidRequestError
from creative_services.core.params import Params

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {"top_p": (0, 1, 1), "presence_penalty": (-2, 2, 0), "frequency_penalty": (-2, 2, 0)}
)
"""From, to, and what changes nothing."""
NO_OPTIONS: Mapping[str, Any] = Params()
_LARGEST_SEED = 2**63


def check_options(value: Any) -> Mapping[str, Any]:
    """The options, checked, without those whose value changes nothing.

    Raises InvalidRequestError, which names the option.
    """
    if value is None:
        return NO_OPTIONS
    if not isinstance(value, Mapping) or not all(name in _CHECKS for name in value):
        raise InvalidRequestError(f"`options` must be an object with some of: {', '.join(OPTIONS)}.")
    found = {name: _CHECKS[name](name, given) for name, given in value.items() if given is not None}
    return {name: given for name, given in found.items() if given is not None}


def spell(
    options: Mapping[str, Any], words: Mapping[str, str | None], refuse: Callable[[str, str], InvalidRequestError]
) -> dict[str, Any]:
    """The options in one API's words; an option whose word is None is only a wish there, and left out.

    Raises what `refuse` makes of one that this API has no word for.
    """
    for name in options:
        if name not in words:
            raise refuse(f"`{name}`", "Leave it out, or ask an LLM of another API.")
    return {word: options[name] for name, word in words.items() if word and name in options}


def _number(name: str, value: Any) -> float | None:
    least, most, neutral = NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidRequestError(f"`{name}` must be a number from {least} to {most}.")
    return None if value == neutral else value


def _seed(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -_LARGEST_SEED <= value < _LARGEST_SEED:
        raise InvalidRequestError(f"`{name}` must be an int of 64 bits.")
    return value


def _false_if_given(name: str, value: Any) -> bool | None:
    if not isinstance(value, bool):
        raise InvalidRequestError(f"`{name}` must be true or false.")
    return None if value else False


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = MappingProxyType(
    {**dict.fromkeys(NUMBERS, _number), "seed": _seed, "parallel_tool_calls": _false_if_given}
)
OPTIONS = tuple(_CHECKS)
