"""Which fields of a request are taken, which are ignored, and which must be refused by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def refusal(name: str, why: str) -> InvalidRequestError:
    """The error for a field that cannot be served; its `refused_parameter` is the field's name."""
    error = InvalidRequestError(f"`{name[:60]}` {why}")
    error.refused_parameter = name[:60]
    return error


def sort_out(
    body: Mapping[str, Any], taken: Collection[str], neutral: Mapping[str, Collection[Any]], ignored: Collection[str]
) -> dict[str, Any]:
    """The fields of `taken` that are given; null is as good as absent, everywhere.

    Those of `neutral` may have one of the values that change nothing; those of `ignored` may have any. Raises
    InvalidRequestError for all others: they would change the answer's meaning, or nobody knows whether they would.
    """
    found = {}
    for name, value in body.items():
        if value is None or name in ignored:
            continue
        if name in taken:
            found[name] = value
        elif name not in neutral:
            raise refusal(name, "is not supported here. Leave it out.")
        elif not any(_is(value, one) for one in neutral[name]):
            raise refusal(name, f"can only be {_listed(neutral[name])} here. Leave it out.")
    return found


def flag(fields: dict[str, Any], name: str) -> bool:
    """Takes a field out that is true, false or absent, which is false."""
    value = fields.pop(name, False)
    if not isinstance(value, bool):
        raise refusal(name, "must be true or false.")
    return value


def _is(value: Any, one: Any) -> bool:
    return isinstance(value, bool) == isinstance(one, bool) and bool(value == one)


def _listed(values: Collection[Any]) -> str:
    return " or ".join(str(value).lower() for value in values)
