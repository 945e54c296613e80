"""Money in the database: a whole number of 10⁻¹² US dollars, which every database adds and compares exactly."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PLACES = 12
_UNIT = Decimal(1).scaleb(-PLACES)


def to_units(dollars: Decimal) -> int:
    """The nearest whole number of units."""
    return int(dollars.scaleb(PLACES).to_integral_value(ROUND_HALF_EVEN))


def from_units(units: int) -> Decimal:
    """US dollars, with twelve places."""
    return (Decimal(units) * _UNIT).quantize(_UNIT)


class UsdFormField(forms.DecimalField):
    """US dollars, shown without the zeros at their end."""

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class UsdField(models.BigIntegerField):  # type: ignore[type-arg]
    """US dollars as Decimal, kept and computed with as whole units.

    SQLite would compute with decimals in floating point. `Sum` and comparisons work as with any field; an amount that
    is added to a column says what it is: `F("spent") + Value(amount, output_field=UsdField())`.
    """

    description = _("US dollars")

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Decimal | None:
        return None if value is None else from_units(int(value))

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise ValidationError(_("Enter an amount in US dollars."), code="invalid") from None

    def get_prep_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return to_units(value if isinstance(value, Decimal) else Decimal(str(value)))

    def formfield(self, **options: Any) -> Any:
        defaults: dict[str, Any] = {
            "form_class": UsdFormField,
            "max_digits": 19,
            "decimal_places": PLACES,
            "min_value": 0,
        }
        return models.Field.formfield(self, **(defaults | options))
