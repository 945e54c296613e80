"""The ledger over `LlmCall` rows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import Error, IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from creative_services.adapters.budget_notices import announce_exceeded, announce_refusal, announce_warnings
from creative_services.adapters.budgets import Budgets, UncoveredError, correct, reserved_for
from creative_services.adapters.connections import borrowed
from creative_services.adapters.finishing import to_the_end
from creative_services.adapters.ledger_database import ledger_connection, run_on_ledger
from creative_services.adapters.ledger_rows import kept_text, planned_row, prompt_of, settled_row
from creative_services.adapters.ledger_sql import insert, update
from creative_services.adapters.sweep import LazySweep
from creative_services.core.errors import BudgetExceededError, LedgerUnavailableError
from creative_services.core.types import Attempt
from creative_services.databases import ledger_alias, own_model
from creative_services.signals import budget_exceeded, llm_call_finished

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from decimal import Decimal

    from django.db.backends.base.base import BaseDatabaseWrapper

    from creative_services.adapters.budgets import Claim
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

    Budgets are reserved and settled in the same transactions. None is open meanwhile, nor is a connection of its own.
    What cannot be booked is not asked: `reserve` raises LedgerUnavailableError. What cannot be settled, since the
    database fails, is tried for a second and then logged; the answer reaches its caller, and the row stays in doubt
    until the sweep charges it.
    """

    def __init__(self, options: LedgerOptions) -> None:
        self._options = options
        self._budgets = Budgets()
        self._sweep = LazySweep()

    @property
    def stores_text(self) -> bool:
        """Whether it keeps prompts and answers."""
        return self._options.store_text

    def refusal(self, planned: PlannedAttempt) -> CreativeServicesError | None:
        """What a hard budget would refuse the attempt with, or None; books nothing."""
        with ledger_connection() as connection:
            return self._budgets.refusal(connection, self._budgets.matching(connection, planned), planned)

    def reserve(self, planned: PlannedAttempt) -> Booked:
        """Book an attempt that is about to be made. Raises BudgetExceededError or LedgerUnavailableError."""
        try:
            booked, exceeded = self._reserve(planned)
        except BudgetExceededError as error:
            announce_refusal(error, planned)
            raise
        if exceeded:
            announce_exceeded(exceeded, planned)
        return booked

    def settle(self, booked: Booked, attempt: Attempt) -> None:
        """Book what an attempt came to."""
        if announcements := self._settle(booked, attempt):
            _announce(announcements)

    # On event loops: what was begun is finished, and receivers are called where Django's own sync code runs

    async def arefusal(self, planned: PlannedAttempt) -> CreativeServicesError | None:
        """`refusal`, awaited."""
        return await run_on_ledger(self.refusal, planned)

    async def areserve(self, planned: PlannedAttempt) -> Booked:
        """`reserve`, awaited; cancelled, it takes back what it has booked."""
        try:
            (booked, exceeded), was_cancelled = await to_the_end(self._reserve, planned, way=run_on_ledger)
        except BudgetExceededError as error:
            if budget_exceeded.has_listeners():
                await sync_to_async(announce_refusal)(error, planned)
            raise
        try:
            if exceeded and not was_cancelled:
                _, was_cancelled = await to_the_end(announce_exceeded, exceeded, planned)
        except BaseException:  # no thread is left to tell it
            await self._take_back(booked)
            raise
        if was_cancelled:
            await self._take_back(booked)
            raise asyncio.CancelledError
        return booked

    async def _take_back(self, booked: Booked) -> None:
        entry = booked.planned.entry
        await self.asettle(booked, Attempt(entry.id, entry.name, "cancelled", was_sent=False))

    async def asettle(self, booked: Booked, attempt: Attempt) -> None:
        """`settle`, awaited."""
        announcements, was_cancelled = await to_the_end(self._settle, booked, attempt, way=run_on_ledger)
        if announcements:
            _, is_cancelled = await to_the_end(_announce, announcements)
            was_cancelled |= is_cancelled
        if was_cancelled:
            raise asyncio.CancelledError

    # What is written

    def _reserve(self, planned: PlannedAttempt) -> tuple[Booked, Sequence[Claim]]:
        row = planned_row(planned, reserved_for(planned), timezone.now())
        if self._options.store_text:
            row["prompt_text"] = kept_text(prompt_of(planned.request), self._options)
        try:
            self._sweep()
            return _persistently(PAUSES, partial(self._book, planned, row))
        except Error as error:
            raise LedgerUnavailableError(
                f"The ledger's database {ledger_alias()!r} takes no row ({type(error).__name__}), so that nobody was "
                "asked. See that it is up, and that `manage.py migrate` has run there."
            ) from error

    def _book(
        self, planned: PlannedAttempt, row: dict[str, Any], connection: BaseDatabaseWrapper, is_again: bool
    ) -> tuple[Booked, Sequence[Claim]]:
        key = {"request_id": row["request_id"], "number": row["number"]}
        for _ in range(MOST_TURNS):
            claims = self._budgets.matching(connection, planned)
            row["budget_periods"] = [claim.period_id for claim in claims]
            booked = Booked(planned, key, row["reserved"], claims)
            try:
                with _as_one(connection, claims):
                    insert(connection, row)
                    return booked, self._budgets.reserve(connection, claims, planned)
            except UncoveredError:
                error = self._budgets.refusal(connection, claims, planned)
            except IntegrityError:
                if is_again:  # the first time it was written, and only the news of it was lost
                    return booked, ()
                raise
            if error is not None:
                raise error
        raise OperationalError

    def _settle(self, booked: Booked, attempt: Attempt) -> Announcements:
        row = settled_row(attempt, booked.reserved, timezone.now())
        if self._options.store_text and attempt.text is not None:
            row["answer_text"] = kept_text(attempt.text, self._options)
        try:
            return _persistently(LAST_PAUSES, partial(self._close, booked, row))
        except Exception as error:  # the answer is paid for: whatever happens here, its caller gets it
            logger.error(  # noqa: TRY400 - a traceback would show the row's values
                "Call %s/%s came to %s US dollars, but the ledger's database fails (%s). It stays in doubt.",
                booked.key["request_id"],
                booked.key["number"],
                row["cost"],
                type(error).__name__,
            )
            return ()

    def _close(self, booked: Booked, row: dict[str, Any], connection: BaseDatabaseWrapper, _: bool) -> Announcements:
        claims = booked.claims
        announcements: list[Callable[[], object]] = []
        with _as_one(connection, claims):
            if update(connection, row, {**booked.key, "outcome": "running"}):
                warned = self._budgets.settle(connection, claims, booked.reserved, row["cost"])
                if warned:
                    announcements.append(partial(announce_warnings, warned))
            elif update(connection, row, {**booked.key, "outcome": "lost"}):  # it took longer than anybody thought
                correct(connection, [claim.period_id for claim in claims], booked.reserved, row["cost"])
        if llm_call_finished.has_listeners():
            model = own_model("LlmCall")
            call = model._default_manager.using(connection.alias).get(**booked.key)
            call._state.db = ledger_alias()
            announcements.append(partial(llm_call_finished.send_robust, sender=model, call=call))
        return announcements


def _as_one(connection: BaseDatabaseWrapper, claims: Sequence[Claim]) -> AbstractContextManager[Any]:
    """A transaction, where there is more than one statement."""
    return transaction.atomic(using=connection.alias) if claims else nullcontext()


@borrowed()
def _announce(announcements: Announcements) -> None:
    for announce in announcements:
        announce()


def _persistently(pauses: Sequence[float], work: Callable[[BaseDatabaseWrapper, bool], Result]) -> Result:
    """What the work comes to on the ledger's connection; done again where the server was gone, or did not like it."""
    for number, pause in enumerate(pauses):
        is_callers = False
        try:
            with ledger_connection() as connection:
                is_callers = connection.in_atomic_block
                return work(connection, number > 0)
        except BROKEN:
            if is_callers:
                raise
        time.sleep(pause)
    with ledger_connection() as connection:
        return work(connection, True)
