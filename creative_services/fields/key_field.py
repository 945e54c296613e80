"""The model field that keeps an API key encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models.lookups import Exact

from creative_services.core.errors import ConfigurationError
from creative_services.core.secret import Secret
from creative_services.fields.endpoint import origin_of
from creative_services.fields.forms import KEEP, ApiKeyFormField
from creative_services.fields.key import ApiKey

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model
    from django.forms import Field as FormField


# Django's lookups and fields are generic for type checkers only.
class OnlyNone(Exact):  # type: ignore[type-arg]
    """`api_key=None`, which Django turns into `isnull`; nothing else can be asked of ciphertext."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        if rhs is not None:
            raise FieldError("Rows cannot be found by their API key, only by `isnull`.")
        super().__init__(lhs, rhs)


class KeyAttribute:
    """Takes what is assigned to a row's key and gives it back as an ApiKey, so that no plain text lies in the row."""

    def __init__(self, field: ApiKeyField) -> None:
        self.field = field

    def __get__(self, instance: Model | None, owner: type[Model]) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        return instance.__dict__[name]

    def __set__(self, instance: Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = _masked(value)


class ApiKeyField(models.TextField):  # type: ignore[type-arg]
    """An API key: encrypted at rest, read as an ApiKey, never in forms, lookups, `values()` or fixtures.

    Takes a key, a reference `env:NAME`, or None. When its row is saved, the key is bound to the host that the row's
    calls go to; `QuerySet.update()` knows no row, and takes only references and None.
    """

    def contribute_to_class(self, cls: type[Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, KeyAttribute(self))

    def to_python(self, value: Any) -> ApiKey | None:
        try:
            value = _masked(value)
            if isinstance(value, Secret):
                value = ApiKey.typed(value)
        except ConfigurationError as error:
            raise ValidationError(str(error)) from None
        return value

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> ApiKey | None:
        return ApiKey(Secret(value)) if value else None

    def pre_save(self, model_instance: Model, add: bool) -> ApiKey | None:
        key = self.to_python(getattr(model_instance, self.attname))
        if key is not None:
            provider, endpoint = (getattr(model_instance, name) for name in ("provider", "api_endpoint"))
            key = key.sealed_for(origin_of(provider, endpoint))
        setattr(model_instance, self.attname, key)
        return key

    def get_prep_value(self, value: Any) -> str | None:
        key = self.to_python(value)
        if key is None:
            return None
        if not key.is_sealed and not key.reference:
            raise FieldError("A key is bound to its row's host: assign it to the row and `save()`.")
        return str(key.content)

    def get_lookup(self, lookup_name: str) -> Any:
        """`isnull` and `exact` with None; raises FieldError for all others."""
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        if lookup_name == "exact":
            return OnlyNone
        raise FieldError("Rows cannot be found by their API key, only by `isnull`.")

    def value_to_string(self, obj: Model) -> str:
        """What a fixture may hold: a reference, never a key."""
        key = self.value_from_object(obj)
        return f"env:{key.reference}" if isinstance(key, ApiKey) and key.reference else ""

    def formfield(self, *args: Any, **kwargs: Any) -> FormField | None:
        return models.Field.formfield(self, form_class=ApiKeyFormField, required=False, **_without_widget(kwargs))

    def save_form_data(self, instance: Model, data: Any) -> None:
        if data is not KEEP:
            super().save_form_data(instance, data)


def _masked(value: Any) -> ApiKey | Secret | None:
    if value is None or isinstance(value, ApiKey):
        return value
    if not isinstance(value, str):
        raise ConfigurationError(f"An API key is a string, not {type(value).__name__}.")
    return Secret(value) if value else None


def _without_widget(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The admin asks every text field for a text area; a key keeps its own widget."""
    return {name: value for name, value in kwargs.items() if name not in {"widget", "required"}}
