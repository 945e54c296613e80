"""Copies of rows, to try a change on."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from creative_services.models import Llms

if TYPE_CHECKING:
    from collections.abc import Container


def unsaved_copy(row: Llms, names: Container[str]) -> Llms:
    """The row once more, inactive, under a name whose casefold is not among `names`.

    It has the key too: stored keys are bound to the host that they were entered for, in the copy as in the row.
    """
    own = {"id", "name", "is_active", "created_at", "updated_at"}
    fields = [field.attname for field in Llms._meta.concrete_fields if field.attname not in own]
    values = {name: getattr(row, name) for name in fields}
    return Llms(name=free_name(row.name, names), is_active=False, **values)


def free_name(name: str, names: Container[str]) -> str:
    """`name` with `(copy)` or `(copy 2)` and so on after it, cut to the column's length."""
    longest = Llms._meta.get_field("name").max_length or 0
    marks = (_("copy") if number == 1 else _("copy %(number)d") % {"number": number} for number in count(1))
    endings = (f" ({mark})" for mark in marks)
    candidates = (name[: longest - len(ending)] + ending for ending in endings)
    return next(candidate for candidate in candidates if candidate.casefold() not in names)
