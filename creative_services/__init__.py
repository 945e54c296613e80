"""Text by tier instead of by model, for Django teams: a registry of LLMs, and clients that use it.

Importing this package needs neither Django nor settings.
"""

from typing import TYPE_CHECKING

from creative_services.core.errors import (
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ContentFilterError,
    ContextLengthError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    LedgerUnavailableError,
    LimitExceededError,
    LLMNotFoundError,
    MalformedResponseError,
    MissingAPIKeyError,
    ModelNotFoundError,
    NoLLMAvailableError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    RateLimitError,
    TierNotAllowedError,
    UnknownProviderError,
)
from creative_services.core.explanation import Candidate, Explanation
from creative_services.core.ledger import Caller
from creative_services.core.limits import Limits, Retry
from creative_services.core.llm_registry import DictRegistry, LLMRegistry
from creative_services.core.types import Attempt, EmbeddingResponse, LLMChunk, LLMEntry, LLMResponse, LLMTier, Usage

if TYPE_CHECKING:
    from creative_services.core.client import DynamicLLMClient, SyncDynamicLLMClient

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "AuthenticationError",
    "BudgetExceededError",
    "Caller",
    "Candidate",
    "ConfigurationError",
    "ContentFilterError",
    "ContextLengthError",
    "CreativeServicesError",
    "DeadlineExceededError",
    "DictRegistry",
    "DynamicLLMClient",
    "EmbeddingResponse",
    "Explanation",
    "InvalidRequestError",
    "LLMChunk",
    "LLMEntry",
    "LLMNotFoundError",
    "LLMRegistry",
    "LLMResponse",
    "LLMTier",
    "LedgerUnavailableError",
    "LimitExceededError",
    "Limits",
    "MalformedResponseError",
    "MissingAPIKeyError",
    "ModelNotFoundError",
    "NoLLMAvailableError",
    "ProviderConnectionError",
    "ProviderError",
    "ProviderTimeoutError",
    "ProviderUnavailableError",
    "RateLimitError",
    "Retry",
    "SyncDynamicLLMClient",
    "TierNotAllowedError",
    "UnknownProviderError",
    "Usage",
]


def __getattr__(name: str) -> object:
    # The clients bring sockets, TLS and asyncio along: who only names tiers and entries need not wait for these.
    if name in {"DynamicLLMClient", "SyncDynamicLLMClient"}:
        from creative_services.core import client  # noqa: PLC0415 - see above

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
