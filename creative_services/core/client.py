"""The two clients: one for event loops here, and its blocking twin, over the same flows.

Everything that decides anything is in `flow`, the lines that wait are in `drivers`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from creative_services.core.base_client import BaseClient, OnInterrupt, Tools, UpstreamName
from creative_services.core.drivers import Run, adrive
from creative_services.core.explanation import Explanation
from creative_services.core.ledger import Caller
from creative_services.core.limits import Limits
from creative_services.core.request import Arguments, Message, embed_request, target
from creative_services.core.streams import AsyncLLMStream, Outcome
from creative_services.core.sync_client import SyncDynamicLLMClient
from creative_services.core.types import EmbeddingResponse, LLMEntry, LLMResponse, LLMTier

if TYPE_CHECKING:
    from types import TracebackType

    from creative_services.core.flow import Flow

__all__ = ["DynamicLLMClient", "SyncDynamicLLMClient"]


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
        options: Mapping[str, Any] | None = None,
        caller: Caller | str | None = None,
        tiers: Collection[LLMTier | str] | None = None,
        upstream: UpstreamName | None = None,
        hedge_after: float | None = None,
        fit_budget: bool = False,
    ) -> LLMResponse:
        """One whole answer. `timeout` is in seconds, for the whole call. Raises the errors of `core.errors`.

        `upstream="stream"` gathers it from a stream of the provider, guarded by the limits of streams. `hedge_after`
        seconds a second LLM is asked as well, if the first has not begun to answer by then. `fit_budget` lets
        `max_tokens` be lowered to what a hard budget still pays for. Only LLMs of `tiers` are asked, if they are given.
        """
        content = Arguments(
            prompt, messages, system, max_tokens, temperature, stop, tools, tool_choice, response_format, extra, options
        )
        call = self._call(
            content,
            tier=tier,
            llm_id=llm_id,
            timeout=timeout,
            limits=limits,
            caller=caller,
            tiers=tiers,
            upstream=upstream,
            hedge_after=hedge_after,
            fit_budget=fit_budget,
        )
        answer: LLMResponse = await self._run(call.run())
        return answer

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
        options: Mapping[str, Any] | None = None,
        caller: Caller | str | None = None,
        tiers: Collection[LLMTier | str] | None = None,
        on_interrupt: OnInterrupt = "error",
        hedge_after: float | None = None,
        fit_budget: bool = False,
    ) -> AsyncLLMStream:
        """The answer chunk by chunk; see `SyncDynamicLLMClient.stream`. It is not awaited itself, its chunks are."""
        content = Arguments(
            prompt, messages, system, max_tokens, temperature, stop, tools, tool_choice, response_format, extra, options
        )
        outcome = Outcome()
        call = self._call(
            content,
            tier=tier,
            llm_id=llm_id,
            timeout=timeout,
            limits=limits,
            caller=caller,
            tiers=tiers,
            on_interrupt=on_interrupt,
            hedge_after=hedge_after,
            fit_budget=fit_budget,
        )
        run = Run(call.run())
        return AsyncLLMStream(adrive(run, self._transport, outcome), outcome, call, run)

    async def explain(  # noqa: PLR0913 - the documented arguments
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
        options: Mapping[str, Any] | None = None,
        caller: Caller | str | None = None,
        tiers: Collection[LLMTier | str] | None = None,
    ) -> Explanation:
        """What `generate` with these arguments would do now: whom it would ask, and why not others. Asks nobody."""
        content = Arguments(
            prompt, messages, system, max_tokens, temperature, stop, tools, tool_choice, response_format, extra, options
        )
        call = self._call(content, tier=tier, llm_id=llm_id, timeout=timeout, limits=limits, caller=caller, tiers=tiers)
        explanation: Explanation = await self._run(call.explain())
        return explanation

    async def embed(  # noqa: PLR0913 - the documented arguments
        self,
        texts: str | Sequence[str],
        *,
        tier: LLMTier | str | None = None,
        llm_id: int | None = None,
        dimensions: int | None = None,
        timeout: float | None = None,
        limits: Limits | None = None,
        extra: Mapping[str, Any] | None = None,
        caller: Caller | str | None = None,
        tiers: Collection[LLMTier | str] | None = None,
    ) -> EmbeddingResponse:
        """One vector for each text. Raises the errors of `core.errors`.

        An embedding model answers no prompts: name it by `llm_id`, or keep it in a tier of its own.
        """
        request = embed_request(texts, dimensions, extra, self._bounds)
        asked = target(tier, llm_id, self._default_tier, tiers)
        flow = self._embedding(request, asked, self._limits_for(timeout, limits), caller)
        found: EmbeddingResponse = await self._run(flow)
        return found

    async def list_models(self, entry: LLMEntry) -> list[str]:
        """The models that the entry's provider offers with the entry's key, by id. Raises the errors of a call."""
        models: list[str] = await self._run(self._listing(entry))
        return models

    async def _run(self, flow: Flow) -> Any:
        outcome = Outcome()
        await anext(adrive(Run(flow), self._transport, outcome), None)  # without chunks, this runs to its end
        return outcome.response

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
