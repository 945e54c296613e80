"""The providers, one row each: wire, base URL, key variables, quirks and default models.

Whatever differs between two providers of one wire stands here as data; no other file compares provider names.
Base URLs and key variables are those of the providers' own documentation, November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from creative_services.core.endpoints import check_endpoint, complete_base
from creative_services.core.errors import ConfigurationError, MissingAPIKeyError, UnknownProviderError
from creative_services.core.known_models import PRICES, RETIREMENTS, DefaultModel, Price, Retirement
from creative_services.core.types import LLMTier
from creative_services.core.wire.base import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.types import LLMEntry, Reach
    from creative_services.core.wire.base import Wire

_NO_MODELS: Mapping[LLMTier, DefaultModel] = MappingProxyType({})
_NO_PATHS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Provider:
    """One provider, or one server that speaks a known wire.

    `base_path` is what a base URL without a path is completed with. `models` are the documented defaults per tier.
    `other_hosts` are hosts of the same provider beside the one of `base_url`; `other_paths` are the base paths of the
    wires that it speaks beside its usual one.
    """

    name: str
    wire: str
    base_url: str
    base_path: str = "/v1"
    key_variables: tuple[str, ...] = ()
    needs_key: bool = True
    quirks: frozenset[str] = frozenset()
    models: Mapping[LLMTier, DefaultModel] = field(default_factory=lambda: _NO_MODELS)
    other_hosts: tuple[str, ...] = ()
    other_paths: Mapping[str, str] = field(default_factory=lambda: _NO_PATHS)


_ROWS = (
    Provider(
        name="openai",
        wire="openai_chat",
        base_url="https://api.openai.com/v1",
        key_variables=("OPENAI_API_KEY",),
        quirks=frozenset({"developer_role"}),
        models=MappingProxyType(
            {
                LLMTier.ECONOMY: DefaultModel(1, "GPT-3.5 Turbo", "gpt-3.5-turbo", "GPT-6 Luna"),
                LLMTier.STANDARD: DefaultModel(2, "GPT-4o-mini", "gpt-4o-mini", "GPT-5.6 Luna"),
                LLMTier.PREMIUM: DefaultModel(3, "GPT-4o", "gpt-4o", "GPT-5.6 Sol"),
            }
        ),
    ),
    Provider(
        name="anthropic",
        wire="anthropic_messages",
        base_url="https://api.anthropic.com/v1",
        key_variables=("ANTHROPIC_API_KEY",),
        models=MappingProxyType(
            {
                LLMTier.ECONOMY: DefaultModel(4, "Claude 3 Haiku", "claude-3-haiku-20240307", "Claude Haiku 4.5"),
                LLMTier.STANDARD: DefaultModel(5, "Claude 3.5 Sonnet", "claude-3-5-sonnet-20241022", "Claude Sonnet 5"),
                LLMTier.PREMIUM: DefaultModel(6, "Claude 3 Opus", "claude-3-opus-20240229", "Claude Opus 5"),
            }
        ),
    ),
    Provider(
        name="groq",
        wire="openai_chat",
        base_url="https://api.groq.com/openai/v1",
        base_path="/openai/v1",
        key_variables=("GROQ_API_KEY",),
        models=MappingProxyType(
            {LLMTier.ECONOMY: DefaultModel(7, "Llama 3.3 70B", "llama-3.3-70b-versatile", "GPT-OSS 120B")}
        ),
    ),
    Provider(
        name="ollama",
        wire="openai_chat",
        base_url="http://localhost:11434/v1",
        key_variables=("OLLAMA_API_KEY",),
        needs_key=False,
        models=MappingProxyType({LLMTier.LOCAL: DefaultModel(8, "Ollama", "llama3.2")}),
        other_hosts=("ollama.com",),
    ),
    Provider(
        name="llama.cpp",
        wire="openai_chat",
        base_url="http://localhost:8080/v1",
        key_variables=("LLAMA_API_KEY",),
        needs_key=False,
        quirks=frozenset({"chat_options"}),
    ),
    Provider(
        name="gemini",
        wire="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        base_path="/v1beta",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        other_paths=MappingProxyType({"openai_chat": "/v1beta/openai"}),
    ),
    Provider(
        name="mistral",
        wire="openai_chat",
        base_url="https://api.mistral.ai/v1",
        key_variables=("MISTRAL_API_KEY",),
        quirks=frozenset({"no_stream_usage", "random_seed"}),
    ),
    Provider(
        name="deepseek",
        wire="openai_chat",
        base_url="https://api.deepseek.com",
        base_path="",
        key_variables=("DEEPSEEK_API_KEY",),
    ),
    Provider(
        name="openrouter",
        wire="openai_chat",
        base_url="https://openrouter.ai/api/v1",
        base_path="/api/v1",
        key_variables=("OPENROUTER_API_KEY",),
        quirks=frozenset({"cache_marks"}),
    ),
    Provider(
        name="together",
        wire="openai_chat",
        base_url="https://api.together.xyz/v1",
        key_variables=("TOGETHER_API_KEY",),
        other_hosts=("api.together.ai",),
    ),
    Provider(
        name="xai",
        wire="openai_chat",
        base_url="https://api.x.ai/v1",
        key_variables=("XAI_API_KEY",),
    ),
    Provider(
        name="cerebras",
        wire="openai_chat",
        base_url="https://api.cerebras.ai/v1",
        key_variables=("CEREBRAS_API_KEY",),
    ),
)

PROVIDERS: Mapping[str, Provider] = MappingProxyType({row.name: row for row in _ROWS})


@dataclass(frozen=True, slots=True)
class _WireRow:
    """Where a wire's class is, and the path its base URLs end with; `always` if the docs' base URLs leave it out.

    `beside` is the wire that providers offer at the same base URL.
    """

    class_name: str
    path: str
    always: bool = False
    beside: str | None = None


_WIRES: Mapping[str, _WireRow] = MappingProxyType(
    {
        "openai_chat": _WireRow("OpenAIChat", "/v1"),
        "openai_responses": _WireRow("OpenAIResponses", "/v1", beside="openai_chat"),
        # Anthropic's documentation, and the servers that imitate it, print bases such as https://host/anthropic.
        "anthropic_messages": _WireRow("AnthropicMessages", "/v1", always=True),
        "gemini": _WireRow("Gemini", "/v1beta"),
    }
)

WIRE_NAMES: tuple[str, ...] = tuple(sorted(_WIRES))
"""What an entry's `wire` can name."""


