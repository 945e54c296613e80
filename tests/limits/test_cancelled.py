"""Calls that are cancelled while they are being admitted: they hold no place that others wait for."""

import asyncio
import threading

import pytest

from creative_services.adapters.limited_ledger import LimitedLedger
from creative_services.adapters.rates import RateLimits
from creative_services.core.errors import LedgerUnavailableError
from creative_services.core.types import Attempt
from tests.core.asking import entry
from tests.ledger.plans import planned

ONE_AT_ONCE = planned(entry=entry(1, "cheap", calls_at_once=1))


class Slow(RateLimits):
    """Limits whose cache takes its time once."""

    def __init__(self):
        super().__init__()
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def hold(self):
        self.has_begun.set()
        self.may_go_on.wait(5)


class SlowToAdmit(Slow):
    def admit(self, planned):
        permit = super().admit(planned)
        self.hold()
        return permit


class SlowToWithdraw(Slow):
    def withdraw(self, permit):
        self.hold()
        super().withdraw(permit)


class Refusing:
    """A ledger that books nothing."""

    async def areserve(self, planned):
        raise LedgerUnavailableError("no row is taken")


@pytest.fixture(autouse=True)
def own_cache(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "left"}}


def cancelled_while_held(rates, ledger=None):
    """Reserve, and cancel that twice while the cache takes its time."""

    async def cancel():
        task = asyncio.create_task(LimitedLedger(ledger, rates).areserve(ONE_AT_ONCE))
        await asyncio.to_thread(rates.has_begun.wait, 5)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
        rates.may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_one_that_is_cancelled_while_it_is_being_admitted_gives_its_place_back():
    cancelled_while_held(SlowToAdmit())

    assert RateLimits().refusal(ONE_AT_ONCE) is None


def test_one_that_is_cancelled_while_its_place_is_given_back_does_not_go_on_to_the_next_llm():
    cancelled_while_held(SlowToWithdraw(), Refusing())

    assert RateLimits().refusal(ONE_AT_ONCE) is None


@pytest.mark.parametrize("turns", range(1, 5))
def test_one_that_a_loop_that_ends_cancels_while_it_is_settled_gives_its_place_back(turns):
    async def leave_the_loop():
        ledger = LimitedLedger(None, RateLimits())
        reservation = await ledger.areserve(ONE_AT_ONCE)
        assert RateLimits().refusal(ONE_AT_ONCE) is not None
        settling = asyncio.create_task(ledger.asettle(reservation, Attempt(1, "cheap", "cancelled")))
        for _ in range(turns):
            await asyncio.sleep(0)
        return settling

    assert asyncio.run(leave_the_loop()).done()

    assert RateLimits().refusal(ONE_AT_ONCE) is None
