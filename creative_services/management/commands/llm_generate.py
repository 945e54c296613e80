"""`manage.py llm_generate`: one call from the command line, by the same path as the application's calls."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from creative_services.adapters import get_sync_client
from creative_services.adapters.connections import holding_none
from creative_services.core.errors import CreativeServicesError
from creative_services.core.types import LLMTier

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from creative_services.core.types import LLMResponse


class Command(BaseCommand):
    """Prints an LLM's answer to stdout, and which model, tokens, cost and time it took to stderr."""

    help = "Ask an LLM of a tier, or one LLM by its id. The text goes to stdout, a summary line to stderr."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompt", help="What to ask; - reads it from stdin.")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--tier", choices=[tier.value for tier in LLMTier], help="Default: DEFAULT_TIER.")
        which.add_argument("--llm-id", type=int, help="Exactly this LLM, with no fallback.")
        parser.add_argument("--system", help="A system prompt.")
        parser.add_argument("--max-tokens", type=int, help="Most tokens to answer with. Default: the LLM's own.")
        parser.add_argument("--stream", action="store_true", help="Print the text as it comes.")

    def handle(self, *, prompt: str, stream: bool, **options: Any) -> None:
        call = {name: options[name] for name in ("tier", "llm_id", "system", "max_tokens")}
        try:
            call["prompt"] = sys.stdin.read() if prompt == "-" else prompt
            with holding_none():
                response = self._stream(call) if stream else self._whole(call)
        except UnicodeDecodeError as error:
            raise CommandError("The prompt on stdin is not text in this terminal's encoding.") from error
        except CreativeServicesError as error:
            raise CommandError(f"{type(error).__name__}: {error}") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None
        self.stderr.write(summary(response), style_func=str)

    def _whole(self, call: dict[str, Any]) -> LLMResponse:
        response = get_sync_client().generate(**call)
        self.stdout.write(response.text)
        return response

    def _stream(self, call: dict[str, Any]) -> LLMResponse:
        written = False
        try:
            with get_sync_client().stream(**call) as chunks:
                for chunk in chunks:
                    if chunk.text:
                        self.stdout.write(chunk.text, ending="")
                        self.stdout.flush()
                        written = True
                return chunks.response
        finally:
            if written:
                self.stdout.write()


def summary(response: LLMResponse) -> str:
    """One line: the LLM, its tokens, US dollars and seconds; what the provider did not report is a question mark."""
    llm, usage = response.llm, response.usage
    tokens = " + ".join("?" if count is None else str(count) for count in (usage.input_tokens, usage.output_tokens))
    cost = "cost unknown" if response.cost is None else f"${response.cost:f}"
    line = f"{llm.name} ({llm.provider} {llm.model}): {tokens} tokens, {cost}, {response.latency_seconds:.2f} s"
    return line if response.finish_reason in {"stop", None} else f"{line}, ended by {response.finish_reason}"
