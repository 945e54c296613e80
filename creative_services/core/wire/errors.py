"""From a status, headers and body to the error class that says what may still be tried."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitError,
)
from creative_services.core.wire.error_body import ErrorFacts, error_facts, read_error, request_id, retry_delay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.types import LLMEntry

_MAX_MESSAGE = 500
_KEY_PIECE = 8  # characters; shorter ones are what providers show of a key on purpose, or chance
_KEY_SHAPES = re.compile(r"\b(?:(?:sk|pk|gsk|csk|xai|hf|pplx|tgp)[-_]|AIza)[\w*.…-]{8,}|(?i:bearer\s+\S{8,})")
_UNSUPPORTED_WORDS = frozenset({"unsupported_parameter", "unsupported_value"})
_UNSUPPORTED = re.compile(
    r"deprecated for this model|(?:not |un)supported|does not support|not permitted|unknown param"
)
_QUOTED = re.compile(r"[`'\"](\w{2,40})[`'\"]", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Rule:
    """An error class, the words (identifiers) and the phrases (of the sentence, lower case) that mean it.

    Identifiers decide before any phrase; phrases are for providers that say it only in their sentence.
    """

    error: type[ProviderError]
    words: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()
    retryable: bool | None = None


_QUOTA_WORDS = frozenset({
    "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "enforced_spend_limit_reached",
    "contract_spend_limit_reached", "linked_organization_spend_limit_reached", "quota_per_day",
})  # fmt: skip
_BILLING_PHRASES = ("credit balance is too low", "reached your specified api usage limits", "insufficient balance")

# First match decides.
_CLIENT_RULES = (
    _Rule(
        ContentFilterError,
        frozenset({
            "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "flagged_input",
            "moderation_blocked", "image_content_policy_violation",
        }),
        (
            "blocked by content filtering", "content violates usage guidelines", "content exists risk",
            "flagged as potentially violating",
        ),
    ),
    _Rule(
        ContextLengthError,
        frozenset({
            "context_length_exceeded", "exceed_context_size_error", "too_many_tokens", "too_many_prompt_tokens",
            "string_above_max_length", "request_too_large",
        }),
        (
            "maximum context length", "prompt is too long", "context length is", "prompt too long",
            "exceeds the available context size", "exceeds the maximum number of tokens", "context window",
        ),
    ),
    _Rule(
        ModelNotFoundError,
        frozenset({
            "model_not_found", "model_decommissioned", "invalid_model", "deploymentnotfound", "not_found_error",
            "model_not_available",
        }),
        (
            "is not a valid model id", "supported api model names are", "model identifier is invalid",
            "specified model not found", "model not found", "invalid model:", "model not exist",
        ),
    ),
    _Rule(
        AuthenticationError,
        frozenset({
            "invalid_api_key", "api_key_invalid", "authentication_error", "permission_error", "billing_error",
            "permission_denied", "unauthenticated",
        }),
        (
            "incorrect api key", "invalid api key", "api key not valid", "api key is invalid",
            "location is not supported", *_BILLING_PHRASES,
        ),
    ),
)  # fmt: skip
_LIMIT_RULES = (
    _Rule(
        RateLimitError,
        _QUOTA_WORDS,
        ("request too large", "extra usage is required", "exceeded your current quota", *_BILLING_PHRASES),
        retryable=False,
    ),
    # Google says "exceeded your current quota" of a minute's quota, too; a day's has its own word above.
    _Rule(RateLimitError, frozenset({"resource_exhausted"})),
)
_STREAM_RULES = (
    _Rule(RateLimitError, _QUOTA_WORDS, retryable=False),
    *_CLIENT_RULES,
    _Rule(RateLimitError, frozenset({"rate_limit_error", "rate_limit_exceeded", "rate_limited", "resource_exhausted"})),
    _Rule(
        ProviderUnavailableError,
        frozenset({"overloaded_error", "server_error", "api_error", "timeout_error", "service_unavailable_error"}),
    ),
    _Rule(
        InvalidRequestError,
        frozenset(
            {
                "invalid_request_error",
                "invalid_argument",
                "invalid-argument",
                "invalid_prompt",
                "invalid_image",
                "invalid_image_format",
                "invalid_base64_image",
                "invalid_image_url",
                "invalid_image_mode",
                "image_too_large",
                "image_too_small",
                "image_parse_error",
                "image_file_too_large",
                "unsupported_image_media_type",
                "empty_image_file",
                "failed_to_download_image",
                "image_file_not_found",
            }
        ),
    ),
)
_BY_STATUS: Mapping[int, _Rule] = {
    401: _Rule(AuthenticationError),
    402: _Rule(AuthenticationError),
    403: _Rule(AuthenticationError),
    404: _Rule(ModelNotFoundError),
    408: _Rule(ProviderUnavailableError),
    409: _Rule(ProviderUnavailableError),
    410: _Rule(ModelNotFoundError),
    413: _Rule(ContextLengthError),
    424: _Rule(ProviderUnavailableError),
    425: _Rule(ProviderUnavailableError),
    429: _Rule(RateLimitError),
    498: _Rule(ProviderUnavailableError),
}
_NEXT_STEP: Mapping[type[ProviderError], str] = {
    AuthenticationError: "the key or its account was refused. Check this LLM's key, its rights and its billing",
    ModelNotFoundError: "the model is not offered. Set one that the provider lists",
    ContextLengthError: "the prompt does not fit the model. Shorten it, or ask an LLM with more room",
    ContentFilterError: "the provider refused the content. Change the prompt; `provider_message` has its reason",
    InvalidRequestError: "the request was refused. `provider_message` says why",
    MalformedResponseError: "it redirects, which is not followed. Set this LLM's endpoint to where it leads",
    RateLimitError: "too many requests or tokens. Ask again later, or let another LLM answer",
    ProviderUnavailableError: "the provider cannot serve now. Ask again later, or let another LLM answer",
}
_QUOTA_STEP = "its quota does not cover this request. Raise the limits of this account, or let another LLM answer"


def provider_error(entry: LLMEntry, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The error that this response means. Header names are lower case."""
    facts = read_error(body)
    rule = _rule(status, facts)
    delay = retry_delay(headers)
    facts = replace(
        facts, delay=facts.delay if delay is None else delay, request_id=request_id(headers) or facts.request_id
    )
    if headers.get("x-should-retry") == "false":
        rule = replace(rule, retryable=False)
    return _error(entry, status, facts, rule)


