"""The ledger's rows: one for each attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from creative_services.databases import ledger_alias
from creative_services.fields.usd import UsdField

if TYPE_CHECKING:
    from datetime import datetime

SOURCES = (("python", _("Python")), ("api", _("API")), ("admin", _("Admin")), ("task", _("Task")))
OUTCOMES = (
    ("running", _("Running")),
    ("ok", _("Answered")),
    ("error", _("Failed")),
    ("cancelled", _("Cancelled")),
    ("lost", _("Lost")),
)
COST_SOURCES = (
    ("prices", _("Our prices")),
    ("provider", _("The provider's own word")),
    ("reservation", _("What was reserved, in doubt")),
)


def weak_key(to: Any, label: Any, *, db_index: bool = False) -> Any:
    """A foreign key that the database does not enforce.

    The ledger commits alone, and the other row may be locked, not committed yet, or in another database. An index
    would be written with every call; without it, deleting the other row reads all calls, the admin's list of one LLM's
    reads them until a page is full, and the usage of one user by LLM those of its days.
    """
    return models.ForeignKey(
        to,
        models.SET_NULL,
        verbose_name=label,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=db_index,
        related_name="+",
    )


class LlmCallQuerySet(models.QuerySet["LlmCall"]):
    """Calls."""

    def with_text(self) -> LlmCallQuerySet:
        """Those of which a prompt or an answer is kept."""
        return self.exclude(prompt_text=None, answer_text=None)

    def forget_text(self, before: datetime) -> int:
        """Delete the prompts and answers of calls that began before then; how many calls that were."""
        return self.filter(started_at__lt=before).with_text().update(prompt_text=None, answer_text=None)


class LlmCallManager(models.Manager.from_queryset(LlmCallQuerySet)):  # type: ignore[misc]  # made at run time
    """Reads and writes where the ledger's rows live."""

    def get_queryset(self) -> LlmCallQuerySet:
        queryset: LlmCallQuerySet = super().get_queryset()
        return queryset.using(self._db or ledger_alias())


class LlmCall(models.Model):
    """One attempt at one LLM; those of one call share its `request_id`.

    It is written before the provider is asked (`running`) and settled after. The LLM's columns are as they were then.
    Tokens are as reported, None where they were not. `is_estimated` marks a cost that is not from reported usage.
    """

    request_id = models.UUIDField(_("request"))
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    llm = weak_key("creative_services.Llms", _("LLM"))
    llm_name = models.CharField(_("LLM name"), max_length=200)
    provider = models.CharField(_("provider"), max_length=100)
    model = models.CharField(_("model"), max_length=200)
    tier = models.CharField(_("tier"), max_length=20)
    user = weak_key(settings.AUTH_USER_MODEL, _("user"))
    machine_key = weak_key("creative_services.MachineKey", _("machine key"))
    caller = models.CharField(_("caller"), max_length=200, blank=True, default="")
    source = models.CharField(_("source"), max_length=10, choices=SOURCES, default="python")
    started_at = models.DateTimeField(_("started"), db_index=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    expires_at = models.DateTimeField(_("in doubt from"))
    first_token_seconds = models.FloatField(_("first token, s"), null=True, blank=True)
    latency_seconds = models.FloatField(_("latency, s"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=OUTCOMES, default="running")
    status_code = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=100, blank=True, default="")
    finish_reason = models.CharField(_("finish reason"), max_length=20, blank=True, default="")
    is_stream = models.BooleanField(_("streamed"), default=False)
    input_tokens = models.BigIntegerField(_("input tokens"), null=True, blank=True)
    output_tokens = models.BigIntegerField(_("output tokens"), null=True, blank=True)
    cache_read_tokens = models.BigIntegerField(_("cache read tokens"), null=True, blank=True)
    cache_write_tokens = models.BigIntegerField(_("cache write tokens"), null=True, blank=True)
    reasoning_tokens = models.BigIntegerField(_("reasoning tokens"), null=True, blank=True)
    price_input = UsdField(_("price per 1K input tokens"), null=True, blank=True)
    price_output = UsdField(_("price per 1K output tokens"), null=True, blank=True)
    price_cache_read = UsdField(_("price per 1K cache read tokens"), null=True, blank=True)
    price_cache_write = UsdField(_("price per 1K cache write tokens"), null=True, blank=True)
    reserved = UsdField(_("reserved"), null=True, blank=True)
    cost = UsdField(_("cost"), null=True, blank=True)
    cost_source = models.CharField(_("cost from"), max_length=12, choices=COST_SOURCES, blank=True, default="")
    is_estimated = models.BooleanField(_("estimated"), default=False)
    exceeds_reservation = models.BooleanField(_("above the reservation"), default=False)
    budget_periods = models.JSONField(_("budget periods"), default=list, blank=True)
    decision = models.JSONField(_("decision"), null=True, blank=True)
    prompt_text = models.TextField(_("prompt"), null=True, blank=True)  # noqa: DJ001 - None: not kept
    answer_text = models.TextField(_("answer"), null=True, blank=True)  # noqa: DJ001 - None: not kept

    objects = LlmCallManager()

    class Meta:
        verbose_name = _("LLM call")
        verbose_name_plural = _("LLM calls")
        constraints = (
            models.UniqueConstraint(fields=["request_id", "number"], name="creative_services_one_row_per_try"),
        )
        indexes = (models.Index(fields=["outcome", "expires_at"], name="creative_services_call_state"),)

    def __str__(self) -> str:
        return f"{self.request_id}/{self.number}"
