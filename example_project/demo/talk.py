"""The point of it all, in the ten lines that a user of the app would write."""

from __future__ import annotations

from creative_services import LLMResponse, LLMTier
from creative_services.adapters import get_sync_client


def ask(prompt: str) -> None:
    """Ask the tier `local`, show the words as they come, then what they took."""
    print(f"\nAsking tier 'local': {prompt}\n", flush=True)
    with get_sync_client().stream(prompt, tier=LLMTier.LOCAL, max_tokens=80) as stream:
        for chunk in stream:
            print(chunk.text, end="", flush=True)
    print(f"\n\n{summary(stream.response)}\n", flush=True)


def summary(response: LLMResponse) -> str:
    """Which LLM answered, and the tokens, money and time it took."""
    usage = response.usage
    cost = "unknown cost" if response.cost is None else f"${response.cost.normalize():f}"
    return (
        f"{response.llm.name} ({response.llm.provider}/{response.llm.model}): {usage.input_tokens} tokens in, "
        f"{usage.output_tokens} out, {cost}, {response.latency_seconds:.2f} s"
    )
