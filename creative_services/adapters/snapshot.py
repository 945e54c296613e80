"""The active rows as they were at one token, and the entries made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import F

from creative_services.adapters.keys import key_for
from creative_services.core.errors import ConfigurationError
from creative_services.core.types import LLMEntry, LLMTier
from creative_services.fields.endpoint import endpoint_fault, origin_of, reach_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.fields import ApiKey
    from creative_services.models import Llms
    from creative_services.models.querysets import LlmsQuerySet


class Row(NamedTuple):
    """The columns that an entry is made from."""

    id: int
    name: str
    provider: str
    model: str
    tier: str
    api_key: ApiKey | None
    api_endpoint: str
    max_tokens: int
    temperature: float | None
    cost_per_1k_input: float | None
    cost_per_1k_output: float | None
    is_active: bool
    wire: str
    extra_params: Any
    context_window: int | None
    supports_images: bool | None
    supports_tools: bool | None
    supports_json_schema: bool | None
    cost_per_1k_cache_read: float | None
    cost_per_1k_cache_write: float | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    calls_at_once: int | None


class Snapshot:
    """Active rows in rank order, as of a token. Entries are made when they are asked for, and kept."""

    def __init__(self, queryset: LlmsQuerySet, token: str | None = None) -> None:
        self._token = token
        ranked = queryset.filter(is_active=True).order_by(
            F("cost_per_1k_input").asc(nulls_last=True), F("cost_per_1k_output").asc(nulls_last=True), "pk"
        )
        # Columns, not models: of 10,000 rows the making of models would take most of the time.
        self._rows = {row.id: row for row in map(Row._make, ranked.values_list(*Row._fields))}
        self._tiers: dict[str, list[int]] = {}
        self._names: dict[str, int] = {}
        self._models: dict[str, list[int]] = {}
        for row in self._rows.values():
            self._tiers.setdefault(row.tier, []).append(row.id)
            self._names[row.name] = row.id
            self._models.setdefault(f"{row.provider}/{row.model}", []).append(row.id)
        self._entries: dict[int, LLMEntry] = {}

    def by_id(self, llm_id: int) -> LLMEntry | None:
        """The entry of this row, if it is active."""
        return self._entry(llm_id) if llm_id in self._rows else None

    def all(self) -> Iterator[LLMEntry]:
        """All entries, cheapest first."""
        return map(self._entry, self._rows)

    def of_tier(self, tier: LLMTier | str) -> Iterator[LLMEntry]:
        """The tier's entries, cheapest first; none for what is no tier."""
        return map(self._entry, self._tiers.get(tier.value if isinstance(tier, LLMTier) else tier, ()))

    def named(self, name: str) -> list[LLMEntry]:
        """The entry of this name, else those of this `<provider>/<model>`, cheapest first."""
        found = [self._names[name]] if name in self._names else self._models.get(name, ())
        return [self._entry(llm_id) for llm_id in found]

    def _entry(self, llm_id: int) -> LLMEntry:
        entry = self._entries.get(llm_id)
        if entry is None:
            row = self._rows[llm_id]
            entry = entry_of(row, self._token)
            # What the environment holds is asked at each call.
            if row.api_key is None or not row.api_key.reference:
                self._entries[llm_id] = entry
        return entry


def entry_of(row: Row | Llms, as_of: str | None = None) -> LLMEntry:
    """The row as the core's value; with `unusable` where it must not be called as it is, and then without a key."""
    key, unusable = None, endpoint_fault(row.tier, row.api_endpoint) or _params_fault(row)
    if not unusable:
        try:
            key = key_for(row.api_key, origin_of(row.provider, row.api_endpoint))
        except ConfigurationError as error:
            unusable = str(error)
    return LLMEntry(
        id=row.id,
        name=row.name,
        provider=row.provider,
        model=row.model,
        tier=LLMTier(row.tier),
        api_key=key,
        api_endpoint=row.api_endpoint or None,
        max_tokens=row.max_tokens,
        temperature=row.temperature,
        cost_per_1k_input=row.cost_per_1k_input,
        cost_per_1k_output=row.cost_per_1k_output,
        is_active=row.is_active,
        wire=row.wire or None,
        extra_params={} if unusable else row.extra_params,
        reach=reach_of(row.tier, row.api_endpoint),
        unusable=unusable,
        context_window=row.context_window,
        supports_images=row.supports_images,
        supports_tools=row.supports_tools,
        supports_json_schema=row.supports_json_schema,
        cost_per_1k_cache_read=row.cost_per_1k_cache_read,
        cost_per_1k_cache_write=row.cost_per_1k_cache_write,
        requests_per_minute=row.requests_per_minute,
        tokens_per_minute=row.tokens_per_minute,
        calls_at_once=row.calls_at_once,
        as_of=as_of,
    )


def _params_fault(row: Row | Llms) -> str | None:
    # Forms refuse it; `update()` does not.
    return None if isinstance(row.extra_params, dict) else "Its extra_params are not a JSON object."
