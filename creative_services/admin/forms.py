"""The forms behind the admin's pages of LLMs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _

from creative_services.admin.widgets import SuggestInput
from creative_services.core.errors import UnknownProviderError
from creative_services.core.providers import PROVIDERS, WIRE_NAMES, provider_for
from creative_services.models import Llms

if TYPE_CHECKING:
    Base = forms.ModelForm[Llms]
else:
    Base = forms.ModelForm

PRICES = ("cost_per_1k_input", "cost_per_1k_output")


class LlmsForm(Base):
    """One LLM. Refuses what no call could use: a provider that nobody knows, a wire format that is none."""

    class Meta:
        """The fields are the admin's to choose."""

        model = Llms
        fields = "__all__"
        widgets: ClassVar = {"provider": SuggestInput(sorted(PROVIDERS)), "wire": forms.Select()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PRICES:
            if self.initial.get(name) is not None:
                self.initial[name] = f"{Decimal(str(self.initial[name])):f}"
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
        if provider and "api_endpoint" in self.cleaned_data:
            try:
                provider_for(provider, self.cleaned_data["api_endpoint"])
            except UnknownProviderError as error:
                self.add_error("provider", str(error))
        return super().clean()


class ActiveForm(Base):
    """One row of the list, where only the tick of `is_active` can be changed."""

    class Meta:
        """The list's only editable column."""

        model = Llms
        fields = ("is_active",)

    def add_error(self, field: str | None, error: Any) -> None:
        """What is wrong with a field that the list does not show is said at its row."""
        if field is None and isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            shown = {name: faults for name, faults in error.error_dict.items() if name in self.fields}
            hidden = [fault for name, faults in error.error_dict.items() if name not in self.fields for fault in faults]
            error = ValidationError({**shown, NON_FIELD_ERRORS: hidden} if hidden else shown)
        super().add_error(field, error)
