"""What both clients are made of: configuration, and the flows of their calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from random import random
from typing import TYPE_CHECKING, Literal

from creative_services.core.request import Arguments, Bounds, EmbedRequest, Target, check_timeout, target
from creative_services.core.types import Limits, LLMEntry, LLMTier, Retry

if TYPE_CHECKING:
    from creative_services.core.breaker import Breaker
    from creative_services.core.flow import Flow
    from creative_services.core.http import Transport
    from creative_services.core.ledger import Ledger
    from creative_services.core.llm_registry import LLMRegistry

OnInterrupt = Literal["error", "restart"]


class BaseClient:
    """Configuration and flows.

    `ledger=None` keeps no books, `breaker=None` asks every LLM each time, `transport=None` is HTTP by this package.
    `bounds` are the most a caller may ask for. Strictly private: use DynamicLLMClient or SyncDynamicLLMClient.
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
    ) -> None:
        # Here, because a project that only imports this package should not wait for wires, sockets and asyncio.
        from creative_services.core.flow import Services  # noqa: PLC0415

        tiers = tuple(LLMTier(tier) for tier in fallback_tiers)
        self._services = Services(registry, retry, tiers, ledger, breaker, time.monotonic, random)  # noqa: S311 - jitter
        self._limits = limits
        self._bounds = bounds
        self._default_tier = LLMTier(default_tier)
        self._owns_transport = transport is None
        if transport is None:
            from creative_services.core.transport import HttpTransport  # noqa: PLC0415

            transport = HttpTransport()
        self._transport: Transport = transport

    def _answering(  # noqa: PLR0913 - the arguments of `generate` that are not content
        self,
        content: Arguments,
        *,
        tier: LLMTier | str | None,
        llm_id: int | None,
        timeout: float | None,
        limits: Limits | None,
        caller: str | None,
        on_interrupt: OnInterrupt | None = None,
    ) -> Flow:
        """The flow of a checked call for an answer. `on_interrupt` of None is for whole answers."""
        from creative_services.core.flow import Answering, Call, CallFlow  # noqa: PLC0415 - loaded already

        call = Call(
            work=Answering(content.checked(self._bounds), is_stream=on_interrupt is not None),
            target=target(tier, llm_id, self._default_tier),
            limits=self._limits_for(timeout, limits),
            restarts=on_interrupt == "restart",
            caller=caller,
        )
        return CallFlow(call, self._services).run()

    def _embedding(self, request: EmbedRequest, asked: Target, limits: Limits, caller: str | None) -> Flow:
        from creative_services.core.flow import Call, CallFlow, Embedding  # noqa: PLC0415 - loaded already

        return CallFlow(Call(Embedding(request), asked, limits, caller=caller), self._services).run()

    def _listing(self, entry: LLMEntry) -> Flow:
        from creative_services.core.flow import list_models  # noqa: PLC0415 - loaded already

        return list_models(entry, self._services.clock, self._limits)

    def _limits_for(self, timeout: float | None, limits: Limits | None) -> Limits:
        seconds = check_timeout(timeout)
        limits = limits or self._limits
        return limits if seconds is None else replace(limits, total=seconds)
