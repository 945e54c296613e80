"""Remembers which LLMs are failing, so that calls do not queue up at a dead one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from creative_services.core.errors import CreativeServicesError
    from creative_services.core.types import LLMEntry


class Breaker(Protocol):
    """Asked before an LLM is tried and told how it went. May have the async twins with `a`."""

    def refuses(self, entry: LLMEntry) -> str | None:
        """Why this LLM should not be asked now; None when it may be."""

    def report(self, entry: LLMEntry, error: CreativeServicesError | None) -> None:
        """One attempt ended: with this error, or well."""
