"""Text by tier instead of by model, for Django teams: a registry of LLMs, and clients that use it.

Importing this package needs neither Django nor settings.
"""

from creative_services.core.client import DynamicLLMClient, SyncDynamicLLMClient
from creative_services.core.errors import (
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ContentFilterError,
    ContextLengthError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
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
    UnknownProviderError,
)
from creative_services.core.llm_registry import DictRegistry, LLMRegistry
from creative_services.core.types import (
    Attempt,
    Candidate,
    EmbeddingResponse,
    Explanation,
    Limits,
    LLMChunk,
    LLMEntry,
    LLMResponse,
    LLMTier,
    Retry,
    Usage,
)

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "AuthenticationError",
    "BudgetExceededError",
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
    "UnknownProviderError",
    "Usage",
]
