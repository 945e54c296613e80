"""What may be spent, by whom and in which time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from creative_services.fields.usd import UsdField
from creative_services.fields.zone import zone_of
from creative_services.models.llms import MOST_USD, TIERS
from creative_services.models.querysets import Announced, BudgetManager

PERIODS = (("day", _("Day")), ("week", _("Week")), ("month", _("Month")), ("total", _("Total")))


def validate_time_zone(name: str) -> None:
    """Refuse what is no time zone."""
    if zone_of(name) is None:
        raise ValidationError(_("Enter a time zone, such as UTC or Europe/Berlin."), code="time_zone")


def validate_limit(dollars: Decimal) -> None:
    """Refuse a limit that no call fits."""
    if not 0 < dollars <= MOST_USD:
        raise ValidationError(_("Enter an amount above 0, and of at most %(most)s.") % {"most": MOST_USD}, code="limit")


def _scope(to: Any, label: Any) -> Any:
    return models.ForeignKey(
        to, models.CASCADE, verbose_name=label, null=True, blank=True, db_constraint=False, related_name="+"
    )


class Budget(Announced, models.Model):
    """US dollars that may be spent in each period on the calls that fit all parts of its scope; no part: on all calls.

    A hard budget refuses the call that it may not pay for; a soft one lets it pass and says so. Every process sees a
    change with its next call, as it does those of `Llms`.
    """

    name = models.CharField(_("name"), max_length=200, unique=True)
    user = _scope(settings.AUTH_USER_MODEL, _("user"))
    group = _scope("auth.Group", _("group"))
    machine_key = _scope("creative_services.MachineKey", _("machine key"))
    tier = models.CharField(_("tier"), max_length=20, choices=TIERS, blank=True, default="")
    llm = _scope("creative_services.Llms", _("LLM"))
    period = models.CharField(_("period"), max_length=10, choices=PERIODS, default="month")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    limit = UsdField(_("limit, US dollars"), validators=[validate_limit])
    is_hard = models.BooleanField(_("hard"), default=True, help_text=_("Refuse calls that it may not pay for."))
    allows_unpriced = models.BooleanField(
        _("allows calls of unknown cost"), default=False, help_text=_("They are not counted.")
    )
    warn_at_percent = models.PositiveSmallIntegerField(
        _("warn at, %"), default=80, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = BudgetManager()

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.name


class BudgetPeriod(models.Model):
    """What a budget has spent and holds reserved in one period. Of pruned calls `archived` keeps what they spent."""

    budget = models.ForeignKey(
        Budget, models.CASCADE, verbose_name=_("budget"), related_name="periods", db_constraint=False
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    spent = UsdField(_("spent"), default=Decimal(0))
    reserved = UsdField(_("reserved"), default=Decimal(0))
    archived = UsdField(_("of pruned calls"), default=Decimal(0))
    warned_at = models.DateTimeField(_("warned"), null=True, blank=True)

    class Meta:
        verbose_name = _("budget period")
        verbose_name_plural = _("budget periods")
        constraints = (
            models.UniqueConstraint(fields=["budget", "starts_at"], name="creative_services_one_row_per_period"),
        )

    def __str__(self) -> str:
        return f"{self.budget_id} {self.starts_at:%Y-%m-%d}"
