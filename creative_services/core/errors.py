"""Every error a call can end in. Two attributes say what the flow may still try.

CreativeServicesError
├── ConfigurationError              fix the set-up; skips that entry within a tier, raises for an llm_id
│   ├── UnknownProviderError
│   └── MissingAPIKeyError
├── NoLLMAvailableError             tier empty, or every candidate refused before being asked
│   └── LLMNotFoundError            unknown or inactive llm_id
├── TierNotAllowedError             the caller may not use that tier
├── BudgetExceededError             a hard budget does not cover it
├── LimitExceededError              too many calls or tokens at once or per minute
├── LedgerUnavailableError          it cannot be booked, so it is not made
├── DeadlineExceededError           the call's own time ran out
└── ProviderError
    ├── ProviderConnectionError     no answer                    retry, then next
    │   └── ProviderTimeoutError    a silent route               next
    ├── ProviderUnavailableError    5xx, 529                     retry, then next
    ├── RateLimitError              429                          retry after Retry-After, then next
    ├── AuthenticationError         401, 402, 403                next
    ├── ModelNotFoundError          404                          next
    ├── InvalidRequestError         other 4xx                    stop
    │   ├── ContextLengthError                                   next
    │   └── ContentFilterError                                   stop
    └── MalformedResponseError      unreadable, or cut short     retry, then next
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from creative_services.core.types import Attempt, Refusal


class CreativeServicesError(Exception):
    """Base of all errors of this package; do not raise it directly."""

    is_retryable: bool = False
    """Whether asking the same entry again may help; a single error may differ from its class."""
    may_fall_back: ClassVar[bool] = False
    """Whether the next entry may be asked instead."""

    attempts: Sequence[Attempt] = ()
    """What was tried before this was raised, retries included."""
    request_id: str | None = None
    """The call's own id, as in the ledger."""


class ConfigurationError(CreativeServicesError):
    """The set-up must be mended; no call can succeed as it is."""

    may_fall_back = True


class UnknownProviderError(ConfigurationError):
    """The provider's name is not known and the entry names no `api_endpoint`."""


class MissingAPIKeyError(ConfigurationError):
    """The provider needs a key and the entry has none."""


class NoLLMAvailableError(CreativeServicesError):
    """No entry could be asked; `refusals` says why for each candidate."""

    def __init__(self, message: str, *, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(message)
        self.refusals = tuple(refusals)


class LLMNotFoundError(NoLLMAvailableError):
    """No active entry has this id."""


class TierNotAllowedError(CreativeServicesError):
    """The tier that was asked for, or that of the LLM named by id, is none of the call's `tiers`."""


class BudgetExceededError(CreativeServicesError):
    """A hard budget does not cover the call; another LLM may cost less.

    `budget` is its name, `resets_at` when its next period begins (None: never), `available` the US dollars left.
    """

    may_fall_back = True

    def __init__(
        self,
        message: str,
        *,
        budget: str | None = None,
        resets_at: datetime | None = None,
        available: Decimal | None = None,
    ) -> None:
        super().__init__(message)
        self.budget = budget
        self.resets_at = resets_at
        self.available = available


class LimitExceededError(CreativeServicesError):
    """Too many calls or tokens per minute, or calls at once.

    `retry_after` is in seconds. An LLM's own limit makes the call pass it by; the caller's (`is_callers`) ends it.
    """

    may_fall_back = True

    def __init__(self, message: str, *, retry_after: float | None = None, is_callers: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_callers = is_callers


class LedgerUnavailableError(CreativeServicesError):
    """The ledger cannot book the call, so it was not made: nothing is spent that nobody knows of."""


class DeadlineExceededError(CreativeServicesError):
    """The time of the whole call ran out; `partial` is what a stream had brought by then."""

    partial: str = ""


class ProviderError(CreativeServicesError):
    """A provider was asked and did not answer as hoped.

    `retry_after` is in seconds. `provider_message` is the provider's own sentence, with the key taken out and cut to
    a bounded length; it may quote the prompt, so it is in no `str()` and no log. `partial` is the text a stream had
    brought before it broke.
    """

    may_fall_back = True
    partial: str = ""

    def __init__(  # noqa: PLR0913 - what callers may need to act, each by its name
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        llm_id: int | None = None,
        status_code: int | None = None,
        provider_request_id: str | None = None,
        provider_message: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.llm_id = llm_id
        self.status_code = status_code
        self.provider_request_id = provider_request_id
        self.provider_message = provider_message
        self.retry_after = retry_after


class ProviderConnectionError(ProviderError):
    """No answer came: refused, reset, unresolvable, TLS failure."""

    is_retryable = True


class ProviderTimeoutError(ProviderConnectionError):
    """The provider was silent for too long; the same silent route is not asked again in this call."""

    is_retryable = False


class ProviderUnavailableError(ProviderError):
    """The provider says that it cannot serve now (5xx, 529, overloaded)."""

    is_retryable = True


class RateLimitError(ProviderError):
    """Too many requests or tokens, or the provider's quota is used up (429)."""

    is_retryable = True


class AuthenticationError(ProviderError):
    """The key was refused, or its account may not or cannot pay (401, 402, 403)."""


class ModelNotFoundError(ProviderError):
    """The provider does not offer this model (404)."""


class InvalidRequestError(ProviderError, ValueError):
    """The request cannot be served as it is; also raised by us before any provider is asked.

    `refused_parameter` names the parameter that the model does not take at all, where the provider said so.
    """

    may_fall_back = False
    refused_parameter: str | None = None


class ContextLengthError(InvalidRequestError):
    """The prompt does not fit the model's context; an LLM with more room may take it."""

    may_fall_back = True


class ContentFilterError(InvalidRequestError):
    """The provider refused the content; `provider_message` carries its reason."""


class MalformedResponseError(ProviderError):
    """The answer could not be read, or ended before it was complete."""

    is_retryable = True
