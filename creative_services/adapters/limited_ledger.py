"""The ledger behind the limits: what these refuse is not booked and not asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from creative_services.adapters.finishing import to_the_end

if TYPE_CHECKING:
    from creative_services.adapters.ledger import DjangoLedger
    from creative_services.adapters.rates import Permit, RateLimits
    from creative_services.core.errors import CreativeServicesError
    from creative_services.core.ledger import PlannedAttempt
    from creative_services.core.types import Attempt


class LimitedLedger:
    """A ledger that books only what the limits admit; without a ledger it only limits."""

    def __init__(self, ledger: DjangoLedger | None, rates: RateLimits) -> None:
        self._ledger = ledger
        self._rates = rates

    @property
    def stores_text(self) -> bool:
        """Whether the ledger wants to have the answer's text."""
        return self._ledger is not None and self._ledger.stores_text

    def refusal(self, planned: PlannedAttempt) -> CreativeServicesError | None:
        """What `reserve` would raise."""
        refused: CreativeServicesError | None = self._rates.refusal(planned)
        if refused is None and self._ledger is not None:
            refused = self._ledger.refusal(planned)
        return refused

    def reserve(self, planned: PlannedAttempt) -> tuple[Permit | None, Any]:
        """Admit it, and book what it may cost at most."""
        permit = self._rates.admit(planned) if self._rates.quotas(planned) else None
        try:
            return permit, None if self._ledger is None else self._ledger.reserve(planned)
        except BaseException:
            if permit is not None:
                self._rates.withdraw(permit)
            raise

    def settle(self, reservation: tuple[Permit | None, Any], attempt: Attempt) -> None:
        """Let the next one in, and book what it did cost."""
        permit, booked = reservation
        if permit is not None:
            self._rates.release(permit, attempt)
        if self._ledger is not None:
            self._ledger.settle(booked, attempt)

    async def arefusal(self, planned: PlannedAttempt) -> CreativeServicesError | None:
        """`refusal`, awaited."""
        return await sync_to_async(self.refusal)(planned)

    async def areserve(self, planned: PlannedAttempt) -> tuple[Permit | None, Any]:
        """`reserve`, awaited; cancelled, it takes back what it has counted."""
        permit = None
        if self._rates.quotas(planned):
            permit, was_cancelled = await to_the_end(self._rates.admit, planned)
            if was_cancelled:
                await to_the_end(self._rates.withdraw, permit)
                raise asyncio.CancelledError
        try:
            return permit, None if self._ledger is None else await self._ledger.areserve(planned)
        except BaseException as error:
            if permit is not None:
                _, was_cancelled = await to_the_end(self._rates.withdraw, permit)
                if was_cancelled:
                    raise asyncio.CancelledError from error
            raise

    async def asettle(self, reservation: tuple[Permit | None, Any], attempt: Attempt) -> None:
        """`settle`, awaited."""
        permit, booked = reservation
        was_cancelled = False
        try:
            if permit is not None:
                _, was_cancelled = await to_the_end(self._rates.release, permit, attempt)
        finally:  # where no thread is left to do that, it is booked all the same
            if self._ledger is not None:
                await self._ledger.asettle(booked, attempt)
        if was_cancelled:
            raise asyncio.CancelledError
