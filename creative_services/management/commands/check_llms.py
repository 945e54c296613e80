"""`manage.py check_llms`: whether the active LLMs can be called, for people and for monitoring."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from creative_services.adapters.clients import get_registry
from creative_services.adapters.connections import give_back_connections
from creative_services.adapters.offers import Offers
from creative_services.adapters.probe import AT_ONCE, fault_of, probe
from creative_services.core.errors import CreativeServicesError
from creative_services.core.ledger import NOBODY
from creative_services.core.llm_registry import rank
from creative_services.core.providers import retirement
from creative_services.core.types import LLMTier

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from creative_services.adapters.probe import Probe
    from creative_services.core.types import LLMEntry

SECONDS = 15


@dataclass(slots=True)
class Finding:
    """What is known of one LLM. `problem` keeps calls from it; `latency_seconds` is that of a live call."""

    id: int
    name: str
    tier: str
    provider: str
    model: str
    ok: bool = True
    problem: str | None = None
    warning: str | None = None
    latency_seconds: float | None = None

    def fail(self, problem: str) -> None:
        """Note what keeps calls from it."""
        self.ok, self.problem = False, problem

    def warn(self, warning: str) -> None:
        """Note what will keep calls from it some day."""
        self.warning = f"{self.warning} {warning}" if self.warning else warning

    def take(self, result: Probe, *, is_listed: bool) -> None:
        """Note what a real call came to, and whether the provider's list has the model."""
        self.latency_seconds = round(result.latency_seconds, 3)
        error = result.outcome if isinstance(result.outcome, CreativeServicesError) else None
        if error:
            self.fail(f"{type(error).__name__}: {error}")
        if is_listed:
            return
        text = f"The provider does not list {self.model} among its models"
        if self.tier == LLMTier.LOCAL.value:
            self.warn(f"{text}: such servers may answer with the one they have.")
        elif error:
            self.fail(f"{self.problem} {text}: it is no longer offered, or misspelt.")
        else:
            self.warn(f"{text}: it still answers, but may be offered no longer.")

    def __str__(self) -> str:
        line = f"{'ok  ' if self.ok else 'FAIL'} {self.tier:8} #{self.id} {self.name} ({self.provider} {self.model})"
        if self.latency_seconds is not None:
            line += f" {self.latency_seconds:.2f} s"
        return "".join([line, *(f"\n     {text}" for text in (self.problem, self.warning) if text)])


class Command(BaseCommand):
    """Says of every active LLM whether a call could use it. Exit code 1 if one cannot, or if there is none."""

    help = (
        "Check the active LLMs: provider, wire format, endpoint, key, retirement of the model. "
        "Exit code 0 if all can be called, else 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tier", choices=[tier.value for tier in LLMTier], help="Only this tier.")
        parser.add_argument(
            "--live",
            action="store_true",
            help="Ask each for a few tokens, which costs a little, and the providers for their lists of models.",
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *, tier: str | None, live: bool, **options: Any) -> None:
        active = rank(get_registry().list_active())
        entries = [entry for one in LLMTier if tier in {None, one.value} for entry in active if entry.tier is one]
        findings = {entry.id: examined(entry, live=live) for entry in entries}
        if live:
            give_back_connections()
            for result, is_listed in asked([entry for entry in entries if findings[entry.id].ok]):
                findings[result.entry.id].take(result, is_listed=is_listed)
        self._report(list(findings.values()), as_json=options["json"])
        if not findings:
            where = "" if tier is None else f" in tier {tier!r}"
            raise CommandError(f"No active LLM{where}. Add one in the admin, or run `manage.py seed_llms`.")
        failed = sum(not finding.ok for finding in findings.values())
        if failed:
            raise CommandError(f"{failed} of {len(findings)} active LLMs cannot be used.")

    def _report(self, findings: list[Finding], *, as_json: bool) -> None:
        if as_json:
            ok = bool(findings) and all(finding.ok for finding in findings)
            self.stdout.write(json.dumps({"ok": ok, "llms": [asdict(finding) for finding in findings]}, indent=2))
            return
        for finding in findings:
            self.stdout.write(str(finding))


def examined(entry: LLMEntry, *, live: bool) -> Finding:
    """What can be said without asking. A retired model is a problem, unless it is about to be asked itself."""
    finding = Finding(entry.id, entry.name, entry.tier.value, entry.provider, entry.model)
    fault = fault_of(entry)
    if fault:
        finding.fail(fault)
    ending = retirement(entry.provider, entry.model)
    if ending is None:
        return finding
    text = f"The provider retires {entry.model} on {ending.date}: use {ending.successor} instead."
    if ending.has_come() and not live and finding.ok:
        finding.fail(text)
    else:
        finding.warn(text)
    return finding


def asked(entries: list[LLMEntry]) -> Iterator[tuple[Probe, bool]]:
    """What a real call of each entry came to, and whether its provider's list, if there is one, has its model.

    So many at once as `probe` takes. The lists are fetched meanwhile, in the same time.
    """
    offers = Offers()
    waiting = iter(entries)
    with ThreadPoolExecutor(1, thread_name_prefix="llm-offers") as meanwhile:
        while batch := list(islice(waiting, AT_ONCE)):
            lists = meanwhile.submit(offers.ask, batch, SECONDS)
            results = probe(batch, SECONDS, NOBODY)
            lists.result()
            yield from ((result, not offers.lack(result.entry)) for result in results)
