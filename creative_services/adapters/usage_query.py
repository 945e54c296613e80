"""What people ask of usage, as text: in the API's and the admin's addresses, and on the command line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from creative_services.adapters.days import ONE_DAY, today
from creative_services.adapters.usage import GROUPS, MOST_DAYS, Asked
from creative_services.models.calls import OUTCOMES, SOURCES
from creative_services.models.llms import TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL_DAYS = 30
MOST_GROUPS = 2
MOST_ID = 2**63 - 1
YEARS = range(2000, 3000)
NAMES = tuple(name for name in GROUPS if name != "who")  # for the page alone
CHOICES = {"tier": TIERS, "source": SOURCES, "outcome": OUTCOMES}


class UsageError(ValueError):
    """What was asked cannot be meant; says why."""


def asked_of(texts: Mapping[str, str]) -> Asked:
    """The calls that `from`, `to`, `tier`, `llm`, `user`, `machine_key`, `source` and `outcome` tell; empty: any.

    Raises UsageError.
    """
    first, last = period_of(texts)
    values: dict[str, Any] = {name: _choice(name, texts[name]) for name in CHOICES if texts.get(name)}
    values |= {f"{name}_id": _id(name, texts[name]) for name in ("llm", "machine_key") if texts.get(name)}
    if texts.get("user"):
        values["user_id"] = _user_id(texts["user"])
    return Asked(first, last, **values)


def period_of(texts: Mapping[str, str]) -> tuple[date, date]:
    """The days `from` and `to`: usually the last thirty, of which today is one. Raises UsageError."""
    last = _day("to", texts["to"]) if texts.get("to") else today()
    first = _day("from", texts["from"]) if texts.get("from") else last - (USUAL_DAYS - 1) * ONE_DAY
    if first > last:
        raise UsageError(f"`from` ({first}) is after `to` ({last}).")
    if (last - first).days >= MOST_DAYS:
        raise UsageError(f"From {first} to {last} is longer than {MOST_DAYS} days.")
    return first, last


def groups_of(text: str) -> tuple[str, ...]:
    """The names that `day,llm` tells. Raises UsageError."""
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise UsageError(f"`by` takes {', '.join(NAMES)}, and not {unknown[0]!r}.")
    if len(names) > MOST_GROUPS or len(set(names)) < len(names):
        raise UsageError(f"`by` takes one name, or {MOST_GROUPS} different ones.")
    return names


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.isoformat() != text or day.year not in YEARS:
        raise UsageError(f"`{name}` must be a day such as 2026-11-30, not {text!r}.")
    return day


def _choice(name: str, text: str) -> str:
    known = [value for value, _label in CHOICES[name]]
    if text not in known:
        raise UsageError(f"`{name}` must be one of {', '.join(known)}, not {text!r}.")
    return text


def _id(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= MOST_ID):
        raise UsageError(f"`{name}` must be an id, not {text!r}.")
    return int(text)


def _user_id(text: str) -> Any:
    key = get_user_model()._meta.pk
    try:
        value = key.to_python(text)
        key.run_validators(value)
    except ValidationError:
        raise UsageError(f"`user` must be the id of a user, not {text!r}.") from None
    return value