def in_stream_error(entry: LLMEntry, payload: bytes | Any) -> ProviderError:
    """The error that an answer with status 200 carries in its body or in an event.

    `payload` is the event's bytes, or what was parsed of it.
    """
    facts = read_error(payload) if isinstance(payload, bytes) else error_facts(payload)
    if facts.status is not None:
        return _error(entry, facts.status, facts, _rule(facts.status, facts))
    rule = _match(_STREAM_RULES, facts) or _Rule(ProviderUnavailableError)
    return _error(entry, None, facts, rule)


def malformed(entry: LLMEntry) -> MalformedResponseError:
    """The error for an answer that is not what this API answers."""
    return MalformedResponseError(
        f"{entry.provider} sent an unreadable answer to LLM {entry.id} ({entry.name}). "
        "Ask again, or let another LLM answer; if it stays, check this LLM's endpoint and wire.",
        provider=entry.provider,
        model=entry.model,
        llm_id=entry.id,
    )


def _rule(status: int, facts: ErrorFacts) -> _Rule:
    if 300 <= status < 400:
        return _Rule(MalformedResponseError, retryable=False)
    if status >= 500 or status < 400:
        return _Rule(ProviderUnavailableError)
    if status == 429:
        return _match(_LIMIT_RULES, facts) or _BY_STATUS[429]
    if status == 413 and "rate_limit_exceeded" in facts.words:
        return _Rule(RateLimitError, retryable=False)
    if status in {401, 402}:
        return _BY_STATUS[status]
    return _match(_CLIENT_RULES, facts) or _BY_STATUS.get(status) or _Rule(InvalidRequestError)


def _match(rules: tuple[_Rule, ...], facts: ErrorFacts) -> _Rule | None:
    by_word = next((rule for rule in rules if rule.words & facts.words), None)
    if by_word is not None:
        return by_word
    sentence = facts.message.lower()
    return next((rule for rule in rules if any(phrase in sentence for phrase in rule.phrases)), None)


def _error(entry: LLMEntry, status: int | None, facts: ErrorFacts, rule: _Rule) -> ProviderError:
    error = rule.error(
        _sentence(entry, status, facts, rule),
        provider=entry.provider,
        model=entry.model,
        llm_id=entry.id,
        status_code=status,
        provider_request_id=without_key(facts.request_id, entry.api_key),
        provider_message=redacted(facts.message, entry.api_key) or None,
        retry_after=facts.delay,
    )
    if rule.retryable is not None:
        error.is_retryable = rule.retryable
    if isinstance(error, InvalidRequestError):
        error.refused_parameter = without_key(_refused_parameter(facts), entry.api_key)
    return error


def _refused_parameter(facts: ErrorFacts) -> str | None:
    """The parameter that the model does not take; None where only its value was wrong."""
    unsupported = _UNSUPPORTED.search(facts.message)
    if not unsupported and not facts.words & _UNSUPPORTED_WORDS:
        return None
    quoted = _QUOTED.search(facts.message)
    return facts.param or (quoted.group(1) if quoted else None)


def _sentence(entry: LLMEntry, status: int | None, facts: ErrorFacts, rule: _Rule) -> str:
    identifiers = ", ".join(
        f"{name} {value}"
        for name, value in (("code", facts.code), ("type", facts.type), ("param", facts.param))
        if without_key(value, entry.api_key)
    )
    answered = "sent an error in its answer" if status is None else f"answered {status}"
    said = f" ({identifiers})" if identifiers else ""
    quota = rule.error is RateLimitError and rule.retryable is False
    step = _QUOTA_STEP if quota else _NEXT_STEP[rule.error]
    return f"{entry.provider} {answered}{said} to LLM {entry.id} ({entry.name}): {step}."


def without_key(identifier: str | None, key: str | None) -> str | None:
    """`identifier`, unless the key or what looks like one stands in it."""
    return identifier if identifier and identifier == redacted(identifier, key) else None


def redacted(message: str, key: str | None) -> str:
    """`message` without the key, longer pieces of it, and what looks like one, at most 500 characters."""
    if key:
        message = _without_pieces(message, str(key))
    message = _KEY_SHAPES.sub("***", message)
    return message if len(message) <= _MAX_MESSAGE else message[: _MAX_MESSAGE - 1] + "…"


def _without_pieces(message: str, key: str) -> str:
    size = min(_KEY_PIECE, len(key))
    kept: list[str] = []
    place = 0
    while place < len(message):
        end = place + size
        if message[place:end] not in key or end > len(message):
            kept.append(message[place])
            place += 1
            continue
        while end < len(message) and message[place : end + 1] in key:
            end += 1
        kept.append("***")
        place = end
    return "".join(kept)
