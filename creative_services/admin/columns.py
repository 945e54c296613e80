"""What the list of LLMs shows of a row, as text."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from creative_services.adapters.probe import fault_of
from creative_services.adapters.snapshot import entry_of
from creative_services.core.providers import retirement

if TYPE_CHECKING:
    from collections.abc import Container

    from django.utils.safestring import SafeString

    from creative_services.models import Llms

UNKNOWN = "?"


def model_and_retirement(row: Llms) -> str | SafeString:
    """The model, and when its provider retires it, if that is known."""
    ending = retirement(row.provider, row.model)
    if ending is None:
        return row.model
    template = _("retired %(date)s, use %(successor)s") if ending.has_come() else _("ends %(date)s, then %(successor)s")
    words = template % {"date": date_format(ending.date, "Y-m-d"), "successor": ending.successor}
    return format_html("{}<br><small>⚠ {}</small>", row.model, words)


def prices(row: Llms, *, thousands: int) -> str:
    """US dollars for so many thousand tokens, in and out; what is unknown is a question mark, never 0."""
    costs = (row.cost_per_1k_input, row.cost_per_1k_output)
    if costs == (None, None):
        return UNKNOWN
    return " / ".join(UNKNOWN if cost is None else dollars(Decimal(str(cost)) * thousands) for cost in costs)


def dollars(amount: Decimal) -> str:
    """`amount` with at least two decimals and no zeros after them."""
    digits = f"{amount:f}"
    whole, _dot, cents = digits.partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"


def use(row: Llms, used_now: Container[int]) -> str | SafeString:
    """Whether a call of the row's tier would ask this row first, or why no call can."""
    fault = fault_of(entry_of(row))
    if fault is not None:
        return format_html("⚠ {}", fault)
    if row.pk in used_now:
        return format_html("<strong>✓ {}</strong>", _("used now"))
    return ""
