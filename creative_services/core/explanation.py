"""What a dry run says: whom a call would ask, and why not others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from creative_services.core.types import LLMEntry


@dataclass(frozen=True, slots=True)
class Candidate:
    """One LLM that a call might ask, without its key; `refused` says why it would not be.

    `worst_case_cost` is what the call may cost at most with it, in US dollars: a token for every byte sent, what
    providers add, and all output tokens allowed, at the dearest prices that can apply. None where a price is unknown.
    """

    llm: LLMEntry
    refused: str | None
    worst_case_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a call would do: its candidates in the order in which it would ask them, and the one it would ask first."""

    candidates: tuple[Candidate, ...]
    llm: LLMEntry | None
