"""The write-only form field of an API key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext as _

from creative_services.core.errors import ConfigurationError
from creative_services.core.secret import Secret
from creative_services.fields.key import ApiKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString


class Change(Enum):
    """What a form does to a key when nothing was typed."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True)
class Removal:
    """What a form that comes back with errors shows of a key whose removal was ticked."""

    key: ApiKey


class ApiKeyInput(forms.PasswordInput):
    """An empty box for a new key, what is known of the stored one, and a tick box that removes it."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "new-password", "spellcheck": "false"} | (attrs or {}), render_value=False)

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        box = super().render(name, None, attrs, renderer)
        key = value.key if isinstance(value, Removal) else value
        if not isinstance(key, ApiKey):
            return box
        return format_html(
            '<div>{}<p>{}</p><label><input type="checkbox" name="{}"{}> {}</label></div>',
            box,
            key.hint,
            self.remove_name(name),
            " checked" if isinstance(value, Removal) else "",
            _("Remove the key"),
        )

    def remove_name(self, name: str) -> str:
        """Name of the tick box."""
        return f"{name}-remove"

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        typed = Secret(data.get(name) or "")
        if typed:
            return typed
        return Change.REMOVE if data.get(self.remove_name(name)) else None

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and self.remove_name(name) not in data


class ApiKeyFormField(forms.Field):
    """Takes a new key, a reference `env:NAME`, or nothing, which keeps the stored key; ticked, removes it."""

    widget = ApiKeyInput

    def clean(self, value: Any) -> Any:
        """Change.KEEP, None for removal, or the ApiKey that was typed."""
        if value is Change.REMOVE:
            return None
        if not value or not value.strip():
            return Change.KEEP
        try:
            return ApiKey.typed(value)
        except ConfigurationError as error:
            raise ValidationError(str(error)) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """A form that comes back with errors: an empty box again, and the stored key as it was described before."""
        return Removal(initial) if data is Change.REMOVE and isinstance(initial, ApiKey) else initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        if data is Change.REMOVE:
            return initial is not None
        return bool(data and data.strip())
