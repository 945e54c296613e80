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
    from collections.abc import Iterator

    from creative_services.core.explanation import Candidate, Explanation
    from creative_services.core.types import LLMEntry, LLMResponse


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
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--stream", action="store_true", help="Print the text as it comes.")
        how.add_argument(
            "--explain", action="store_true", help="Ask nobody; print who would be asked, and why not others."
        )

    def handle(self, *, prompt: str, stream: bool, explain: bool, **options: Any) -> None:
        call = {name: options[name] for name in ("tier", "llm_id", "system", "max_tokens")}
        try:
            call["prompt"] = sys.stdin.read() if prompt == "-" else prompt
            with holding_none():
                if explain:
                    self._explain(call)
                    return
                response = self._stream(call) if stream else self._whole(call)
        except UnicodeDecodeError as error:
            raise CommandError("The prompt on stdin is not text in this terminal's encoding.") from error
        except CreativeServicesError as error:
            raise CommandError(f"{type(error).__name__}: {error}") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None
        self.stderr.write(summary(response), style_func=str)

    def _explain(self, call: dict[str, Any]) -> None:
        told = get_sync_client().explain(**call)
        for line in lines(told):
            self.stdout.write(line)
        if told.llm is None:
            raise CommandError("There is no LLM that would be asked.")

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


def lines(told: Explanation) -> Iterator[str]:
    """One line for each candidate, in the order of asking; the one that would be asked first has an arrow before it."""
    for candidate in told.candidates:
        llm = candidate.llm
        is_first = told.llm is not None and llm.id == told.llm.id
        yield f"{'->' if is_first else '  '} #{llm.id} {llm.name} ({llm.tier.value}, {_model(llm)}): {_fate(candidate)}"


def _fate(candidate: Candidate) -> str:
    cost, refused = candidate.worst_case_cost, candidate.refused
    if cost is None:
        return "cost unknown" if refused is None else f"not asked: {refused}"
    return f"at most ${cost:f}" if refused is None else f"at most ${cost:f}, not asked: {refused}"


def _model(llm: LLMEntry) -> str:
    return f"{llm.provider} {llm.model}"


def summary(response: LLMResponse) -> str:
    """One line: the LLM, its tokens, US dollars and seconds; what the provider did not report is a question mark."""
    llm, usage = response.llm, response.usage
    tokens = " + ".join("?" if count is None else str(count) for count in (usage.input_tokens, usage.output_tokens))
    cost = "cost unknown" if response.cost is None else f"${response.cost:f}"
    line = f"{llm.name} ({_model(llm)}): {tokens} tokens, {cost}, {response.latency_seconds:.2f} s"
    return line if response.finish_reason in {"stop", None} else f"{line}, ended by {response.finish_reason}"
