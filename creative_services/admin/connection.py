"""The admin's action that really asks LLMs for a few tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.utils.translation import gettext as _

from creative_services.adapters.connections import give_back_connections
from creative_services.adapters.probe import probe
from creative_services.adapters.snapshot import entry_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.adapters.probe import Probe
    from creative_services.models.querysets import LlmsQuerySet

MOST_ROWS = 10
SECONDS = 15


def connection_results(rows: LlmsQuerySet) -> Iterator[tuple[int, str]]:
    """The level and text of a message for each row, or of one that says why none was asked.

    No transaction may be open: writers of rows would wait for a provider.
    """
    entries = [entry_of(row) for row in rows[: MOST_ROWS + 1]]
    if len(entries) > MOST_ROWS:
        yield messages.ERROR, _("Choose at most %(most)d LLMs to test at once.") % {"most": MOST_ROWS}
        return
    give_back_connections()
    for result in probe(entries, SECONDS):
        yield (messages.ERROR, _failure(result)) if result.error else (messages.SUCCESS, _success(result))


def _success(result: Probe) -> str:
    response = result.response
    facts = [_("%(seconds).2f s") % {"seconds": result.latency_seconds}]
    if response is not None:
        tokens = response.usage.output_tokens
        if tokens is not None:
            facts.append(_("%(count)d tokens") % {"count": tokens})
        if response.cost is not None:
            facts.append(f"${response.cost:f}")
    return _("%(name)s answered: %(facts)s.") % {"name": result.entry.name, "facts": ", ".join(facts)}


def _failure(result: Probe) -> str:
    facts = {"error": result.error, "seconds": result.latency_seconds}
    return _("%(error)s (after %(seconds).2f s)") % facts
