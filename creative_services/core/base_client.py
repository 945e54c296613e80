"""What both clients are made of: configuration, and the flows of their calls."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from random import random
from typing import TYPE_CHECKING, Any, Literal

from creative_services.core.answering import Upstream
from creative_services.core.bounds import Bounds
from creative_services.core.call import Call, Services, Strategy
from creative_services.core.errors import ConfigurationError, InvalidRequestError
from creative_services.core.flow import CallFlow
from creative_services.core.hedging import HedgeBudget
from creative_services.core.ledger import NOBODY, Caller
from creative_services.core.limits import Limits, Retry
from creative_services.core.listing import list_models
from creative_services.core.memory_breaker import InMemoryBreaker
from creative_services.core.request import Arguments, EmbedRequest, Target, check_seconds, target
from creative_services.core.transport import HttpTransport
from creative_services.core.types import LLMEntry, LLMTier, tier_of
from creative_services.core.work import Answering, Embedding

if TYPE_CHECKING:
    from creative_services.core.breaker import Breaker
    from creative_services.core.flow import Flow
    from creative_services.core.http import Transport
    from creative_services.core.ledger import Ledger
    from creative_services.core.llm_registry import LLMRegistry

OnInterrupt = Literal["error", "restart"]
Tools = Sequence[Mapping[str, Any]]
StrategyName = Literal["cheapest", "cheapest_for_call"]
UpstreamName = Literal["whole", "stream"]
ON_INTERRUPT = ("error", "restart")
STRATEGIES = ("cheapest", "cheapest_for_call")
UPSTREAMS = ("whole", "stream")


class BaseClient:
    """Configuration and flows.

    `ledger=None` keeps no books, `breaker=None` remembers failing LLMs in memory, `transport=None` is HTTP of our own.
    `bounds` are the most a caller may ask for. `strategy` orders a tier's LLMs: by price, or with "cheapest_for_call"
    by what the prompt at hand and its `max_tokens` would cost. `upstream="stream"` gathers whole answers from streams
    of the provider, so that the limits of streams guard them too. With `hedge_after` seconds a second LLM
    of the tier is asked when the first has not begun to answer by then, for at most `hedge_share` of the calls; the
    first to begin answers, and the other is cancelled. Strictly private: use one of the two clients.
    """

    def __init__(  # noqa: PLR0913 - the constructor is where configuration arrives, once
        self,
        registry: LLMRegistry,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        retry: Retry = Retry(),  # noqa: B008 - frozen
        fallback_tiers: Sequence[LLMTier | str] = (),
        ledger: Ledger | None = None,
        breaker: Breaker | None = None,
        transport: Transport | None = None,
        default_tier: LLMTier | str = LLMTier.STANDARD,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        strategy: StrategyName = "cheapest",
        upstream: UpstreamName = "whole",
        hedge_after: float | None = None,
        hedge_share: float = 0.05,
    ) -> None:
        self._services = Services(
            registry,
            retry,
            tuple(tier_of(tier) for tier in fallback_tiers),
            ledger,
            InMemoryBreaker() if breaker is None else breaker,
            clock=time.monotonic,
            jitter=random,  # noqa: S311 - not for cryptography
            strategy=Strategy(_one_of(STRATEGIES, "strategy", strategy)),
            hedges=HedgeBudget(_share(hedge_share)),
        )
        self._hedge_after = check_seconds(hedge_after, "hedge_after")
        self._limits = limits
        self._bounds = bounds
        self._default_tier = tier_of(default_tier)
        self._upstream = _one_of(UPSTREAMS, "upstream", upstream)
        self._owns_transport = transport is None
        if transport is None:
            transport = HttpTransport()
        self._transport: Transport = transport

    def _call(  # noqa: PLR0913 - the arguments of `generate` that are not content
        self,
        content: Arguments,
        *,
        tier: LLMTier | str | None,
        llm_id: int | None,
        timeout: float | None,
        limits: Limits | None,
        caller: Caller | str | None,
        tiers: Collection[LLMTier | str] | None,
        upstream: UpstreamName | None = None,
        on_interrupt: OnInterrupt | None = None,
        hedge_after: float | None = None,
        fit_budget: bool = False,
    ) -> CallFlow:
        """A checked call for an answer, which is a stream for the caller if `on_interrupt` says what breaks it."""
        for name, value, known in (("on_interrupt", on_interrupt, ON_INTERRUPT), ("upstream", upstream, UPSTREAMS)):
            if value is not None and value not in known:
                raise InvalidRequestError(f"`{name}` must be one of: {', '.join(known)}.")
        if on_interrupt is not None:
            form = Upstream.STREAM
        elif (upstream or self._upstream) == "stream":
            form = Upstream.GATHERED
        else:
            form = Upstream.WHOLE
        call = Call(
            work=Answering(content.checked(self._bounds), form),
            target=target(tier, llm_id, self._default_tier, tiers),
            limits=self._limits_for(timeout, limits),
            restarts=on_interrupt == "restart",
            caller=_caller(caller),
            fit_budget=fit_budget,
            hedge_after=check_seconds(hedge_after, "hedge_after") or self._hedge_after,
        )
        return CallFlow(call, self._services)

    def _embedding(self, request: EmbedRequest, asked: Target, limits: Limits, caller: Caller | str | None) -> Flow:
        return CallFlow(Call(Embedding(request), asked, limits, caller=_caller(caller)), self._services).run()

    def _listing(self, entry: LLMEntry) -> Flow:
        return list_models(entry, self._services.clock, self._limits)

    def _limits_for(self, timeout: float | None, limits: Limits | None) -> Limits:
        seconds = check_seconds(timeout, "timeout")
        limits = self._limits if limits is None else limits
        if not isinstance(limits, Limits):
            raise InvalidRequestError(f"`limits` must be a Limits, not {type(limits).__name__}.")
        return limits if seconds is None else replace(limits, total=seconds)


def _caller(value: Caller | str | None) -> Caller:
    if isinstance(value, Caller):
        return value
    if value is not None and not isinstance(value, str):
        raise InvalidRequestError(f"`caller` must be a str or a Caller, not {type(value).__name__}.")
    return Caller(value) if value else NOBODY


def _one_of(known: Sequence[str], name: str, value: str) -> str:
    if value not in known:
        raise ConfigurationError(f"`{name}` must be one of: {', '.join(known)}, not {value!r}.")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigurationError(f"`hedge_share` must be a number from 0 to 1, not {value!r}.")
    return value
