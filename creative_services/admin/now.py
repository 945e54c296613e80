"""What calls would do at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from creative_services.adapters.clients import get_breaker, get_registry
from creative_services.adapters.probe import first_callable
from creative_services.core.llm_registry import rank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.breaker import Cooling


@dataclass(frozen=True, slots=True)
class Now:
    """By the ids of rows: those that a call of their tier would ask first, and why others are left alone."""

    used: frozenset[int]
    cooling: Mapping[int, Cooling]


def look() -> Now:
    """Ask the registry and the breaker once for all rows."""
    ranked = rank(get_registry().list_active())
    cooling = get_breaker().coolings(ranked)
    # As a call does it: where all of a tier cool, the one that is well soonest is asked.
    ranked.sort(key=lambda entry: cooling[entry.id].seconds if entry.id in cooling else -1.0)
    return Now(frozenset(entry.id for entry in first_callable(ranked).values()), cooling)
