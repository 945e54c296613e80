"""Our values as JSON: names, decimals as plain strings, and null for what is unknown. No key is ever in them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from creative_services.core.types import Attempt, LLMChunk, LLMEntry, LLMResponse, Usage


def answer_body(response: LLMResponse) -> dict[str, Any]:
    """A whole answer."""
    return {
        "request_id": response.request_id,
        "text": response.text,
        "finish_reason": response.finish_reason,
        "tool_calls": response.tool_calls,
        "llm": llm_name(response.llm),
        "usage": usage_body(response.usage),
        "cost": dollars(response.cost),
        "attempts": [_attempt(attempt) for attempt in response.attempts],
        "latency_ms": _milliseconds(response.latency_seconds),
    }


def usage_body(usage: Usage) -> dict[str, int | None]:
    """The counts of tokens."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def chunk_body(chunk: LLMChunk) -> dict[str, str] | None:
    """What a chunk adds for a reader; None where it adds no words."""
    if chunk.reasoning:
        return {"text": chunk.text, "reasoning": chunk.reasoning}
    return {"text": chunk.text} if chunk.text else None


def llm_name(entry: LLMEntry) -> dict[str, Any]:
    """Which LLM this is."""
    return {
        "id": entry.id,
        "name": entry.name,
        "provider": entry.provider,
        "model": entry.model,
        "tier": entry.tier.value,
    }


def llm_body(entry: LLMEntry, *, for_staff: bool) -> dict[str, Any]:
    """An LLM with its limits and prices (US dollars per 1,000 tokens); staff also see whether a key is set."""
    body = llm_name(entry) | {
        "max_tokens": entry.max_tokens,
        "temperature": entry.temperature,
        "cost_per_1k_input": dollars(entry.cost_per_1k_input),
        "cost_per_1k_output": dollars(entry.cost_per_1k_output),
    }
    if for_staff:
        body["api_key_set"] = bool(entry.api_key)
    return body


def dollars(amount: Decimal | float | None) -> str | None:
    """US dollars in plain digits, never in powers of ten."""
    return None if amount is None else format(Decimal(str(amount)).normalize(), "f")


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "llm_id": attempt.llm_id,
        "outcome": attempt.outcome,
        "status_code": attempt.status_code,
        "latency_ms": _milliseconds(attempt.latency_seconds),
    }


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
