"""What the list of LLMs shows of a row, as text."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from creative_services.adapters.probe import fault_of
from creative_services.adapters.snapshot import entry_of
from creative_services.core.providers import retirement

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from creative_services.admin.now import Now
    from creative_services.models import Llms

UNKNOWN = "?"


def tier(row: Llms, now: Now) -> SafeString:
    """The tier, whether a call of it would ask this row first, and why calls leave it alone."""
    lines: list[str | SafeString] = [row.get_tier_display()]
    if row.pk in now.used:
        lines.append(format_html("<strong>{}</strong>", _unbroken(_("✓ used now"))))
    if row.pk in now.cooling:
        lines.append(_note(now.cooling[row.pk].reason))
    return _lines(*lines)


def model(row: Llms) -> SafeString:
    """The provider's model, why no call can use the row, and when the provider retires the model."""
    notes = [fault_of(entry_of(row)), _retirement(row)]
    return _lines(row.provider, row.model, *(_note(note) for note in notes if note))


def _note(text: str) -> SafeString:
    return format_html("<small>⚠ {}</small>", text)


def _retirement(row: Llms) -> str | None:
    ending = retirement(row.provider, row.model)
    if ending is None:
        return None
    text = _("retired %(date)s, use %(successor)s") if ending.has_come() else _("ends %(date)s, then %(successor)s")
    return text % {"date": date_format(ending.date, "Y-m-d"), "successor": ending.successor}


def prices(row: Llms) -> str | SafeString:
    """US dollars in and out, per million tokens as providers print them, and per thousand as rows hold them."""
    costs = (row.cost_per_1k_input, row.cost_per_1k_output)
    if costs == (None, None):
        return UNKNOWN
    per_1m, per_1k = (" / ".join(times(cost, thousands) for cost in costs) for thousands in (1000, 1))
    million, thousand = _("%(prices)s per 1M") % {"prices": per_1m}, _("%(prices)s per 1K") % {"prices": per_1k}
    return _lines(_unbroken(million), format_html("<small>{}</small>", _unbroken(thousand)))


def times(cost: float | None, thousands: int) -> str:
    """US dollars for so many thousand tokens."""
    return UNKNOWN if cost is None else dollars(Decimal(str(cost)) * thousands)


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _lines(*lines: str | SafeString) -> SafeString:
    return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))


def dollars(amount: Decimal) -> str:
    """`amount` with at least two decimals and no zeros after them."""
    digits = f"{amount:f}"
    whole, _dot, cents = digits.partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"
