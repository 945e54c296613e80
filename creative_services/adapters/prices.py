"""Bringing the prices of rows up to date, without touching a price that a person has set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db.models import Q
from django.utils import timezone

from creative_services.core.types import PRICE_FIELDS
from creative_services.models import Llms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from creative_services.adapters.price_list import ListedPrices, PriceList

State = Literal["changed", "same", "kept", "unknown"]


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """A row and what the list says of it.

    `state` is `changed` if the list has other prices, `same` if it has these, `kept` if it has others than a person
    has set, `unknown` if it does not have the model. `after` are the columns that would change, with their values.
    """

    row: Llms
    state: State
    after: Mapping[str, float | None]
    listed: ListedPrices | None = None

    @property
    def changes(self) -> list[tuple[str, float | None, float | None]]:
        """Each column that would change, with what it holds and what it would hold."""
        return [(column, getattr(self.row, column), price) for column, price in self.after.items()]

    def apply(self) -> bool:
        """Write it; False if somebody has edited the row's prices since."""
        row, is_ours = self.row, _is_ours(self.row)
        if self.listed is None or (self.state != "changed" and not is_ours):
            return True
        unedited = Q(pk=row.pk, prices_source=row.prices_source)
        for column in PRICE_FIELDS:
            unedited &= Q(**{column: getattr(row, column)})
        marks = {"prices_source": self.listed.source, "prices_synced_at": timezone.now()} if is_ours else {}
        written: int = Llms.objects.filter(unedited).update(**self.after, **marks)
        return written == 1


def check_prices(rows: Iterable[Llms], prices: PriceList) -> Iterator[PriceCheck]:
    """What the list would change in each of these rows."""
    for row in rows:
        listed = prices.find(row)
        yield PriceCheck(row, "unknown", {}) if listed is None else _checked(row, listed)


def _checked(row: Llms, listed: ListedPrices) -> PriceCheck:
    others = {column: price for column, price in listed.prices.items() if getattr(row, column) != price}
    after = others if _is_ours(row) else {column: others[column] for column in others if _may_fill(row, column, listed)}
    state: State = "changed" if after else "kept" if others else "same"
    return PriceCheck(row, state, after, listed)


def _is_ours(row: Llms) -> bool:
    """Whether no person has had a hand in the row's prices."""
    return bool(row.prices_source) or all(getattr(row, column) is None for column in PRICE_FIELDS)


def _may_fill(row: Llms, column: str, listed: ListedPrices) -> bool:
    """Whether an empty price may be filled beside one that a person has set.

    Empty prices of cached input mean the price of input, and are those of the list only where that one is.
    """
    is_cache = "cache" in column
    is_list_price = row.cost_per_1k_input == listed.prices["cost_per_1k_input"]
    return getattr(row, column) is None and (is_list_price or not is_cache)
