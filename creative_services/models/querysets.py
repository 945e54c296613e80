"""Querysets of `Llms` and `Budget`: the order of selection, and the hooks by which every write is seen everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models, router
from django.db.models import F

from creative_services.core.types import LLMTier
from creative_services.models.prices import with_marks
from creative_services.models.token import changing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    from creative_services.models.llms import Llms

Row = TypeVar("Row", bound=models.Model)

RANK = (F("cost_per_1k_input").asc(nulls_last=True), F("cost_per_1k_output").asc(nulls_last=True), F("id").asc())
"""The order of `rank()` as SQL: cheapest first, unknown prices last."""


class Announced:
    """A model whose instances announce their deletion; a plain class, so that migrations' models keep it."""

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        # The type checker cannot know that this is a model.
        alias: str = using or router.db_for_write(type(self), instance=self)  # type: ignore[arg-type]
        with changing(alias):
            return super().delete(using=using, keep_parents=keep_parents)  # type: ignore[misc,no-any-return]


class AnnouncedQuerySet(models.QuerySet[Row]):
    """Rows whose writes renew the registry's token first, in the same transaction.

    So writers take turns from their first write to their commit. Do not `select_for_update()` rows and then save
    them: that takes the locks in the other order, and two such writers wait for each other. `touch_registry()` first.
    """

    def update(self, **values: Any) -> int:
        with changing(self._to_write()):
            return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        with changing(self._to_write()):
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Row], *args: Any, **options: Any) -> list[Row]:
        # One token for all batches; each batch is an `_insert`.
        with changing(self._to_write()):
            return super().bulk_create(objs, *args, **options)

    def update_or_create(
        self,
        defaults: Mapping[str, Any] | None = None,
        create_defaults: Mapping[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[Row, bool]:
        # Django's own locks the row first, which two such writers on one row would not survive.
        with changing(self._to_write()):
            return super().update_or_create(defaults, create_defaults, **lookups)

    update_or_create.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(self, objs: Iterable[Row], fields: Iterable[str], batch_size: int | None = None) -> int:
        with changing(self._to_write()):
            return super().bulk_update(objs, fields, batch_size)

    # Django's own hooks: save() of a row goes through these two, a cascade through the third.

    def _insert(self, *args: Any, **options: Any) -> Any:
        with changing(self._to_write()):
            return super()._insert(*args, **options)  # type: ignore[misc]

    _insert.alters_data = True  # type: ignore[attr-defined]
    _insert.queryset_only = False  # type: ignore[attr-defined]

    def _update(self, *args: Any, **options: Any) -> Any:
        with changing(self._to_write()):
            return super()._update(*args, **options)  # type: ignore[misc]

    _update.alters_data = True  # type: ignore[attr-defined]
    _update.queryset_only = False  # type: ignore[attr-defined]

    def _raw_delete(self, using: str | None) -> int:
        with changing(using or self._to_write()):
            return super()._raw_delete(using)

    _raw_delete.alters_data = True  # type: ignore[attr-defined]

    def _to_write(self) -> str:
        self._for_write = True
        return self.db


class LlmsQuerySet(AnnouncedQuerySet["Llms"]):
    """Rows of `Llms`."""

    def active(self) -> Self:
        """Rows that may be selected."""
        return self.filter(is_active=True)

    def for_tier(self, tier: LLMTier | str) -> Self:
        """Active rows of the tier in the order in which they would be asked."""
        return self.active().filter(tier=LLMTier(tier).value).order_by(*RANK)

    def update(self, **values: Any) -> int:
        # The models of early migrations have no marks.
        return super().update(**with_marks(values) if hasattr(self.model, "prices_source") else values)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Llms], *args: Any, **options: Any) -> list[Llms]:
        rows = list(objs)
        _check_endpoints(rows)
        return super().bulk_create(rows, *args, **options)

    def bulk_update(self, objs: Iterable[Llms], fields: Iterable[str], batch_size: int | None = None) -> int:
        rows, names = tuple(objs), tuple(fields)
        _check_endpoints(rows)
        if "api_key" in names:
            for row in rows:
                # Seals the key, which Django's own bulk_update leaves out.
                self.model._meta.get_field("api_key").pre_save(row, add=False)
        return super().bulk_update(rows, names, batch_size)


def _check_endpoints(rows: Iterable[Llms]) -> None:
    for row in rows:
        # The models of migrations have no such method; what they write is refused when it is called.
        check = getattr(row, "check_endpoint", None)
        if check is not None:
            check()


class LlmsManager(models.Manager.from_queryset(LlmsQuerySet)):  # type: ignore[misc]
    """`Llms.objects`; migrations' models have it too, so that data migrations are seen by every process."""

    use_in_migrations = True


class BudgetManager(models.Manager.from_queryset(AnnouncedQuerySet)):  # type: ignore[misc]
    """`Budget.objects`, also in migrations."""

    use_in_migrations = True
