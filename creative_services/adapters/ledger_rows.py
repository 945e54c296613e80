"""What the ledger's rows say: of an attempt before it is made, and of what it came to."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from creative_services.core.pricing import price
from creative_services.core.request import EmbedRequest

if TYPE_CHECKING:
    from datetime import datetime

    from creative_services.core.ledger import PlannedAttempt
    from creative_services.core.request import LLMRequest
    from creative_services.core.types import Attempt
    from creative_services.ledger_options import LedgerOptions

logger = logging.getLogger(__name__)

GRACE = 60  # seconds past an attempt's time after which its process is thought dead
MOST_USD = Decimal(9_223_371)  # what a column holds
MOST_REFUSALS = 20
MOST_CHARS = 200  # of a reason
MOST_TEXT = 100_000  # characters of a prompt or an answer
GAVE_UP = (408, 504, 524)  # a gateway's words: what is behind it may have answered, and bills it
PRICES = ("input", "output", "cache_read", "cache_write")
COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
ZERO = Decimal(0)


def planned_row(planned: PlannedAttempt, reserved: Decimal | None, now: datetime) -> dict[str, Any]:
    """The columns of an attempt that is about to be made."""
    entry, caller = planned.entry, planned.caller
    prices = {f"price_{name}": price(getattr(entry, f"cost_per_1k_{name}")) for name in PRICES}
    return {
        "request_id": UUID(planned.request_id),
        "number": planned.number,
        "llm_id": entry.id,
        "llm_name": clean(entry.name, 200),
        "provider": clean(entry.provider, 100),
        "model": clean(entry.model, 200),
        "tier": entry.tier.value,
        "user_id": caller.user_id,
        "machine_key_id": caller.machine_key_id,
        "caller": clean(caller.name or "", 200),
        "source": caller.source,
        "started_at": now,
        "expires_at": now + timedelta(seconds=planned.seconds + GRACE),
        "outcome": "running",
        "error": "",
        "finish_reason": "",
        "is_stream": planned.is_stream,
        "reserved": reserved,
        "cost_source": "",
        "is_estimated": False,
        "exceeds_reservation": False,
        "budget_periods": [],
        "decision": decision(planned),
    } | prices


def decision(planned: PlannedAttempt) -> dict[str, Any] | None:
    """Why it is this LLM: who was passed by, as far as there is room. None where there is nothing to say."""
    found: dict[str, Any] = {}
    if planned.tier is None:
        found["asked_for"] = "llm_id"
    elif planned.tier is not planned.entry.tier:
        found["asked_for"] = planned.tier.value
    if planned.refusals:
        found["refusals"] = [
            {"llm_id": one.llm_id, "llm": clean(one.llm_name, 60), "reason": clean(one.reason, MOST_CHARS)}
            for one in planned.refusals[:MOST_REFUSALS]
        ]
    if len(planned.refusals) > MOST_REFUSALS:
        found["refused"] = len(planned.refusals)
    return found or None


class Charge(NamedTuple):
    """What an attempt is booked with, in US dollars, and where that is from."""

    cost: Decimal | None
    source: str
    is_estimated: bool


def charge(reserved: Decimal | None, attempt: Attempt) -> Charge:
    """The reported cost where it is final, nothing where nobody can bill anything, else what was reserved."""
    usage, cost = attempt.usage, attempt.cost
    source = "prices" if usage is None or usage.cost is None else "provider"
    if cost is not None and (attempt.outcome == "ok" or attempt.finish_reason is not None):
        return Charge(min(cost, MOST_USD), source, is_estimated=False)
    if not _may_be_billed(attempt):
        return Charge(ZERO, "", is_estimated=False)
    if reserved is None:
        return Charge(None, "", is_estimated=False)
    if cost is not None and cost > reserved:  # what came before it broke is more than was thought possible
        return Charge(min(cost, MOST_USD), source, is_estimated=True)
    return Charge(reserved, "reservation", is_estimated=True)


def _may_be_billed(attempt: Attempt) -> bool:
    status = attempt.status_code
    return attempt.was_sent and (status is None or 200 <= status < 300 or status in GAVE_UP)


def settled_row(attempt: Attempt, reserved: Decimal | None, now: datetime) -> dict[str, Any]:
    """The columns that change when an attempt has ended."""
    charged = charge(reserved, attempt)
    return {
        "finished_at": now,
        "first_token_seconds": attempt.first_token_seconds,
        "latency_seconds": attempt.latency_seconds,
        "outcome": attempt.outcome,
        "status_code": attempt.status_code,
        "error": "" if attempt.error is None else type(attempt.error).__name__[:100],
        "finish_reason": attempt.finish_reason or "",
        "cost": charged.cost,
        "cost_source": charged.source,
        "is_estimated": charged.is_estimated,
        "exceeds_reservation": None not in {charged.cost, reserved} and charged.cost > reserved,  # type: ignore[operator]
    } | {name: getattr(attempt.usage, name, None) for name in COUNTS}


def kept_text(text: str, options: LedgerOptions) -> str | None:
    """The text as it is kept: redacted first, then cut. None where the redaction fails: better none than too much."""
    if options.redact is not None:
        try:
            text = options.redact(text)
        except Exception as error:
            # No traceback: what fails over a text may quote it.
            logger.error("LEDGER['REDACT'] fails (%s), so that no text is kept.", type(error).__name__)  # noqa: TRY400
            return None
    return clean(text, MOST_TEXT)


def prompt_of(request: LLMRequest | EmbedRequest) -> str:
    """What was asked, as JSON."""
    if isinstance(request, EmbedRequest):
        asked: Any = {"texts": request.texts}
    else:
        asked = {"system": request.system, "messages": request.messages}
    return json.dumps(asked, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """A mapping or sequence of another kind: requests hold nothing else that JSON does not have."""
    return dict(value) if isinstance(value, Mapping) else list(value)


def clean(text: str, most: int) -> str:
    """The text without what databases refuse, and no longer than this."""
    return text[:most].replace("\0", "").encode(errors="replace").decode()
