"""Form controls of the admin that Django does not have."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.contrib.admin.widgets import AdminTextInputWidget
from django.forms import NumberInput

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Mapping[str, str] = MappingProxyType({})


class SuggestInput(AdminTextInputWidget):
    """A text box that offers values and takes any other, too; the browser's own list, without a script.

    `suggestions` are the values, each with a word about it.
    """

    template_name = "creative_services/admin/suggest.html"

    def __init__(self, suggestions: Mapping[str, str] = NOTHING) -> None:
        super().__init__()
        self.suggestions = suggestions

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        control = context["widget"]
        control["attrs"]["list"] = f"{control['attrs'].get('id', name)}_suggestions"
        control["suggestions"] = tuple(self.suggestions.items())
        return context


class PriceInput(NumberInput):
    """A number box that writes small prices in full, 0.00005 and not 5e-05."""

    def format_value(self, value: Any) -> str | None:
        return f"{Decimal(str(value)):f}" if isinstance(value, float) else super().format_value(value)
