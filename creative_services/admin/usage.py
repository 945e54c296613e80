"""The admin's page of what calls came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.timezone import get_default_timezone_name
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from creative_services.adapters.connections import outside_transactions
from creative_services.adapters.days import ONE_DAY, today
from creative_services.adapters.usage import Asked, usage
from creative_services.adapters.usage_query import UsageError, groups_of, period_of
from creative_services.adapters.usage_table import to_csv
from creative_services.admin import charts
from creative_services.admin.usage_page import page
from creative_services.models import LlmCall, Usage

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest
    from django.urls import URLPattern

    Base = admin.ModelAdmin[Usage]
else:
    Base = admin.ModelAdmin

PERIODS = (7, 30, 90)
EXPORTS = (("day,llm", _("days and LLMs")), ("day,tier", _("days and tiers")), ("user,llm", _("users and LLMs")))
FRAME = {name: getattr(charts, name.upper()) for name in ("width", "height", "left", "right", "top", "bottom")}
FRAME["depth"] = charts.BOTTOM - charts.TOP


@admin.register(Usage)
class UsageAdmin(Base):
    """One page, for those who may see calls; nothing can be changed on it."""

    def get_urls(self) -> list[URLPattern]:
        """No page of a single row. The page is outside ATOMIC_REQUESTS, since it adds days up one by one."""
        view = outside_transactions(require_GET(self.admin_site.admin_view(self.usage_view)))
        return [path("", view, name=f"{self.opts.app_label}_{self.opts.model_name}_changelist")]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see or change calls."""
        names = (get_permission_codename(action, LlmCall._meta) for action in ("view", "change"))
        return any(request.user.has_perm(f"{LlmCall._meta.app_label}.{name}") for name in names)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def usage_view(self, request: HttpRequest) -> HttpResponse:
        """The page of the days `from` and `to`, or with `csv=day,llm` the same numbers as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        texts = {name: str(value) for name, value in request.GET.items()}
        error = None
        try:
            first, last = period_of(texts)
            by = groups_of(texts["csv"]) if "csv" in texts else None
        except UsageError as fault:
            error, by, (first, last) = str(fault), None, period_of({})
        if by:
            name = f"usage-{first}-{last}.csv"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            table = to_csv(usage(Asked(first, last), by), by)
            return HttpResponse(table, content_type="text/csv; charset=utf-8", headers=headers)
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "creative_services/admin/usage.html", self._context(request, first, last) | {"error": error}
        )

    def _context(self, request: HttpRequest, first: date, last: date) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Usage"),
            "first": first.isoformat(),
            "last": last.isoformat(),
            "time_zone": get_default_timezone_name(),
            "periods": [(days, *_period(days), _period(days) == (first, last)) for days in PERIODS],
            "exports": EXPORTS,
            "frame": FRAME,
            **page(Asked(first, last)),
        }


def _period(days: int) -> tuple[date, date]:
    return today() - (days - 1) * ONE_DAY, today()
