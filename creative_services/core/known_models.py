"""What is known about models: prices, what they take, when they end and who succeeds them. As of 22 November 2026.

Prices: US dollars per million tokens as the providers list them (collected by genai-prices 0.2.3). Where a provider
charges more for very long prompts, the price here is the ordinary one.
Context windows: genai-prices 0.2.3 too, of the models that `seed_llms` makes rows of and of those that succeed models.
What models take beside text: the providers' pages about their models; where those leave a doubt, it is unknown.
Retirements: the deprecation lists of the OpenAI and Anthropic SDKs and the providers' own pages.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


SOURCE = "known models of November 2026"
"""What a row's `prices_source` says of prices from here."""


@dataclass(frozen=True, slots=True)
class Retirement:
    """When a provider stops serving a model, and the model to use instead."""

    date: datetime.date
    successor: str

    def has_come(self, today: datetime.date | None = None) -> bool:
        """Whether the model is gone on `today` (default: the current date, UTC)."""
        return self.date <= (today or datetime.datetime.now(datetime.UTC).date())


@dataclass(frozen=True, slots=True)
class DefaultModel:
    """One cell of the documented tier table: the row's id, its name, its model, and the successor's name."""

    id: int
    name: str
    model: str
    successor_name: str | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per 1,000 tokens; None is unknown, and for what is read from or written to a cache the input's."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a model takes: tokens of prompt and answer together, images, tools, JSON schemas; None is unknown."""

    context_window: int | None = None
    images: bool | None = None
    tools: bool | None = None
    json_schema: bool | None = None


def _per_million(*dollars: str | None) -> Price:
    # Through Decimal: 0.15 / 1000 in binary is not the float that prints as 0.00015.
    return Price(*(None if price is None else float(Decimal(price) / 1000) for price in dollars))


PRICES: Mapping[tuple[str, str], Price] = MappingProxyType(
    {
        ("openai", "gpt-3.5-turbo"): _per_million("0.50", "1.50"),
        ("openai", "gpt-3.5-turbo-0125"): _per_million("0.50", "1.50"),
        ("openai", "gpt-4o-mini"): _per_million("0.15", "0.60", "0.075"),
        ("openai", "gpt-4o-mini-2024-07-18"): _per_million("0.15", "0.60", "0.075"),
        ("openai", "gpt-4o"): _per_million("2.50", "10.00", "1.25"),
        ("openai", "gpt-4o-2024-05-13"): _per_million("5", "15"),
        ("openai", "gpt-4o-2024-08-06"): _per_million("2.50", "10.00", "1.25"),
        ("openai", "gpt-4o-2024-11-20"): _per_million("2.50", "10.00", "1.25"),
        ("openai", "gpt-5.4-mini"): _per_million("0.75", "4.50", "0.075"),
        ("openai", "gpt-5.6-luna"): _per_million("0.20", "1.20", "0.02", "0.25"),
        ("openai", "gpt-5.6-sol"): _per_million("4", "20", "0.4", "5"),
        ("openai", "gpt-6-luna"): _per_million("0.10", "0.50", "0.01", "0.125"),
        ("openai", "gpt-6-sol"): _per_million("2", "10", "0.2", "2.5"),
        ("openai", "gpt-6-astra"): _per_million("10", "50", "1", "12.5"),
        ("openai", "gpt-6.1-terra"): _per_million("1", "5", "0.05", "1.25"),
        ("openai", "gpt-6.1-sol"): _per_million("2", "10", "0.1", "2.5"),
        ("anthropic", "claude-3-haiku-20240307"): _per_million("0.25", "1.25", "0.03", "0.3"),
        ("anthropic", "claude-3-5-sonnet-20240620"): _per_million("3", "15", "0.3", "3.75"),
        ("anthropic", "claude-3-5-sonnet-20241022"): _per_million("3", "15", "0.3", "3.75"),
        ("anthropic", "claude-3-opus-20240229"): _per_million("15", "75", "1.5", "18.75"),
        ("anthropic", "claude-haiku-4-5"): _per_million("1", "5", "0.1", "1.25"),
        ("anthropic", "claude-haiku-4-5-20251001"): _per_million("1", "5", "0.1", "1.25"),
        ("anthropic", "claude-haiku-5-5"): _per_million("0.10", "0.50", "0.01", "0.125"),
        ("anthropic", "claude-sonnet-4-6"): _per_million("3", "15", "0.3", "3.75"),
        ("anthropic", "claude-sonnet-5"): _per_million("2", "10", "0.2", "2.5"),
        ("anthropic", "claude-sonnet-5-5"): _per_million("2", "10", "0.1", "2.5"),
        ("anthropic", "claude-opus-5"): _per_million("5", "25", "0.5", "6.25"),
        ("anthropic", "claude-opus-5-5"): _per_million("4", "20", "0.2", "5"),
        ("anthropic", "claude-fable-5-2"): _per_million("8", "40", "0.2", "10"),
        ("groq", "llama-3.3-70b-versatile"): _per_million("0.59", "0.79"),
        ("groq", "openai/gpt-oss-20b"): _per_million("0.075", "0.30", "0.0375"),
        ("groq", "openai/gpt-oss-120b"): _per_million("0.15", "0.60", "0.075"),
        ("groq", "qwen/qwen3.8-27b"): _per_million("0.80", "4"),
        ("gemini", "gemini-2.5-flash-lite"): _per_million("0.10", "0.40", "0.01"),
        ("gemini", "gemini-2.5-flash"): _per_million("0.30", "2.50", "0.03"),
        ("gemini", "gemini-2.5-pro"): _per_million("1.25", "10", "0.125"),
        ("gemini", "gemini-3.1-flash-lite"): _per_million("0.25", "1.50", "0.025"),
        ("gemini", "gemini-3.5-flash"): _per_million("1.50", "9", "0.15"),
        ("mistral", "mistral-small-latest"): _per_million("0.15", "0.60", "0.015"),
        ("deepseek", "deepseek-v4-flash"): _per_million("0.15", "0.60", "0.003"),
        ("deepseek", "deepseek-v4-pro"): _per_million("0.66", "1.98", "0.022"),
        ("xai", "grok-4-1-fast"): _per_million("0.20", "0.50", "0.05"),
    }
)

