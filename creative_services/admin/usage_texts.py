"""Amounts of the usage page as people read them."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from creative_services.admin.columns import dollars

UNKNOWN = "?"


def money(amount: Decimal | float | None) -> str:
    """US dollars: cents from a dollar on, three digits below it; never a power of ten. Unknown is a question mark."""
    if amount is None:
        return UNKNOWN
    exact = Decimal(str(amount))
    if exact == 0 or exact >= 1:
        return f"${exact:,.2f}"
    return f"${dollars(round(exact, 2 - exact.adjusted()))}"


def count(number: float | None) -> str:
    """A whole number with its thousands apart."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def share(part: float) -> str:
    """Per cent."""
    return f"{part:.1%}"


def seconds(value: float | None) -> str:
    """Seconds, to three digits."""
    if value is None:
        return "–"
    return _("%(seconds)s s") % {"seconds": f"{value:.2f}" if value < 10 else f"{value:.0f}"}
