"""What providers have taught us about single LLMs: parameters that their models refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creative_services.core.errors import CreativeServicesError, InvalidRequestError
from creative_services.core.wire.base import QUIRK_OF_REFUSED_PARAMETER

if TYPE_CHECKING:
    from creative_services.core.types import LLMEntry

NOTHING: frozenset[str] = frozenset()
MOST_LESSONS = 10_000


class Lessons:
    """Quirks learned from refusals, for as long as the client lives. An entry that is edited starts anew."""

    def __init__(self) -> None:
        self._quirks: dict[tuple[str, str, str | None, str | None], frozenset[str]] = {}

    def of(self, entry: LLMEntry) -> frozenset[str]:
        """What was learned about this entry."""
        return self._quirks.get(_subject(entry), NOTHING)

    def learn(self, entry: LLMEntry, error: CreativeServicesError) -> bool:
        """Whether this error teaches something new, so that the same call is worth sending once more."""
        if not isinstance(error, InvalidRequestError):
            return False
        quirk = QUIRK_OF_REFUSED_PARAMETER.get(error.refused_parameter or "")
        known = self.of(entry)
        if quirk is None or quirk in known:
            return False
        if len(self._quirks) >= MOST_LESSONS:
            self._quirks.clear()
        self._quirks[_subject(entry)] = known | {quirk}
        return True


def _subject(entry: LLMEntry) -> tuple[str, str, str | None, str | None]:
    return entry.provider, entry.model, entry.api_endpoint, entry.wire