ABILITIES: Mapping[tuple[str, str], Abilities] = MappingProxyType(
    {
        ("openai", "gpt-3.5-turbo"): Abilities(16_385, images=False, tools=True, json_schema=False),
        ("openai", "gpt-3.5-turbo-0125"): Abilities(16_385, images=False, tools=True, json_schema=False),
        ("openai", "gpt-4o-mini"): Abilities(128_000, images=True, tools=True, json_schema=True),
        ("openai", "gpt-4o-mini-2024-07-18"): Abilities(128_000, images=True, tools=True, json_schema=True),
        ("openai", "gpt-4o"): Abilities(128_000, images=True, tools=True, json_schema=True),
        ("openai", "gpt-4o-2024-05-13"): Abilities(128_000, images=True, tools=True, json_schema=False),
        ("openai", "gpt-4o-2024-08-06"): Abilities(128_000, images=True, tools=True, json_schema=True),
        ("openai", "gpt-4o-2024-11-20"): Abilities(128_000, images=True, tools=True, json_schema=True),
        ("openai", "gpt-5.4-mini"): Abilities(400_000),
        ("openai", "gpt-5.6-luna"): Abilities(1_050_000),
        ("openai", "gpt-5.6-sol"): Abilities(1_050_000),
        ("openai", "gpt-6-luna"): Abilities(1_050_000),
        ("anthropic", "claude-3-haiku-20240307"): Abilities(200_000, images=True, tools=True, json_schema=False),
        ("anthropic", "claude-3-5-sonnet-20240620"): Abilities(200_000, images=True, tools=True, json_schema=False),
        ("anthropic", "claude-3-5-sonnet-20241022"): Abilities(200_000, images=True, tools=True, json_schema=False),
        ("anthropic", "claude-3-opus-20240229"): Abilities(200_000, images=True, tools=True, json_schema=False),
        ("anthropic", "claude-haiku-4-5"): Abilities(200_000, images=True, tools=True, json_schema=True),
        ("anthropic", "claude-haiku-4-5-20251001"): Abilities(200_000, images=True, tools=True, json_schema=True),
        ("anthropic", "claude-sonnet-5"): Abilities(1_000_000),
        ("anthropic", "claude-opus-5"): Abilities(1_000_000),
        ("groq", "llama-3.3-70b-versatile"): Abilities(images=False, tools=True),
        ("groq", "openai/gpt-oss-20b"): Abilities(131_072, images=False, tools=True, json_schema=True),
        ("groq", "openai/gpt-oss-120b"): Abilities(131_072, images=False, tools=True, json_schema=True),
        # How much it takes is each server's own setting.
        ("ollama", "llama3.2"): Abilities(images=False, tools=True),
    }
)


def _ends(date: str, successor: str) -> Retirement:
    return Retirement(datetime.date.fromisoformat(date), successor)


