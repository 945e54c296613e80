"""The model field that keeps an API key encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models import Expression, F, Value
from django.db.models.lookups import Exact
from django.db.models.query_utils import DeferredAttribute
from django.db.models.sql import InsertQuery

from creative_services.core.errors import ConfigurationError
from creative_services.core.secret import Secret
from creative_services.fields.endpoint import origin_of
from creative_services.fields.forms import ApiKeyFormField, Change
from creative_services.fields.key import ApiKey

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model
    from django.forms import Field as FormField

NOT_EXPORTED = "(not exported)"
"""Stands in fixtures for a key; loaded over a row that has one, it keeps it."""


class OnlyNone(Exact):
    """`api_key=None`, which Django turns into `isnull`; nothing else can be asked of ciphertext."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        if rhs is not None:
            raise FieldError("Rows cannot be found by their API key, only by `isnull`.")
        super().__init__(lhs, rhs)


class KeptKey(Expression):
    """What a fixture without the key means: the stored key stays; a new row has none."""

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        kept = Value(None) if isinstance(query, InsertQuery) else F("api_key")
        return kept.resolve_expression(query, allow_joins, reuse, summarize, for_save)


class KeyAttribute(DeferredAttribute):
    """Makes an ApiKey of what is assigned, so that no plain text lies in the row. Raises ValidationError."""

    def __set__(self, instance: Model, value: Any) -> None:
        value = _masked(value)
        instance.__dict__[self.field.attname] = self.field.to_python(value)


# Django's fields are generic for type checkers only.
class ApiKeyField(models.TextField):  # type: ignore[type-arg]
    """An API key: encrypted at rest, read as an ApiKey, never in forms, lookups, `values()` or fixtures.

    Takes a key, a reference `env:NAME`, or None. When its row is saved, the key is bound to the host that the row's
    calls go to; `QuerySet.update()` knows no row, and takes only references and None.
    """

    descriptor_class = KeyAttribute

    def to_python(self, value: Any) -> ApiKey | KeptKey | None:
        if value is None or value == "" or isinstance(value, ApiKey | KeptKey):
            return value or None
        if value == NOT_EXPORTED:
            return KeptKey()
        if not isinstance(value, str):
            raise ValidationError(f"An API key is a string, not {type(value).__name__}.")
        try:
            return ApiKey.typed(Secret(value))
        except ConfigurationError as error:
            raise ValidationError(str(error)) from None

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> ApiKey | None:
        return ApiKey(Secret(value)) if value else None

    def pre_save(self, model_instance: Model, add: bool) -> Any:
        key = getattr(model_instance, self.attname)
        if isinstance(key, ApiKey):
            provider, endpoint = (getattr(model_instance, name) for name in ("provider", "api_endpoint"))
            key = key.sealed_for(origin_of(provider, endpoint))
            setattr(model_instance, self.attname, key)
        return key

    def get_prep_value(self, value: Any) -> Any:
        key = self.to_python(value)
        if not isinstance(key, ApiKey):
            return key
        if key.is_typed:
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
        key: ApiKey = self.value_from_object(obj)
        return f"env:{key.reference}" if key.reference else NOT_EXPORTED

    def formfield(self, *args: Any, **kwargs: Any) -> FormField | None:
        # The admin asks every text field for a text area; a key keeps its own box.
        options = {name: value for name, value in kwargs.items() if name != "widget"}
        return models.Field.formfield(self, form_class=ApiKeyFormField, **options)

    def save_form_data(self, instance: Model, data: Any) -> None:
        if data is not Change.KEEP:
            super().save_form_data(instance, data)


def _masked(value: Any) -> Any:
    # Text that shows masked among the variables of a debug page's frames.
    return Secret(value) if isinstance(value, str) else value
