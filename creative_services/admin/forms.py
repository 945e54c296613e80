"""The forms behind the admin's pages of LLMs."""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from creative_services.adapters.keys import reference_fault
from creative_services.admin.widgets import PriceInput, SuggestInput
from creative_services.core.errors import UnknownProviderError
from creative_services.core.known_models import PRICES
from creative_services.core.providers import PROVIDERS, WIRE_NAMES, provider_for, retirement
from creative_services.fields import ApiKey
from creative_services.fields.endpoint import origin_of
from creative_services.models import Llms
from creative_services.models.llms import validate_object

if TYPE_CHECKING:
    Base = forms.ModelForm[Llms]
else:
    Base = forms.ModelForm

FIELDS = {"endpoint": "api_endpoint", "other_host": "api_key"}
"""Where the model's general errors belong, by their code: it cannot say so, since other forms may lack the fields."""


def known_models(provider: str) -> dict[str, str]:
    """The living models that we know of this provider, or of all if it is empty, and who offers them."""
    asked = provider.strip().lower()
    known: dict[str, list[str]] = {}
    for name, model in sorted(PRICES):
        ending = retirement(name, model)
        if asked in {"", name} and not (ending and ending.has_come()):
            known.setdefault(model, []).append(name)
    return {model: ", ".join(names) for model, names in known.items()}


class AnyText(JSONDecoder):
    """Python's decoder, for text that people enter: numbers and depths that it gives up on are no JSON."""

    def decode(self, *args: Any) -> Any:
        try:
            return super().decode(*args)
        except (ValueError, RecursionError):
            raise JSONDecodeError("This cannot be read", "", 0) from None


class ParamsField(forms.JSONField):
    """A JSON object that can be sent to a provider; an emptied box is the empty one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"decoder": AnyText})

    def to_python(self, value: Any) -> Any:
        params = super().to_python(value)
        if params is None:
            return {}
        validate_object(params)  # here, because Django validates nothing that it takes for empty, such as []
        return params

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, as it was typed: not all that can be read can be written again."""
        return data if data is None else InvalidJSONInput(data)


class LlmsForm(Base):
    """One LLM. Refuses what no call could use: a provider that nobody knows, a wire format that is none."""

    class Meta:
        """The fields are the admin's to choose."""

        model = Llms
        fields = "__all__"
        field_classes: ClassVar = {"extra_params": ParamsField}
        widgets: ClassVar = {
            "provider": SuggestInput(dict.fromkeys(sorted(PROVIDERS), "")),
            "model": SuggestInput(),
            "wire": forms.Select(),
            "api_endpoint": AdminTextInputWidget({"class": "vURLField"}),
            "extra_params": AdminTextareaWidget({"rows": 4}),
            "notes": AdminTextareaWidget({"rows": 4}),
            "cost_per_1k_input": PriceInput(),
            "cost_per_1k_output": PriceInput(),
            "cost_per_1k_cache_read": PriceInput(),
            "cost_per_1k_cache_write": PriceInput(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "api_key" in self.fields:
            self.fields["api_key"].widget.attrs["class"] = "vTextField"
        if "model" in self.fields:
            self.fields["model"].widget.suggestions = known_models(self.instance.provider)
        if "wire" in self.fields:
            names = sorted({*WIRE_NAMES, self.instance.wire} - {""})
            choices = [("", _("The provider's usual one")), *((name, name) for name in names)]
            self.fields["wire"].widget.choices = choices

    def clean_wire(self) -> str:
        wire: str = self.cleaned_data["wire"]
        if wire not in {"", self.instance.wire, *WIRE_NAMES}:
            raise ValidationError(_("This is no wire format."))
        return wire

    def clean(self) -> dict[str, Any] | None:
        provider = self.cleaned_data.get("provider")
        key = self.cleaned_data.get("api_key")
        if provider and isinstance(key, ApiKey) and key.reference:
            fault = reference_fault(key.reference, origin_of(provider, self.cleaned_data.get("api_endpoint") or ""))
            if fault:
                self.add_error("api_key", fault)
        if provider and "api_endpoint" in self.cleaned_data:
            try:
                provider_for(provider, self.cleaned_data["api_endpoint"])
            except UnknownProviderError as error:
                self.add_error("provider", str(error))
        return super().clean()

    def add_error(self, field: str | None, error: Any) -> None:
        general = getattr(error, "error_dict", {}).pop(NON_FIELD_ERRORS, ())
        for fault in general:
            place = FIELDS.get(fault.code)
            super().add_error(place if place in self.fields else None, fault)
        if not general or error.error_dict:
            super().add_error(field, error)
