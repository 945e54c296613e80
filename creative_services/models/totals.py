"""What the calls of one day came to: sums that are quick to read, and that stay when the calls' rows are pruned."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from creative_services.fields.usd import UsdField
from creative_services.models.calls import OUTCOMES, SOURCES, LlmCall, weak_key


class ClosedDay(models.Model):
    """A day in the project's time zone whose calls are added up, and will not change.

    Each has rows of LlmDay and CallerDay; those whose calls may be deleted have rows of DetailDay, too.
    """

    day = models.DateField(_("day"), primary_key=True)
    has_details = models.BooleanField(_("details are kept"), default=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.day.isoformat()


class DaySums(models.Model):
    """Sums over the calls of one closed day that agree in all the other columns.

    Sums leave out what is unknown, and are None where all of it is; two counts say of how many calls it is.
    """

    day = models.DateField(_("day"), db_index=True)
    calls = models.BigIntegerField(_("calls"))
    errors = models.BigIntegerField(_("failed calls"))
    input_tokens = models.BigIntegerField(_("input tokens"), null=True)
    output_tokens = models.BigIntegerField(_("output tokens"), null=True)
    cache_read_tokens = models.BigIntegerField(_("cache read tokens"), null=True)
    cache_write_tokens = models.BigIntegerField(_("cache write tokens"), null=True)
    reasoning_tokens = models.BigIntegerField(_("reasoning tokens"), null=True)
    calls_of_unknown_tokens = models.BigIntegerField(_("calls of unknown tokens"))
    cost = UsdField(_("cost"), null=True)
    calls_of_unknown_cost = models.BigIntegerField(_("calls of unknown cost"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day}: {self.calls}"


class LlmSums(DaySums):
    """Those of one LLM, as it was then."""

    llm = weak_key("creative_services.Llms", _("LLM"), db_index=False)
    llm_name = models.CharField(_("LLM name"), max_length=200)
    provider = models.CharField(_("provider"), max_length=100)
    model = models.CharField(_("model"), max_length=200)
    tier = models.CharField(_("tier"), max_length=20)
    source = models.CharField(_("source"), max_length=10, choices=SOURCES)
    outcome = models.CharField(_("outcome"), max_length=10, choices=OUTCOMES)

    class Meta:
        abstract = True


class LlmDay(LlmSums):
    """What one LLM did on one day. Answered calls are apart by how long they took."""

    latency_bucket = models.PositiveSmallIntegerField(_("latency bucket"), null=True)

    class Meta:
        default_permissions = ()


class CallerDay(DaySums):
    """What one user or machine key had done on one day; of calls in nobody's name, what one `task` had."""

    user = weak_key(settings.AUTH_USER_MODEL, _("user"), db_index=True)
    machine_key = weak_key("creative_services.MachineKey", _("machine key"), db_index=True)
    task = models.CharField(_("caller"), max_length=200, blank=True)

    class Meta:
        default_permissions = ()


class DetailDay(LlmSums):
    """What one caller had one LLM do on one day whose calls may be deleted."""

    user = weak_key(settings.AUTH_USER_MODEL, _("user"), db_index=True)
    machine_key = weak_key("creative_services.MachineKey", _("machine key"), db_index=True)
    caller = models.CharField(_("caller"), max_length=200, blank=True)

    class Meta:
        default_permissions = ()


class Usage(LlmCall):
    """The calls once more, as the admin's page of what they came to."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
