"""Who set a row's prices: a program that says so in `prices_source`, or a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.types import PRICE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNMARKED: Mapping[str, Any] = {"prices_source": "", "prices_synced_at": None}
WATCHED = (*PRICE_FIELDS, "prices_source")


class Priced:
    """A model that forgets where its prices came from when they are changed without saying so anew.

    A plain class, so that migrations' models keep theirs. Querysets do the same by `with_marks`.
    """

    prices_source: Any
    prices_synced_at: Any

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        read = None if fields is None else list(fields)
        super().refresh_from_db(using, read, from_queryset)  # type: ignore[misc]
        self.remember_prices(read)

    def remember_prices(self, read: Iterable[str] | None = None) -> None:
        """From now on what differs from these prices is an edit; of some fields only, if they are given."""
        names = set(WATCHED if read is None else read) & set(WATCHED)
        before: dict[str, Any] = self.__dict__.get("_prices_read", {})
        self._prices_read = before | {name: self.__dict__.get(name) for name in names}

    def forget_source(self, written: set[str] | None) -> None:
        """Clear the marks if the fields to be written, or all for None, hold an edit; and have them written."""
        edited = {name for name in WATCHED if self.__dict__.get(name) != self._prices_read.get(name)}
        if "prices_source" not in edited and edited & (edited if written is None else written):
            self.prices_source, self.prices_synced_at = "", None
            if written is not None:
                written.update(UNMARKED)


def remember_prices(instance: Priced, **_: Any) -> None:
    """Receives `post_init`."""
    instance.remember_prices()


def with_marks(values: dict[str, Any]) -> dict[str, Any]:
    """What an UPDATE writes: with the marks cleared if it sets prices without saying where they come from."""
    is_edit = not values.keys().isdisjoint(PRICE_FIELDS) and "prices_source" not in values
    return {**values, **UNMARKED} if is_edit else values
