"""The admin's action that really asks LLMs for a few tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.utils.translation import gettext as _

from creative_services.adapters.connections import give_back_connections
from creative_services.adapters.probe import probe
from creative_services.adapters.snapshot import entry_of
from creative_services.core.errors import CreativeServicesError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.core.ledger import Caller
    from creative_services.core.types import LLMResponse
    from creative_services.models.querysets import LlmsQuerySet

MOST_ROWS = 10
SECONDS = 15


def connection_results(rows: LlmsQuerySet, caller: Caller) -> Iterator[tuple[int, str]]:
    """The level and text of a message for each row, or of one that says why none was asked.

    No transaction may be open: writers of rows would wait for a provider.
    """
    entries = [entry_of(row) for row in rows[: MOST_ROWS + 1]]
    if len(entries) > MOST_ROWS:
        yield messages.ERROR, _("Choose at most %(most)d LLMs to test at once.") % {"most": MOST_ROWS}
        return
    give_back_connections()
    for result in probe(entries, SECONDS, caller):
        if isinstance(result.outcome, CreativeServicesError):
            facts = {"error": result.outcome, "seconds": result.latency_seconds}
            yield messages.ERROR, _("%(error)s (after %(seconds).2f s)") % facts
        else:
            yield messages.SUCCESS, _answered(result.outcome, result.latency_seconds)


def _answered(response: LLMResponse, seconds: float) -> str:
    facts = [_("%(seconds).2f s") % {"seconds": seconds}]
    if response.usage.output_tokens is not None:
        facts.append(_("%(count)d tokens") % {"count": response.usage.output_tokens})
    if response.cost is not None:
        facts.append(f"${response.cost:f}")
    return _("%(name)s answered: %(facts)s.") % {"name": response.llm.name, "facts": ", ".join(facts)}
