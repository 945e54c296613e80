"""Careful readings of what clients nest in their bodies; each error names the place and quotes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.fields import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from creative_services.core.errors import InvalidRequestError

Part = dict[str, Any]


def unsupported(value: Any, where: str, known: Mapping[str, Any]) -> InvalidRequestError:
    """The error for a kind of thing that cannot be passed on."""
    return refusal(where, f"of the type {str(value)[:40]!r} is not supported here. It takes: {', '.join(known)}.")


def kind_of(holder: Mapping[str, Any]) -> str:
    """The `type` of a thing; empty where it has none that could be known."""
    kind = holder.get("type")
    return kind if isinstance(kind, str) else ""


def a_string(holder: Mapping[str, Any], name: str, where: str) -> str:
    """The string that must be there."""
    value = holder.get(name)
    if not isinstance(value, str):
        raise refusal(f"{where}.{name}" if where else name, "must be a string.")
    return value


def an_object(value: Any, where: str) -> dict[str, Any]:
    """`value`, which must be a JSON object."""
    if not isinstance(value, dict):
        raise refusal(where, "must be an object.")
    return value


def objects(value: Any, where: str) -> list[tuple[dict[str, Any], str]]:
    """The JSON objects in a list, each with its place."""
    if not isinstance(value, list):
        raise refusal(where, "must be a list of objects.")
    return [(an_object(item, f"{where}[{index}]"), f"{where}[{index}]") for index, item in enumerate(value)]


def whole_number(value: Any, where: str) -> int:
    """`value`, which must be a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refusal(where, "must be a whole number from 1.")
    return value


def parts(content: Any, where: str, kinds: Mapping[str, Callable[[Part, str], Part]]) -> list[Part]:
    """A string, or a list of parts of these kinds, as parts in OpenAI chat form."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    made = []
    for part, place in objects(content, where):
        make = kinds.get(kind_of(part))
        if make is None:
            raise unsupported(part.get("type"), place, kinds)
        made.append(make(part, place))
    return made


def plain(content: list[Part]) -> str | list[Part]:
    """A single piece of text as the string that every server takes; anything else as it is."""
    if not content:
        return ""
    if len(content) == 1 and content[0].keys() == {"type", "text"} and content[0]["type"] == "text":
        return str(content[0]["text"])
    return content


def function_tool(function: dict[str, Any]) -> dict[str, Any]:
    """A tool in OpenAI chat form, without what is null."""
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def function_choice(name: str) -> dict[str, Any]:
    """The choice of this function, in OpenAI chat form."""
    return {"type": "function", "function": {"name": name}}
