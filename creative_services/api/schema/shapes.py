"""Named JSON schemas, written once in the words of OpenAPI 3.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Properties = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Shape:
    """A component of the schema. Other shapes stand in its JSON schema where they are referred to."""

    name: str
    schema: dict[str, Any]


NULL: dict[str, Any] = {"type": "null"}
STRING: dict[str, Any] = {"type": "string"}
BOOLEAN: dict[str, Any] = {"type": "boolean"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}
OBJECT_OR_NULL: dict[str, Any] = {"type": ["object", "null"], "additionalProperties": True}
DOLLARS: dict[str, Any] = {"type": ["string", "null"], "description": "US dollars in plain digits; null: unknown."}


def open_object(properties: Properties, required: Collection[str] = (), about: str = "") -> dict[str, Any]:
    """An object with these fields, and maybe more."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": True}
    if required:
        schema["required"] = list(required)
    if about:
        schema["description"] = about
    return schema


def whole_object(properties: Properties, about: str = "") -> dict[str, Any]:
    """An object with exactly these fields, all of them always there."""
    return {**open_object(properties, properties, about), "additionalProperties": False}


def closed_object(properties: Properties, about: str = "") -> dict[str, Any]:
    """An object with no fields but these, of which none need be there."""
    return {**open_object(properties, (), about), "additionalProperties": False}


def array(items: Any, least: int = 0) -> dict[str, Any]:
    """A list of at least so many of these."""
    return {"type": "array", "items": items, "minItems": least} if least else {"type": "array", "items": items}


def one_of(*values: str | None) -> dict[str, Any]:
    """One of these strings, or null where None is among them.

    One level down, because drf-spectacular makes components of its own of a property's values, names them after the
    property, and warns where two properties of that name differ.
    """
    strings = {"type": "string", "enum": [value for value in values if value is not None]}
    return {"anyOf": [strings, NULL]} if None in values else {"allOf": [strings]}


def nullable(schema: dict[str, Any], about: str = "") -> dict[str, Any]:
    """This, or null."""
    described = {"description": about} if about else {}
    return {**schema, "type": [schema["type"], "null"], **described}


def or_null(shape: Shape) -> dict[str, Any]:
    """This shape, or null."""
    return {"anyOf": [shape, NULL]}


def in_version_3_0(schema: dict[str, Any]) -> dict[str, Any]:
    """The same in the words of OpenAPI 3.0, which has no type null. Only this schema's own level is rewritten."""
    match schema:
        case {"type": [kind, "null"]}:
            return {**schema, "type": kind, "nullable": True}
        case {"anyOf": [*shapes, {"type": "null"}]}:
            return {**schema, "anyOf": shapes, "nullable": True}
        case _:
            return schema