RETIREMENTS: Mapping[tuple[str, str], Retirement] = MappingProxyType(
    {
        ("openai", "gpt-3.5-turbo"): _ends("2026-10-23", "gpt-6-luna"),
        ("openai", "gpt-3.5-turbo-0125"): _ends("2026-10-23", "gpt-6-luna"),
        ("openai", "gpt-3.5-turbo-1106"): _ends("2026-09-28", "gpt-6-luna"),
        ("openai", "gpt-3.5-turbo-0613"): _ends("2024-09-13", "gpt-6-luna"),
        ("openai", "gpt-3.5-turbo-16k"): _ends("2024-09-13", "gpt-6-luna"),
        ("openai", "gpt-4"): _ends("2026-10-23", "gpt-5.6-sol"),
        ("openai", "gpt-4-turbo"): _ends("2026-10-23", "gpt-5.6-sol"),
        ("openai", "gpt-4.1"): _ends("2027-01-14", "gpt-5.6-sol"),
        ("openai", "gpt-4.1-mini"): _ends("2027-01-14", "gpt-5.6-luna"),
        ("openai", "gpt-4.1-nano"): _ends("2026-10-23", "gpt-6-luna"),
        ("openai", "gpt-4o"): _ends("2027-01-14", "gpt-5.6-sol"),
        ("openai", "gpt-4o-2024-05-13"): _ends("2026-10-23", "gpt-5.6-sol"),
        ("openai", "gpt-4o-2024-08-06"): _ends("2027-01-14", "gpt-5.6-sol"),
        ("openai", "gpt-4o-2024-11-20"): _ends("2027-01-14", "gpt-5.6-sol"),
        ("openai", "gpt-4o-mini"): _ends("2027-01-14", "gpt-5.6-luna"),
        ("openai", "gpt-4o-mini-2024-07-18"): _ends("2027-01-14", "gpt-5.6-luna"),
        ("openai", "gpt-5"): _ends("2026-12-11", "gpt-5.6-sol"),
        ("openai", "gpt-5-mini"): _ends("2026-12-11", "gpt-5.4-mini"),
        ("openai", "gpt-5-nano"): _ends("2026-12-11", "gpt-6-luna"),
        ("openai", "gpt-5.1"): _ends("2027-04-01", "gpt-5.6-sol"),
        ("openai", "gpt-5.4-nano"): _ends("2027-04-01", "gpt-6-luna"),
        ("openai", "o1"): _ends("2026-10-23", "gpt-5.6-sol"),
        ("openai", "o3"): _ends("2026-12-11", "gpt-5.6-sol"),
        ("openai", "o3-mini"): _ends("2026-10-23", "gpt-5.4-mini"),
        ("openai", "o4-mini"): _ends("2026-10-23", "gpt-5.4-mini"),
        ("anthropic", "claude-3-haiku-20240307"): _ends("2026-04-20", "claude-haiku-4-5-20251001"),
        ("anthropic", "claude-3-5-haiku-20241022"): _ends("2026-02-19", "claude-haiku-4-5-20251001"),
        ("anthropic", "claude-3-5-sonnet-20240620"): _ends("2025-10-22", "claude-sonnet-5"),
        ("anthropic", "claude-3-5-sonnet-20241022"): _ends("2025-10-22", "claude-sonnet-5"),
        ("anthropic", "claude-3-7-sonnet-20250219"): _ends("2026-02-19", "claude-sonnet-5"),
        ("anthropic", "claude-sonnet-4-20250514"): _ends("2026-06-15", "claude-sonnet-5"),
        ("anthropic", "claude-sonnet-4-5"): _ends("2026-11-30", "claude-sonnet-5"),
        ("anthropic", "claude-sonnet-4-5-20250929"): _ends("2026-11-30", "claude-sonnet-5"),
        ("anthropic", "claude-3-opus-20240229"): _ends("2026-01-05", "claude-opus-5"),
        ("anthropic", "claude-opus-4-20250514"): _ends("2026-06-15", "claude-opus-5"),
        ("anthropic", "claude-opus-4-1"): _ends("2026-08-05", "claude-opus-5"),
        ("anthropic", "claude-opus-4-1-20250805"): _ends("2026-08-05", "claude-opus-5"),
        ("groq", "llama-3.1-8b-instant"): _ends("2026-08-16", "openai/gpt-oss-20b"),
        ("groq", "llama-3.3-70b-versatile"): _ends("2026-08-16", "openai/gpt-oss-120b"),
        ("groq", "meta-llama/llama-4-scout-17b-16e-instruct"): _ends("2026-07-17", "openai/gpt-oss-120b"),
    }
)
