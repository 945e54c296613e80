"""What a flow is given: what is asked for, and whom it works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from os import urandom
from time import time_ns
from uuid import UUID

from creative_services.core.breaker import Breaker
from creative_services.core.hedging import HedgeBudget
from creative_services.core.ledger import NOBODY, Caller, Ledger
from creative_services.core.lessons import Lessons
from creative_services.core.limits import Limits, Retry
from creative_services.core.llm_registry import LLMRegistry
from creative_services.core.request import Target
from creative_services.core.types import LLMTier
from creative_services.core.work import Work


class Strategy(str, Enum):
    """In which order a tier's LLMs are asked: by price, as the specification has it, or by what the call would cost."""

    CHEAPEST = "cheapest"
    CHEAPEST_FOR_CALL = "cheapest_for_call"


@dataclass(frozen=True, slots=True)
class Call:
    """What one call asks for."""

    work: Work
    target: Target
    limits: Limits
    request_id: str = field(default_factory=lambda: str(new_id()))
    restarts: bool = False
    caller: Caller = NOBODY
    hedge_after: float | None = None
    fit_budget: bool = False


@dataclass(frozen=True, slots=True)
class Services:
    """Whom flows work with. `clock` gives monotonic seconds, `jitter` numbers from 0 to 1."""

    registry: LLMRegistry
    retry: Retry
    fallback_tiers: tuple[LLMTier, ...]
    ledger: Ledger | None
    breaker: Breaker | None
    clock: Callable[[], float]
    jitter: Callable[[], float]
    strategy: Strategy = Strategy.CHEAPEST
    hedges: HedgeBudget = field(default_factory=lambda: HedgeBudget(0.05))
    lessons: Lessons = field(default_factory=Lessons)


def new_id() -> UUID:
    """An id that begins with the time in milliseconds, and is random for the rest (UUIDv7, RFC 9562, 5.7).

    What is indexed by it grows at one end, where random ids would write all over the index.
    """
    chance = int.from_bytes(urandom(10))
    return UUID(int=time_ns() // 1_000_000 << 80 | 0x7 << 76 | chance >> 68 << 64 | 0b10 << 62 | chance & (1 << 62) - 1)
