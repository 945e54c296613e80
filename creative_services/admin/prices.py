"""List prices in the admin: where a row's come from, and the action that brings them up to date."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import label_for_field
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creative_services.adapters.price_list import PriceList
from creative_services.adapters.prices import check_prices
from creative_services.admin.columns import times
from creative_services.core.errors import ConfigurationError
from creative_services.models import Llms

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from creative_services.adapters.prices import PriceCheck
    from creative_services.models.querysets import LlmsQuerySet

    Base = admin.ModelAdmin[Llms]
else:
    Base = admin.ModelAdmin


class ListPricesAdmin(Base):
    """The part of the admin that knows lists of prices."""

    @admin.display(description=_("prices from"))
    def prices_from(self, row: Llms) -> str:
        """The list and the day, or that a person set them."""
        if not row.prices_source:
            return str(_("Entered here"))
        if row.prices_synced_at is None:
            return str(row.prices_source)
        return f"{row.prices_source}, {date_format(localtime(row.prices_synced_at), 'Y-m-d')}"

    @admin.action(description=_("Update prices…"), permissions=["change"])
    def update_prices(self, request: HttpRequest, queryset: LlmsQuerySet) -> HttpResponse | None:
        """Show what the list of prices would change in these, and write it once that was seen."""
        try:
            checks = list(check_prices(queryset, PriceList()))
        except ConfigurationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        changing = [check for check in checks if check.state == "changed"]
        shown = _fingerprint(changing)
        if not changing or request.POST.get("shown") == shown:
            self._write(request, checks)
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Update prices"),
            "lines": [_line(check) for check in checks if check.state != "same"],
            "ids": [check.row.pk for check in changing],
            "shown": shown,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "creative_services/admin/prices.html", context)

    def _write(self, request: HttpRequest, checks: list[PriceCheck]) -> None:
        count = 0
        for check in checks:
            if not check.apply():
                text = _("%(row)s: somebody has changed its prices meanwhile.") % {"row": check.row}
                self.message_user(request, text, messages.WARNING)
            elif check.state == "changed":
                count += 1
                self.log_change(request, check.row, [{"changed": {"fields": [_label(name) for name in check.after]}}])
        text = ngettext("Prices of %(count)d LLM updated.", "Prices of %(count)d LLMs updated.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


def _line(check: PriceCheck) -> dict[str, Any]:
    notes = {
        "unknown": _("The list does not have this model."),
        "kept": _("Stays as it was entered here, though the list differs."),
    }
    return {
        "row": check.row,
        "changes": [(_label(name), times(old, 1000), times(new, 1000)) for name, old, new in check.changes],
        "note": check.listed.source if check.listed and check.after else notes.get(check.state),
    }


def _label(column: str) -> str:
    return str(label_for_field(column, Llms))


def _fingerprint(checks: list[PriceCheck]) -> str:
    """What was shown, in short: what changes meanwhile is shown anew."""
    return sha256(repr([(check.row.pk, check.changes) for check in checks]).encode()).hexdigest()