@lru_cache(maxsize=1024)  # asked several times for each call
def provider_for(name: str, api_endpoint: str | None = None) -> Provider:
    """The row of this name; any other name with an endpoint is an OpenAI-compatible server that may need no key.

    Raises UnknownProviderError, which lists the known names.
    """
    provider = PROVIDERS.get(_plain(name))
    if provider is not None:
        return provider
    if not api_endpoint:
        msg = (
            f"Unknown provider {name!r}. Known: {', '.join(sorted(PROVIDERS))}. "
            "For another OpenAI-compatible server set api_endpoint to its base URL."
        )
        raise UnknownProviderError(msg)
    quirks = frozenset({"cache_marks"})
    return Provider(name=name, wire="openai_chat", base_url=api_endpoint, needs_key=False, quirks=quirks)


def default_hosts(provider: str) -> frozenset[str]:
    """Host names, lower case, that this provider's own key may go to; none for an unknown provider."""
    row = PROVIDERS.get(_plain(provider))
    if row is None:
        return frozenset()
    return frozenset({urlsplit(row.base_url).hostname or "", *row.other_hosts})


def wire_name(entry: LLMEntry) -> str:
    """The name of the entry's wire format: its own choice, or its provider's usual one."""
    return entry.wire or provider_for(entry.provider, entry.api_endpoint).wire


def wire_for(entry: LLMEntry) -> Wire:
    """The wire format that the entry's calls are spelled in. Raises ConfigurationError for a name that is none."""
    name = wire_name(entry)
    row = _wire_row(name)
    # Imported on first use: importing this package loads no wire that is not needed.
    wire: Wire = getattr(import_module(f"creative_services.core.wire.{name}"), row.class_name)()
    return wire


def _wire_row(name: str) -> _WireRow:
    row = _WIRES.get(name)
    if row is None:
        msg = f"Unknown wire format {name!r}. Use one of: {', '.join(WIRE_NAMES)}, or leave it empty."
        raise ConfigurationError(msg)
    return row


def route(entry: LLMEntry) -> Route:
    """Where the entry's calls go, with which key.

    Raises ConfigurationError for an entry that is `unusable` or whose endpoint is none, MissingAPIKeyError where the
    provider needs a key and the entry has none.
    """
    if entry.unusable:
        raise ConfigurationError(f"{entry.name!r} cannot be used: {entry.unusable}")
    provider = provider_for(entry.provider, entry.api_endpoint)
    if provider.needs_key and not entry.api_key:
        raise MissingAPIKeyError(f"{entry.name!r} has no API key, and {provider.name} needs one. {_key_hint(provider)}")
    return Route(base_url(entry), entry.api_key, provider.quirks)


def _key_hint(provider: Provider) -> str:
    return f"Set its api_key, for example from the variable {' or '.join(provider.key_variables)}."


def base_url(entry: LLMEntry) -> str:
    """The base URL that the entry's wire appends its own path to: with the version path, without a slash at the end.

    Raises ConfigurationError, which names the entry, where the endpoint cannot be called.
    """
    usual = provider_for(entry.provider, entry.api_endpoint).wire
    try:
        return _base(entry.provider, entry.api_endpoint, entry.wire or usual, entry.reach)
    except ConfigurationError as error:
        raise ConfigurationError(f"{entry.name!r}: {error}") from None


@lru_cache(maxsize=1024)
def _base(provider_name: str, api_endpoint: str | None, wire: str, reach: Reach) -> str:
    provider, row = provider_for(provider_name, api_endpoint), _wire_row(wire)
    other = provider.other_paths.get(row.beside or wire, row.path)
    path = provider.base_path if provider.wire in (wire, row.beside) else other
    endpoint = (api_endpoint or provider.base_url).strip()
    check_endpoint(endpoint, reach)
    for surface in provider.other_paths.values():
        if surface.startswith(f"{path}/"):
            endpoint = endpoint.rstrip("/").removesuffix(surface.removeprefix(path))
    return complete_base(endpoint, path, always=row.always)


def price(provider: str, model: str) -> Price:
    """The provider's list price for the model, unknown where we do not know it."""
    return PRICES.get((_plain(provider), model), Price())


def retirement(provider: str, model: str) -> Retirement | None:
    """When the provider retires the model, past or announced, and for which other; None if nothing is known."""
    return RETIREMENTS.get((_plain(provider), model))


def _plain(name: str) -> str:
    return name.strip().lower()
