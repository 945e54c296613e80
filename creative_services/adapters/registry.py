"""The registry over `Llms` rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.signals import setting_changed

from creative_services.adapters.fresh import Fresh
from creative_services.adapters.snapshot import Snapshot
from creative_services.core.llm_registry import RetirementLog
from creative_services.databases import own_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from creative_services.core.types import LLMEntry, LLMTier
    from creative_services.models import Llms
    from creative_services.models.querysets import LlmsQuerySet


@dataclass(slots=True)
class Look:
    """What a request knows already, so that its next question is answered without a statement."""

    as_of: str | None
    """The token that it has just read."""
    named: dict[DjangoLLMRegistry, Snapshot] = field(default_factory=dict)
    """The rows among which it has just found an LLM."""


_look: ContextVar[Look | None] = ContextVar("creative_services_look", default=None)


@contextmanager
def one_look(as_of: str | None = None) -> Iterator[None]:
    """Within it, the first question costs no statement if this is the token; nor does the one that follows `named`."""
    token = _look.set(Look(as_of))
    try:
        yield
    finally:
        _look.reset(token)


ENTRY_SETTINGS = {"CREATIVE_SERVICES", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASES", "DATABASE_ROUTERS"}


class DjangoLLMRegistry:
    """Entries from `Llms` rows: all of them, or those of a queryset; keep one per process, it remembers the rows.

    A committed change of a row is seen by the next call in every process. A random token in a table of its own stands
    for the state of the rows: every write through the ORM renews it in the same transaction, before the write. A call
    reads the token, one row, and answers from memory if it knows the rows of that token; otherwise it reads the rows
    after the token, so what it remembers is never older than the token says. Nothing is remembered that was seen
    inside the caller's own uncommitted change.

    Seen are `save`, `delete`, `create`, `update`, the `bulk_` methods, upserts, fixtures and data migrations. Not seen
    are raw SQL and a plain `models.QuerySet(Llms)`: call `creative_services.models.touch_registry()` in the same
    transaction before such a statement; from outside Django set `token` of `creative_services_registrytoken` to a new
    random value, likewise. Inside a transaction that began before the change, SQLite and the isolation levels from
    REPEATABLE READ on show the old rows: that is what they promise.

    A queryset narrows it; its conditions may use the rows' own columns, since changes elsewhere renew no token.
    Rows are read from the database that writes go to. Keys are decrypted for the entries that are handed out only.
    Handing out a model that its provider has retired is logged once as a warning.
    """

    def __init__(self, rows: type[Llms] | LlmsQuerySet | None = None) -> None:
        self._rows = rows
        self._fresh = Fresh("Llms", self._read)
        self._retirements = RetirementLog()
        self._acurrent = sync_to_async(self._current)
        # Entries depend on settings too; these change in tests only. Held weakly, so this keeps nobody alive.
        setting_changed.connect(self._forget)

    def get_by_id(self, llm_id: int) -> LLMEntry | None:
        """The active entry of this id, also one that is `unusable`, or None."""
        return self._used(self._current().by_id(llm_id))

    def get_by_tier(self, tier: LLMTier | str) -> LLMEntry | None:
        """The first usable entry of the tier's candidates, or None."""
        return self._first_usable(self._current().of_tier(tier))

    def list_active(self) -> list[LLMEntry]:
        """All active entries, cheapest first."""
        return list(self._current().all())

    def candidates(self, tier: LLMTier | str) -> Iterator[LLMEntry]:
        """The tier's active entries, cheapest first, unusable ones included; each is made when it is asked for."""
        return map(self._noted, self._current().of_tier(tier))

    def named(self, name: str) -> list[LLMEntry]:
        """The active entry of this name, else those of this `<provider>/<model>`, cheapest first."""
        snapshot = self._current()
        if (look := _look.get()) is not None:
            look.named[self] = snapshot
        return snapshot.named(name)

    async def aget_by_id(self, llm_id: int) -> LLMEntry | None:
        """`get_by_id`, awaited."""
        return self._used((await self._acurrent()).by_id(llm_id))

    async def aget_by_tier(self, tier: LLMTier | str) -> LLMEntry | None:
        """`get_by_tier`, awaited."""
        return self._first_usable((await self._acurrent()).of_tier(tier))

    async def alist_active(self) -> list[LLMEntry]:
        """`list_active`, awaited."""
        return list((await self._acurrent()).all())

    async def acandidates(self, tier: LLMTier | str) -> Iterable[LLMEntry]:
        """`candidates`, awaited."""
        return map(self._noted, (await self._acurrent()).of_tier(tier))

    def _first_usable(self, entries: Iterable[LLMEntry]) -> LLMEntry | None:
        return self._used(next((entry for entry in entries if not entry.unusable), None))

    def _used(self, entry: LLMEntry | None) -> LLMEntry | None:
        return None if entry is None else self._noted(entry)

    def _noted(self, entry: LLMEntry) -> LLMEntry:
        self._retirements.note(entry)
        return entry

    def _current(self) -> Snapshot:
        look = _look.get()
        if look is None:
            return self._fresh.current()
        if self in look.named:
            return look.named.pop(self)
        as_of, look.as_of = look.as_of, None
        return self._fresh.current(as_of)

    def _read(self, alias: str, token: str | None) -> Snapshot:
        rows: Any = self._rows if self._rows is not None else own_model("Llms")
        queryset: LlmsQuerySet = rows.all() if hasattr(rows, "all") else rows._default_manager.all()
        return Snapshot(queryset.using(alias), token)

    def _forget(self, *, setting: str, **_: object) -> None:
        if setting in ENTRY_SETTINGS:
            self._fresh.forget()
