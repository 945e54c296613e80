"""The admin's pages of budgets."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creative_services.adapters.spending import Spending, spending
from creative_services.admin.columns import dollars
from creative_services.models import Budget

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    Base = admin.ModelAdmin[Budget]
else:
    Base = admin.ModelAdmin


@admin.register(Budget)
class BudgetAdmin(Base):
    """The list of budgets with what each has left, and the page of one."""

    list_display = ("name", "scope", "period", "limit_shown", "is_hard", "is_active")
    list_filter = ("is_active", "is_hard", "period", "tier")
    list_select_related = ("user", "group", "machine_key", "llm")
    search_fields = ("name",)
    ordering = ("name",)
    raw_id_fields = ("user", "machine_key")
    readonly_fields = ("used",)
    fieldsets = (
        (None, {"fields": ("name", "is_active", "used")}),
        (
            _("Which calls it counts"),
            {
                "fields": ("user", "group", "machine_key", "tier", "llm"),
                "description": _("Those that fit all that is chosen here; nothing chosen: all calls."),
            },
        ),
        (_("How much"), {"fields": ("limit", "period", "time_zone", "warn_at_percent")}),
        (_("When it is used up"), {"fields": ("is_hard", "allows_unpriced")}),
    )

    @admin.display(description=_("counts"))
    def scope(self, row: Budget) -> str:
        """The parts of its scope."""
        parts = [row.user, row.group, row.machine_key, row.get_tier_display(), row.llm]
        return ", ".join(str(part) for part in parts if part) or gettext("all calls")

    @admin.display(description=_("limit"), ordering="limit")
    def limit_shown(self, row: Budget) -> str:
        """US dollars."""
        return f"${dollars(row.limit)}"

    @admin.display(description=_("this period"))
    def used(self, row: Budget) -> str | SafeString:
        """What is spent, reserved and left in the present period."""
        return bar(spending([row])[row.pk]) if row.pk else "-"

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns, with that of what is used, which is asked once for all rows."""

        @cache
        def of_all() -> dict[int, Spending]:
            return spending(self.get_queryset(request))

        @admin.display(description=_("this period"))
        def used(row: Budget) -> SafeString:
            return bar(of_all()[row.pk])

        *columns, hard, active = super().get_list_display(request)
        return [*columns, used, hard, active]


def bar(amounts: Spending) -> SafeString:
    """What is used as a bar, and in words beside it."""
    text = gettext("%(spent)s spent, %(reserved)s reserved, %(left)s left") % {
        name: f"${dollars(round(getattr(amounts, name), 6))}" for name in ("spent", "reserved", "left")
    }
    reset = (
        ""
        if amounts.resets_at is None
        else gettext("until %(date)s") % {"date": date_format(amounts.resets_at, "Y-m-d H:i e")}
    )
    used = amounts.spent + amounts.reserved
    return format_html(
        '<meter min="0" max="{}" high="{}" optimum="0" value="{}">{}</meter> {} <small>{}</small>',
        amounts.limit,
        amounts.warns_at,
        used,
        text,
        text,
        reset,
    )
