"""The admin's pages of the ledger: to be looked at, and not to be touched."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _

from creative_services.models import LlmCall, Llms
from creative_services.models.llms import TIERS

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


MOST_COUNTED = 10_000
"""Rows that a list pages through: counting millions takes seconds, and nobody turns that many pages."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than somebody would turn pages."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[LlmCall] = self.object_list  # type: ignore[assignment]  # what the admin's lists are
        return rows.order_by()[:MOST_COUNTED].count()


class TierFilter(admin.SimpleListFilter):
    """The tier of the LLM that was asked."""

    title = _("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(TIERS)

    def queryset(self, request: HttpRequest, queryset: QuerySet[LlmCall]) -> QuerySet[LlmCall]:
        return queryset.filter(tier=self.value()) if self.value() else queryset


class LlmFilter(admin.SimpleListFilter):
    """The LLM that was asked, of those that there are still."""

    title = _("LLM")
    parameter_name = "llm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        rows = Llms.objects.order_by("name").values_list("pk", "name")
        return [(str(pk), name) for pk, name in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LlmCall]) -> QuerySet[LlmCall]:
        value, known = self.value(), [str(pk) for pk, _name in self.lookup_choices]
        return queryset.filter(llm_id=int(value)) if value in known else queryset


@admin.register(LlmCall)
class LlmCallAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The calls, newest first. No row of another table is read for them: they may be in another database."""

    list_display = (
        "started", "llm_name", "tier", "outcome", "error", "caller_shown", "source", "tokens", "cost_shown", "seconds",
    )  # fmt: skip
    list_filter = ("outcome", "source", TierFilter, LlmFilter, "started_at", "is_estimated")
    search_fields = ("request_id",)
    search_help_text = _("The whole id of a request, as it is in x-request-id.")
    ordering = ("-pk",)
    sortable_by = ("started",)
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description=_("started"), ordering="pk")
    def started(self, call: LlmCall) -> datetime:
        """When; the rows are in the order of time already."""
        return call.started_at

    @admin.display(description=_("caller"))
    def caller_shown(self, call: LlmCall) -> str:
        """Who asked: by their own words, else by the ids of key and user."""
        ids = (("key", call.machine_key_id), ("user", call.user_id))
        return call.caller or next((f"{name} {pk}" for name, pk in ids if pk is not None), "")

    @admin.display(description=_("tokens in / out"))
    def tokens(self, call: LlmCall) -> str:
        """As reported."""
        return " / ".join("?" if count is None else str(count) for count in (call.input_tokens, call.output_tokens))

    @admin.display(description=_("cost, $"))
    def cost_shown(self, call: LlmCall) -> str:
        """US dollars; a tilde before what is estimated."""
        return ("~" if call.is_estimated else "") + _dollars(call.cost)

    @admin.display(description=_("seconds"))
    def seconds(self, call: LlmCall) -> str:
        """From the request to the end of the answer."""
        return "" if call.latency_seconds is None else f"{call.latency_seconds:.2f}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The attempts of one request, by its id."""
        if not search_term:
            return queryset, False
        try:
            return queryset.filter(request_id=UUID(search_term)), False
        except ValueError:
            return queryset.none(), False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """All columns; of another row its id, since that row may be gone."""
        return [field.attname for field in self.opts.concrete_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _dollars(amount: Decimal | None) -> str:
    return "?" if amount is None else f"{amount.normalize():f}"
