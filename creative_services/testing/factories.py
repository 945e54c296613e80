"""Rows for tests, made with factory-boy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from factory.declarations import LazyAttribute, Sequence
from factory.django import DjangoModelFactory

from creative_services.core.types import LLMTier
from creative_services.models import Llms

if TYPE_CHECKING:
    from factory.builder import Resolver


def _unless_local(value: Any, local: Any) -> Any:
    def choose(row: Resolver) -> Any:
        return local if row.tier == LLMTier.LOCAL else value

    return LazyAttribute(choose)


class LlmsFactory(DjangoModelFactory[Llms]):
    """Makes an active, complete row of the standard tier; with `tier="local"` one of a server on this machine.

    Each row is a little dearer than the one before, so that the first made is the first asked.
    """

    class Meta:
        model = Llms

    name = Sequence(lambda number: f"LLM {number}")
    tier = LLMTier.STANDARD.value
    provider = _unless_local("openai", local="ollama")
    model = Sequence(lambda number: f"model-{number}")
    api_key = _unless_local("sk-test-not-a-key", local=None)
    api_endpoint = _unless_local("", local="http://127.0.0.1:11434/v1")
    cost_per_1k_input = Sequence(lambda number: round(0.0001 * (number + 1), 4))
    cost_per_1k_output = Sequence(lambda number: round(0.0004 * (number + 1), 4))
