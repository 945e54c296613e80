"""What becomes of calls whose process died: they are charged with their reservation, since the provider may bill it."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.db import Error, transaction
from django.utils import timezone

from creative_services.adapters.budgets import release
from creative_services.adapters.connections import borrowed
from creative_services.adapters.ledger_database import ledger_connection
from creative_services.databases import ledger_alias, own_model
from creative_services.signals import llm_call_finished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

    from creative_services.models import LlmCall

logger = logging.getLogger(__name__)

BATCH = 100
SECONDS = 60


def sweep(most: int | None = None) -> list[LlmCall]:
    """Settle the calls that are in doubt, as lost; returns those that this did, of which there are `most` at most.

    Several processes may do so at once, and the call's own process may come back meanwhile: who comes first settles a
    call, and one that was taken for dead corrects what was booked.
    """
    swept: list[LlmCall] = []
    now = timezone.now()
    with ledger_connection() as connection:
        while found := _expired(connection, now, BATCH if most is None else min(BATCH, most - len(swept))):
            swept += [call for call in found if _charge(connection, call, now)]
            if most is not None and len(swept) >= most:
                break
    for call in swept:
        call._state.db = ledger_alias()
    _tell(swept)
    return swept


@borrowed()
def _tell(swept: Sequence[LlmCall]) -> None:
    for call in swept:
        llm_call_finished.send_robust(type(call), call=call)


class LazySweep:
    """A sweep of a hundred calls at most, and once a minute at most, by whoever calls it then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = float("-inf")
        self._lock = Lock()

    def __call__(self) -> None:
        with self._lock:
            if self._clock() < self._next:
                return
            self._next = self._clock() + SECONDS
        try:
            sweep(BATCH)
        except Error:
            logger.exception("Calls in doubt could not be settled. They are tried again in a minute.")


def _rows(connection: BaseDatabaseWrapper) -> Any:
    return own_model("LlmCall")._base_manager.using(connection.alias)


def _expired(connection: BaseDatabaseWrapper, now: datetime, most: int) -> list[LlmCall]:
    return list(_rows(connection).filter(outcome="running", expires_at__lt=now).order_by("expires_at")[:most])


def _charge(connection: BaseDatabaseWrapper, call: LlmCall, now: datetime) -> bool:
    """Settle it, unless somebody else has done so."""
    call.outcome, call.finished_at, call.cost = "lost", now, call.reserved
    if call.reserved is not None:
        call.cost_source, call.is_estimated = "reservation", True
    changes = {name: getattr(call, name) for name in ("outcome", "finished_at", "cost", "cost_source", "is_estimated")}
    with transaction.atomic(using=connection.alias):
        if not _rows(connection).filter(pk=call.pk, outcome="running").update(**changes):
            return False
        release(connection, call.budget_periods, call.reserved)
    return True
