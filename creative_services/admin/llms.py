"""The admin's pages of LLMs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.db.models import Case, IntegerField, When
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters

from creative_services.adapters.clients import get_breaker
from creative_services.adapters.connections import outside_transactions
from creative_services.adapters.snapshot import entry_of
from creative_services.admin import columns
from creative_services.admin.connection import connection_results
from creative_services.admin.duplicate import unsaved_copy
from creative_services.admin.forms import LlmsForm
from creative_services.admin.now import look
from creative_services.admin.offered import OfferedModelsAdmin
from creative_services.admin.prices import ListPricesAdmin
from creative_services.core.ledger import Caller
from creative_services.core.secret import Secret
from creative_services.models import Llms
from creative_services.models.llms import TIERS
from creative_services.models.querysets import RANK

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse, QueryDict
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

    from creative_services.models.querysets import LlmsQuerySet

TIER_ORDER = Case(
    *(When(tier=tier, then=place) for place, (tier, _label) in enumerate(TIERS)), output_field=IntegerField()
)


class KeyFilter(admin.SimpleListFilter):
    """Rows with and without a key."""

    title = _("API key")
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("set", _("Set")), ("none", _("None"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Llms]) -> QuerySet[Llms]:
        if self.value() is None:
            return queryset
        return queryset.filter(api_key__isnull=self.value() == "none")


@admin.register(Llms)
class LlmsAdmin(ListPricesAdmin, OfferedModelsAdmin):
    """The list of LLMs in the order in which calls would ask them, and the page of one.

    A key that was typed is never shown again: not on the page, in the history, on a debug page or in an error mail.
    """

    form = LlmsForm
    list_display = ("name", "model_shown", "prices", "key_shown", "is_active")
    list_editable = ("is_active",)
    list_filter = ("tier", "is_active", KeyFilter, "provider")
    search_fields = ("name", "provider", "model", "notes")
    ordering = (TIER_ORDER, *RANK)
    actions = ("activate", "deactivate", "duplicate", "test_connection", "update_prices", "reset")
    readonly_fields = ("prices_from", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "tier", "is_active")}),
        (_("Model"), {"fields": ("provider", "model", "api_endpoint", "api_key", "wire")}),
        (
            _("Price"),
            {
                "fields": (
                    ("cost_per_1k_input", "cost_per_1k_output"),
                    ("cost_per_1k_cache_read", "cost_per_1k_cache_write"),
                    "prices_from",
                )
            },
        ),
        (
            _("What it can do"),
            {"fields": ("context_window", ("supports_images", "supports_tools", "supports_json_schema"))},
        ),
        (_("Request"), {"fields": (("max_tokens", "temperature"), "extra_params")}),
        (_("Limits"), {"fields": (("requests_per_minute", "tokens_per_minute", "calls_at_once"),)}),
        (_("Notes"), {"fields": ("notes", "created_at", "updated_at")}),
    )

    @admin.display(description=_("provider and model"), ordering=Concat("provider", "model"))
    def model_shown(self, row: Llms) -> SafeString:
        """Provider and model, and what stands against its use."""
        return columns.model(row)

    @admin.display(description=_("$ in / out"), ordering="cost_per_1k_input")
    def prices(self, row: Llms) -> str | SafeString:
        """US dollars per million and per thousand tokens."""
        return columns.prices(row)

    @admin.display(description=_("API key"))
    def key_shown(self, row: Llms) -> str:
        """What may be known of the key."""
        return row.key_hint

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns, with that of the tier, for whose marks of what calls do now is asked once for all rows."""
        now = cache(look)

        @admin.display(description=_("tier"), ordering=TIER_ORDER)
        def tier(row: Llms) -> SafeString:
            return columns.tier(row, now())

        name, *others = super().get_list_display(request)
        return [name, tier, *others]

    def get_urls(self) -> list[URLPattern]:
        """The list leaves ATOMIC_REQUESTS, since its action `test_connection` calls providers."""
        urls = super().get_urls()
        for url in urls:
            if url.name == f"{self.opts.app_label}_{self.opts.model_name}_changelist":
                outside_transactions(url.callback)
        return urls

    @method_decorator(sensitive_post_parameters("api_key"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one LLM; debug pages and error mails of it show a typed key as stars."""
        if "api_key" in request.POST:
            request.POST = _with_masked_key(request.POST)  # type: ignore[assignment]  # what it is said to be
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Llms, form: LlmsForm, change: bool) -> None:
        """Write what was changed and no more: meanwhile keys may have been rotated, or others have edited the row."""
        obj.save(update_fields=[*form.changed_data, "updated_at"] if change else None)

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: LlmsQuerySet) -> None:
        """Let calls use these."""
        count = self._set_active(request, queryset, active=True)
        text = ngettext("%(count)d LLM activated.", "%(count)d LLMs activated.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: LlmsQuerySet) -> None:
        """Keep calls away from these."""
        count = self._set_active(request, queryset, active=False)
        text = ngettext("%(count)d LLM deactivated.", "%(count)d LLMs deactivated.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Duplicate, as inactive"), permissions=["add"])
    def duplicate(self, request: HttpRequest, queryset: LlmsQuerySet) -> None:
        """Copy these, each under a name of its own."""
        names = {name.casefold() for name in Llms.objects.values_list("name", flat=True)}
        for row in queryset:
            twin = unsaved_copy(row, names)
            try:
                twin.save()
            except ValidationError as error:
                self.message_user(request, f"{row}: {' '.join(error.messages)}", messages.ERROR)
                continue
            names.add(twin.name.casefold())
            self.log_addition(request, twin, [{"added": {}}])
            text = _("%(row)s was copied as %(copy)s, inactive.") % {"row": row, "copy": twin}
            self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=_("Test connection"), permissions=["change"])
    def test_connection(self, request: HttpRequest, queryset: LlmsQuerySet) -> None:
        """Ask each of these for a few tokens."""
        for level, text in connection_results(queryset, Caller(user_id=request.user.pk, source="admin")):
            self.message_user(request, text, level)

    @admin.action(description=_("Reset failures, so that calls ask again"), permissions=["change"])
    def reset(self, request: HttpRequest, queryset: LlmsQuerySet) -> None:
        """Forget that these have failed."""
        entries = [entry_of(row) for row in queryset]
        if get_breaker().reset(entries):
            count = len(entries)
            text = ngettext("%(count)d LLM will be asked again.", "%(count)d LLMs will be asked again.", count)
            self.message_user(request, text % {"count": count}, messages.SUCCESS)
        else:
            self.message_user(request, _("The cache cannot be reached, so nothing was reset."), messages.ERROR)

    def _set_active(self, request: HttpRequest, queryset: LlmsQuerySet, *, active: bool) -> int:
        """How many rows were changed; those that were so before are not."""
        others = queryset.filter(is_active=not active)
        with transaction.atomic(using=router.db_for_write(Llms)):
            rows = list(others)
            others.order_by().update(is_active=active, updated_at=timezone.now())
            for row in rows:
                self.log_change(request, row, [{"changed": {"fields": ["Active"]}}])
        return len(rows)


def _with_masked_key(data: QueryDict) -> QueryDict:
    masked = data.copy()
    masked.setlist("api_key", [Secret(value) for value in data.getlist("api_key")])
    masked._mutable = False  # noqa: SLF001 - Django has no public way to close a copy again
    return masked
