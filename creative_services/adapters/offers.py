"""Which models providers say they offer, and whether an LLM's is among them."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from creative_services.adapters.clients import get_transport
from creative_services.adapters.probe import AT_ONCE, all_within, fault_of, too_late
from creative_services.core.errors import CreativeServicesError, DeadlineExceededError
from creative_services.core.llm_registry import DictRegistry
from creative_services.core.providers import route, wire_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from creative_services.core.http import Transport
    from creative_services.core.types import LLMEntry, Reach
    from creative_services.core.wire.base import Route

    Place = tuple[str, Route, Reach]

DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")


def lists_models(entry: LLMEntry) -> bool:
    """Whether the entry's provider could be asked for its list: the entry is fit to be called, its API has lists."""
    return fault_of(entry) is None and hasattr(wire_for(entry), "build_listing")


def offered_models(entry: LLMEntry, seconds: float) -> list[str]:
    """The models' ids in the provider's order, within `seconds`. Raises what a call of the entry would raise.

    Touches no database: give the connection back before.
    """
    return _listed(get_transport(), seconds, entry)


class Offers:
    """The lists of models of providers, each asked for once, however many entries share endpoint and key."""

    def __init__(self) -> None:
        self._transport = get_transport()
        self._lists: dict[Place, frozenset[str]] = {}

    def ask(self, entries: Iterable[LLMEntry], seconds: float) -> None:
        """Fetch the lists of these entries, ten at a time, within `seconds` in all. They must be fit to be called.

        Touches no database: give the connection back before.
        """
        missing = {place: entry for entry in entries if (place := _place(entry)) not in self._lists}
        task = partial(self._known_names, time.monotonic() + seconds)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="llm-models") as threads:
            self._lists.update(zip(missing, threads.map(task, missing.values()), strict=True))

    def lack(self, entry: LLMEntry) -> bool:
        """Whether the provider has given a list and the entry's model is not in it."""
        names = self._lists.get(_place(entry), frozenset())
        return bool(names) and names.isdisjoint(_spellings(entry.model))

    def _known_names(self, deadline: float, entry: LLMEntry) -> frozenset[str]:
        try:
            models = _listed(self._transport, deadline - time.monotonic(), entry)
        except CreativeServicesError:
            return frozenset()
        return frozenset(name for model in models for name in _names(model))


def _listed(transport: Transport, seconds: float, entry: LLMEntry) -> list[str]:
    from creative_services.core.client import SyncDynamicLLMClient  # noqa: PLC0415 - the client takes the transport in

    client = SyncDynamicLLMClient(DictRegistry(()), transport=transport, limits=all_within(seconds))
    try:
        return client.list_models(entry)
    except DeadlineExceededError:
        raise too_late(entry, seconds) from None


def _place(entry: LLMEntry) -> Place:
    return wire_for(entry).name, route(entry), entry.reach


def _names(model: str) -> Iterator[str]:
    """What a listed model is called: `claude-haiku-4-5-20251001` answers to `claude-haiku-4-5` too."""
    name = _plain(model)
    yield name
    yield DATED.sub("", name)


def _spellings(model: str) -> Iterator[str]:
    """The names, any of which in a list means that `model` is offered."""
    name = _plain(model)
    yield name
    yield f"{name}:latest"  # Ollama lists the tag that it assumes
    yield name.partition(":")[0]  # OpenRouter and Hugging Face take a choice of route after the colon
    yield name.removesuffix("-latest")


def _plain(model: str) -> str:
    return model.removeprefix("models/")  # Gemini lists ids with it, and takes them without
