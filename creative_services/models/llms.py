"""The row that a team edits: one LLM."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creative_services.core.content import check_content
from creative_services.core.errors import ConfigurationError, InvalidRequestError
from creative_services.core.types import LLMTier
from creative_services.fields import ApiKeyField, ExactCharField
from creative_services.fields.endpoint import endpoint_fault, origin_of
from creative_services.models.prices import Priced, remember_prices
from creative_services.models.querysets import Announced, LlmsManager

if TYPE_CHECKING:
    from collections.abc import Iterable

    from creative_services.fields import ApiKey

MOST_USD = 1_000_000
MOST_TOKENS = 1_000_000_000
TIERS = (
    (LLMTier.ECONOMY.value, _("Economy")),
    (LLMTier.STANDARD.value, _("Standard")),
    (LLMTier.PREMIUM.value, _("Premium")),
    (LLMTier.LOCAL.value, _("Local")),
)


def validate_object(value: Any) -> None:
    """Refuse JSON that is not an object, and what no database or provider can take in it."""
    if not isinstance(value, dict):
        raise ValidationError(_('Enter a JSON object, such as {"top_p": 0.9}.'))
    try:
        check_content(value, "extra_params", sys.maxsize)
    except InvalidRequestError as error:
        raise ValidationError(str(error)) from None


def _price(label: Any, help_text: Any) -> models.FloatField[float | None, float | None]:
    """US dollars for a thousand tokens."""
    validators = [MinValueValidator(0), MaxValueValidator(MOST_USD)]
    return models.FloatField(label, null=True, blank=True, validators=validators, help_text=help_text)


def _limit(label: Any) -> models.PositiveIntegerField[int | None, int | None]:
    """What the LLM takes at most."""
    help_text = _("Beyond it, calls pass it by; empty for no limit.")
    validators = [MinValueValidator(1), MaxValueValidator(MOST_TOKENS)]
    return models.PositiveIntegerField(label, null=True, blank=True, validators=validators, help_text=help_text)


class Llms(Announced, Priced, models.Model):
    """One configured LLM.

    Costs are US dollars per 1,000 tokens; empty is unknown, which is not 0. `prices_source` names the list they were
    taken from, and is empty where a person set them, or changed one of them since. What the LLM takes, and how much,
    may be tried where it is unknown. The key is kept for the host that the row calls: `full_clean()`, and so every
    form, asks for it anew when endpoint or provider lead elsewhere, and a row saved without that check is passed by,
    its key unsent, until the key is entered again. `save()`, `bulk_create()` and `bulk_update()` refuse an endpoint
    that the tier may not have; what `update()`, fixtures and data migrations write is refused when it is called.
    """

    name = ExactCharField(_("name"), max_length=200, unique=True)
    provider = models.CharField(
        _("provider"), max_length=100, help_text=_("openai, anthropic, groq, … or any name, with an endpoint.")
    )
    model = models.CharField(_("model"), max_length=200, help_text=_("As the provider spells it, e.g. gpt-4o-mini."))
    tier = ExactCharField(_("tier"), max_length=20, choices=TIERS)
    api_key: Any = ApiKeyField(
        _("API key"),
        null=True,
        blank=True,
        help_text=_("Kept encrypted and never shown again. Or env:NAME, to take it from the environment."),
    )
    api_endpoint = models.CharField(
        _("endpoint"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("Base URL as the provider's docs print it; empty for the provider's own."),
    )
    max_tokens = models.PositiveIntegerField(
        _("max tokens"),
        default=4096,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TOKENS)],
        help_text=_("Most tokens of an answer."),
    )
    temperature = models.FloatField(
        _("temperature"),
        null=True,
        blank=True,
        default=0.7,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=_("0 to 2; empty for models that take none."),
    )
    cost_per_1k_input = _price(_("cost per 1K input tokens"), _("US dollars; empty if unknown."))
    cost_per_1k_output = _price(_("cost per 1K output tokens"), _("US dollars; empty if unknown."))
    cost_per_1k_cache_read = _price(
        _("cost per 1K cached input tokens"), _("US dollars; empty for the price of input.")
    )
    cost_per_1k_cache_write = _price(
        _("cost per 1K input tokens put into the cache"), _("US dollars; empty for the price of input.")
    )
    prices_source = models.CharField(_("prices from"), max_length=100, blank=True, default="", editable=False)
    prices_synced_at = models.DateTimeField(_("prices synced"), null=True, blank=True, editable=False)
    requests_per_minute = _limit(_("requests per minute"))
    tokens_per_minute = _limit(_("tokens per minute"))
    calls_at_once = _limit(_("calls at once"))
    is_active = models.BooleanField(_("active"), default=True)
    wire = models.CharField(
        _("wire format"),
        max_length=50,
        blank=True,
        default="",
        help_text=_("Only where it is not the provider's usual one."),
    )
    extra_params = models.JSONField(
        _("extra parameters"),
        default=dict,
        blank=True,
        validators=[validate_object],
        help_text=_("A JSON object that is sent as it is."),
    )
    context_window = models.PositiveIntegerField(
        _("context window"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TOKENS)],
        help_text=_("Most tokens of prompt and answer together; empty if unknown."),
    )
    supports_images = models.BooleanField(
        _("takes images"), null=True, blank=True, help_text=_("With No, calls with images pass it by.")
    )
    supports_tools = models.BooleanField(
        _("takes tools"), null=True, blank=True, help_text=_("With No, calls with tools pass it by.")
    )
    supports_json_schema = models.BooleanField(
        _("takes JSON schemas"), null=True, blank=True, help_text=_("With No, calls with a JSON schema pass it by.")
    )
    notes = models.TextField(_("notes"), blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = LlmsManager()

    class Meta:
        verbose_name = _("LLM")
        verbose_name_plural = _("LLMs")
        base_manager_name = "objects"
        permissions = (("generate", _("Can generate text")),)
        constraints = (
            models.CheckConstraint(
                condition=Q(tier__in=[value for value, label in TIERS]), name="creative_services_tier_known"
            ),
            models.CheckConstraint(
                condition=Q(max_tokens__range=(1, MOST_TOKENS)), name="creative_services_max_tokens_range"
            ),
            models.CheckConstraint(
                condition=Q(temperature__isnull=True) | Q(temperature__range=(0, 2)),
                name="creative_services_temperature_0_to_2",
            ),
            models.CheckConstraint(
                condition=Q(cost_per_1k_input__isnull=True) | Q(cost_per_1k_input__range=(0, MOST_USD)),
                name="creative_services_cost_input_range",
            ),
            models.CheckConstraint(
                condition=Q(cost_per_1k_output__isnull=True) | Q(cost_per_1k_output__range=(0, MOST_USD)),
                name="creative_services_cost_output_range",
            ),
            models.CheckConstraint(
                condition=Q(context_window__isnull=True) | Q(context_window__range=(1, MOST_TOKENS)),
                name="creative_services_context_window_range",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def save(
        self,
        *,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save the row. Raises ValidationError, before the database is asked, for an endpoint its tier may not have."""
        written = None if update_fields is None else set(update_fields)
        if written is None or written & {"tier", "api_endpoint"}:
            self.check_endpoint()
        self.forget_source(written)
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=written)
        self.remember_prices()

    def check_endpoint(self) -> None:
        """Raise ValidationError if a row of this tier may not have this endpoint."""
        fault = endpoint_fault(self.tier, self.api_endpoint)
        if fault:
            raise ValidationError(fault, code="endpoint")

    def clean(self) -> None:
        """Refuse an endpoint that the tier may not have, and a key that was entered for another host."""
        super().clean()
        # Not errors of one field: the admin's list edits rows by forms that have neither field.
        self.check_endpoint()
        if self._key_is_for_another_host():
            text = _("The calls now go to another host: enter the API key again, or remove it.")
            raise ValidationError(text, code="other_host")

    @property
    def key_hint(self) -> str:
        """What may be known of the key, for people."""
        key: ApiKey | None = self.api_key
        return key.hint if key else gettext("none")

    def _key_is_for_another_host(self) -> bool:
        key = self.api_key
        try:
            origin = key.origin if key else None
        except ConfigurationError:
            return False
        return origin is not None and origin != origin_of(self.provider, self.api_endpoint)


models.signals.post_init.connect(remember_prices, sender=Llms)
