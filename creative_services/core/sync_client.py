"""The client for plain code and for threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from creative_services.core.base_client import BaseClient, OnInterrupt, Tools, UpstreamName
from creative_services.core.drivers import Run, drive
from creative_services.core.explanation import Explanation
from creative_services.core.ledger import Caller
from creative_services.core.limits import Limits
from creative_services.core.request import Arguments, Message, embed_request, target
from creative_services.core.streams import LLMStream, Outcome
from creative_services.core.types import EmbeddingResponse, LLMEntry, LLMResponse, LLMTier

if TYPE_CHECKING:
    from types import TracebackType

    from creative_services.core.flow import Flow


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
        answer: LLMResponse = self._run(call.run())
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
    ) -> LLMStream:
        """The answer chunk by chunk. Wrong arguments raise here, everything else while iterating.

        A stream that breaks after its first chunk raises with what came so far in `.partial`; with
        `on_interrupt="restart"` the next LLM begins anew, announced by a chunk with `restart=True`.
        """
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
        return LLMStream(drive(Run(call.run()), self._transport, outcome), outcome, call)

    def explain(  # noqa: PLR0913 - the documented arguments
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
        explanation: Explanation = self._run(call.explain())
        return explanation

    def embed(  # noqa: PLR0913 - the documented arguments
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
        found: EmbeddingResponse = self._run(flow)
        return found

    def list_models(self, entry: LLMEntry) -> list[str]:
        """The models that the entry's provider offers with the entry's key, by id. Raises the errors of a call."""
        models: list[str] = self._run(self._listing(entry))
        return models

    def _run(self, flow: Flow) -> Any:
        outcome = Outcome()
        next(drive(Run(flow), self._transport, outcome), None)  # without chunks, this runs to its end
        return outcome.response

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
