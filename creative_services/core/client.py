"""The two clients: drivers that carry out what a flow asks for, one blocking, one on an event loop.

Everything that decides anything is in `flow`; here are only the lines that wait.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import random
from typing import TYPE_CHECKING, Any, Literal, Self

from creative_services.core.drivers import adrive, drive
from creative_services.core.request import Arguments, Bounds, Message, check_timeout, target
from creative_services.core.streams import AsyncLLMStream, LLMStream, Outcome
from creative_services.core.types import Limits, LLMResponse, LLMTier, Retry

if TYPE_CHECKING:
    from types import TracebackType

    from creative_services.core.breaker import Breaker
    from creative_services.core.flow import Flow
    from creative_services.core.http import Transport
    from creative_services.core.ledger import Ledger
    from creative_services.core.llm_registry import LLMRegistry

OnInterrupt = Literal["error", "restart"]
Tools = Sequence[Mapping[str, Any]]


class BaseClient:
    """What both clients are made of.

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

    def _flow(  # noqa: PLR0913 - the arguments of `generate` that are not content
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
        """The flow of a checked call. `on_interrupt` of None is for whole answers."""
        from creative_services.core.flow import Call, CallFlow  # noqa: PLC0415 - loaded already

        limits = limits or self._limits
        seconds = check_timeout(timeout)
        call = Call(
            request=content.checked(self._bounds),
            target=target(tier, llm_id, self._default_tier),
            limits=limits if seconds is None else replace(limits, total=seconds),
            is_stream=on_interrupt is not None,
            restarts=on_interrupt == "restart",
            caller=caller,
        )
        return CallFlow(call, self._services).run()


class SyncDynamicLLMClient(BaseClient):
    """Asks LLMs of a registry from plain code and from threads; it needs no event loop and minds none.

    `llm_id` means exactly that LLM, `tier` the cheapest of the tier that answers; neither means the default tier.
    """

    def generate(  # noqa: PLR0913 - the documented arguments
        self,
        prompt: str | None = None,
        *,
        messages: Sequence[Message] | None = None,
        system: str | None = None,
        tier: LLMTier | str | None = None,
        llm_id: int | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
        tools: Tools | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        limits: Limits | None = None,
        extra: Mapping[str, Any] | None = None,
        caller: str | None = None,
    ) -> LLMResponse:
        """One whole answer. `timeout` is in seconds, for the whole call. Raises the errors of `core.errors`."""
        content = Arguments(
            prompt, messages, system, max_tokens, temperature, stop, tools, tool_choice, response_format, extra
        )
        outcome = Outcome()
        flow = self._flow(content, tier=tier, llm_id=llm_id, timeout=timeout, limits=limits, caller=caller)
        next(drive(flow, self._transport, outcome), None)  # a whole answer has no chunks: this runs to its end
        return outcome.response

    def stream(  # noqa: PLR0913 - the documented arguments
        self,
        prompt: str | None = None,
        *,
        messages: Sequence[Message] | None = None,
        system: str | None = None,
        tier: LLMTier | str | None = None,
        llm_id: int | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
        tools: Tools | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        limits: Limits | None = None,
        extra: Mapping[str, Any] | None = None,
        caller: str | None = None,
        on_interrupt: OnInterrupt = "error",
    ) -> LLMStream:
        """The answer chunk by chunk. Wrong arguments raise here, everything else while iterating.

        A stream that breaks after its first chunk raises with what came so far in `.partial`; with
        `on_interrupt="restart"` the next LLM begins anew, announced by a chunk with `restart=True`.
        """
        content = Arguments(
            prompt, messages, system, max_tokens, temperature, stop, tools, tool_choice, response_format, extra
        )
        outcome = Outcome()
        flow = self._flow(
            content,
            tier=tier,
            llm_id=llm_id,
            timeout=timeout,
            limits=limits,
            caller=caller,
            on_interrupt=on_interrupt,
        )
        return LLMStream(drive(flow, self._transport, outcome), outcome)

    def close(self) -> None:
        """Close idle connections; the client stays usable. A transport of the caller's is left alone."""
        if self._owns_transport:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class DynamicLLMClient(BaseClient):
    """Asks LLMs of a registry from async code, on whatever event loop is running.

    `llm_id` means exactly that LLM, `tier` the cheapest of the tier that answers; neither means the default tier.
    """

    async def generate(  # noqa: PLR0913 - the documented arguments
        self,
        prompt: str | None = None,
        *,
        messages: Sequence[Message] | None = None,
        system: str | None = None,
        tier: LLMTier | str | None = None,
        llm_id: int | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
        tools: Tools | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        limits: Limits | None = None,
        extra: Mapping[str, Any] | None = None,
        caller: str | None = None,
    ) -> LLMResponse:
        """One whole answer. `timeout` is in seconds, for the whole call. Raises the errors of `core.errors`."""
        content = Arguments(
            prompt, messages, system, max_tokens, temperature, stop, tools, tool_choice, response_format, extra
        )
        outcome = Outcome()
        flow = self._flow(content, tier=tier, llm_id=llm_id, timeout=timeout, limits=limits, caller=caller)
        await anext(adrive(flow, self._transport, outcome), None)  # a whole answer has no chunks
        return outcome.response

    def stream(  # noqa: PLR0913 - the documented arguments
        self,
        prompt: str | None = None,
        *,
        messages: Sequence[Message] | None = None,
        system: str | None = None,
        tier: LLMTier | str | None = None,
        llm_id: int | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
        tools: Tools | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        limits: Limits | None = None,
        extra: Mapping[str, Any] | None = None,
        caller: str | None = None,
        on_interrupt: OnInterrupt = "error",
    ) -> AsyncLLMStream:
        """The answer chunk by chunk; see `SyncDynamicLLMClient.stream`. It is not awaited itself, its chunks are."""
        content = Arguments(
            prompt, messages, system, max_tokens, temperature, stop, tools, tool_choice, response_format, extra
        )
        outcome = Outcome()
        flow = self._flow(
            content,
            tier=tier,
            llm_id=llm_id,
            timeout=timeout,
            limits=limits,
            caller=caller,
            on_interrupt=on_interrupt,
        )
        return AsyncLLMStream(adrive(flow, self._transport, outcome), outcome)

    async def aclose(self) -> None:
        """Close the running loop's idle connections; the client stays usable. A transport of the caller's is left."""
        if self._owns_transport:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
