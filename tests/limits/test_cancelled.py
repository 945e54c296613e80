"""Calls that are cancelled while they are being admitted: they hold no place that others wait for."""

import asyncio
import threading

import pytest

from creative_services.adapters.limited_ledger import LimitedLedger
from creative_services.adapters.rates import RateLimits
from tests.core.asking import entry
from tests.ledger.plans import planned

ONE_AT_ONCE = planned(entry=entry(1, "cheap", calls_at_once=1))


class Slow(RateLimits):
    """Limits whose cache takes its time once."""

    def __init__(self):
        super().__init__()
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def admit(self, planned):
        permit = super().admit(planned)
        self.has_begun.set()
        self.may_go_on.wait(5)
        return permit


@pytest.fixture(autouse=True)
def own_cache(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "left"}}


def test_one_that_is_cancelled_while_it_is_being_admitted_gives_its_place_back():
    rates = Slow()

    async def cancel():
        task = asyncio.create_task(LimitedLedger(None, rates).areserve(ONE_AT_ONCE))
        await asyncio.to_thread(rates.has_begun.wait, 5)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
        rates.may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert RateLimits().refusal(ONE_AT_ONCE) is None
