"""The ledger over `LlmCall` rows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import Error, InterfaceError, OperationalError
from django.utils import timezone

from creative_services.adapters.ledger_database import ledger_connection, run_on_ledger, to_the_end
from creative_services.adapters.ledger_rows import kept_text, planned_row, prompt_of, settled_row
from creative_services.adapters.ledger_sql import insert, update
from creative_services.core.errors import LedgerUnavailableError
from creative_services.core.types import Attempt
from creative_services.databases import ledger_alias
from creative_services.signals import llm_call_finished

if TYPE_CHECKING:
    from decimal import Decimal

    from django.db.backends.base.base import BaseDatabaseWrapper

    from creative_services.adapters.budgets import Budgets, Claim
    from creative_services.core.errors import CreativeServicesError
    from creative_services.core.ledger import PlannedAttempt
    from creative_services.ledger_options import LedgerOptions

logger = logging.getLogger(__name__)

PAUSES = (0.0, 0.2)  # seconds between tries of a booking: a restarted server, or a deadlock, is over soon
LAST_PAUSES = (*PAUSES, 1.0)  # for what must not be lost
BROKEN = (OperationalError, InterfaceError)
MOST_TURNS = 10  # in which a budget may be found full, and then not

Result = TypeVar("Result")
Announcements = Sequence[Callable[[], object]]
"""What receivers of signals are told once it is committed, on their callers' own thread."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A row that was written ahead, and the budgets that hold its reservation."""

    planned: PlannedAttempt
    key: dict[str, Any]
    """The columns by which the row is found again."""
    reserved: Decimal | None
    claims: Sequence[Claim]


class DjangoLedger:
    """One row of LlmCall for each attempt: `running` is written before the provider is asked, the rest afterwards.

    No transaction and no connection of its own is open meanwhile. What cannot be booked is not asked: `reserve` raises
    LedgerUnavailableError. What cannot be settled, since the database fails, is tried for a second or two and then
    logged; the answer reaches its caller, and the row stays in doubt until the sweep charges it.
    """

    def __init__(self, options: LedgerOptions, budgets: Budgets | None = None) -> None:
        self._options = options
        self._budgets = budgets

    @property
    def stores_text(self) -> bool:
        """Whether it keeps prompts and answers."""
        return self._options.store_text

    def refusal(self, planned: PlannedAttempt) -> CreativeServicesError | None:
        """What a hard budget would refuse the attempt with, or None; books nothing."""
        if self._budgets is None:
            return None
        with ledger_connection() as connection:
            claims = self._budgets.matching(connection, planned)
            return self._budgets.refusal(connection, claims, planned) if claims else None

    def reserve(self, planned: PlannedAttempt) -> Booked:
        """Book an attempt that is about to be made. Raises BudgetExceededError or LedgerUnavailableError."""
        booked, announcements = self._reserve(planned)
        _announce(announcements)
        return booked

    def settle(self, booked: Booked, attempt: Attempt) -> None:
        """Book what an attempt came to."""
        _announce(self._settle(booked, attempt))

    # On event loops: what was begun is finished, whoever is cancelled meanwhile

    async def arefusal(self, planned: PlannedAttempt) -> CreativeServicesError | None:
        """`refusal`, awaited."""
        return await run_on_ledger(self.refusal, planned)

    async def areserve(self, planned: PlannedAttempt) -> Booked:
        """`reserve`, awaited; cancelled, it takes back what it has booked."""
        (booked, announcements), was_cancelled = await to_the_end(run_on_ledger(self._reserve, planned))
        if was_cancelled:
            entry = planned.entry
            await self.asettle(booked, Attempt(entry.id, entry.name, "cancelled", was_sent=False))
            raise asyncio.CancelledError
        if announcements:
            await sync_to_async(_announce)(announcements)
        return booked

    async def asettle(self, booked: Booked, attempt: Attempt) -> None:
        """`settle`, awaited."""
        announcements, was_cancelled = await to_the_end(run_on_ledger(self._settle, booked, attempt))
        if announcements:
            _, is_cancelled = await to_the_end(sync_to_async(_announce)(announcements))
            was_cancelled |= is_cancelled
        if was_cancelled:
            raise asyncio.CancelledError

    # What is written

    def _reserve(self, planned: PlannedAttempt) -> tuple[Booked, Announcements]:
        row = planned_row(planned, planned.worst_case, timezone.now())
        if self._options.store_text:
            row["prompt_text"] = kept_text(prompt_of(planned.request), self._options)
        try:
            return _persistently(PAUSES, partial(self._book, planned, row)), ()
        except Error as error:
            raise LedgerUnavailableError(
                f"The ledger's database {ledger_alias()!r} takes no row ({type(error).__name__}), so that nobody was "
                "asked. See that it is up, and that `manage.py migrate` has run there."
            ) from error

    def _book(self, planned: PlannedAttempt, row: dict[str, Any], connection: BaseDatabaseWrapper) -> Booked:
        key = {"request_id": row["request_id"], "number": row["number"]}
        insert(connection, row)
        return Booked(planned, key, row["reserved"], ())

    def _settle(self, booked: Booked, attempt: Attempt) -> Announcements:
        row = settled_row(attempt, booked.reserved, timezone.now())
        if self._options.store_text and attempt.text is not None:
            row["answer_text"] = kept_text(attempt.text, self._options)
        try:
            return _persistently(LAST_PAUSES, partial(self._close, booked, row))
        except Exception as error:  # the answer is paid for: whatever happens here, its caller gets it
            logger.error(  # noqa: TRY400 - a traceback would show the row's values
                "Call %s/%s came to %s US dollars, but the ledger's database %r takes it not (%s). It stays in doubt.",
                booked.key["request_id"],
                booked.key["number"],
                row["cost"],
                ledger_alias(),
                type(error).__name__,
            )
            return ()

    def _close(self, booked: Booked, row: dict[str, Any], connection: BaseDatabaseWrapper) -> Announcements:
        update(connection, row, {**booked.key, "outcome": "running"})
        if not llm_call_finished.has_listeners():
            return ()
        model = apps.get_model("creative_services", "LlmCall")
        call = model._default_manager.using(connection.alias).get(**booked.key)
        call._state.db = ledger_alias()
        return (partial(llm_call_finished.send_robust, sender=model, call=call),)


def _announce(announcements: Announcements) -> None:
    for announce in announcements:
        announce()


def _persistently(pauses: Sequence[float], work: Callable[[BaseDatabaseWrapper], Result]) -> Result:
    """What the work comes to on the ledger's connection; tried again where the server was gone, or did not like it."""
    for pause in pauses:
        try:
            with ledger_connection() as connection:
                is_callers = connection.in_atomic_block
                return work(connection)
        except BROKEN:
            if is_callers:
                raise
        time.sleep(pause)
    with ledger_connection() as connection:
        return work(connection)
