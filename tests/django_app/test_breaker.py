"""That the project's clients leave failing LLMs alone, and tell each other."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache

from creative_services.adapters import get_client, get_sync_client
from creative_services.adapters.clients import get_breaker
from creative_services.core.errors import AuthenticationError
from creative_services.testing import Failure
from tests.django_app.rows import local
from tests.loopback import LoopbackProvider

pytestmark = pytest.mark.django_db(transaction=True)


def ask(**arguments):
    with get_sync_client() as client:
        return client.generate("Hi", **arguments)


def ask_async(**arguments):
    async def call():
        async with get_client() as client:
            return await client.generate("Hi", **arguments)

    return async_to_sync(call)()


@pytest.fixture(autouse=True)
def own_cache(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "own"}}
    settings.CREATIVE_SERVICES = {}
    yield
    cache.clear()


@pytest.mark.parametrize(("first", "second"), [(ask, ask_async), (ask_async, ask)])
def test_what_one_client_finds_out_the_other_knows(first, second):
    with LoopbackProvider(Failure(401)) as sick, LoopbackProvider("Hello") as well:
        row = local(name="Sick", api_endpoint=sick.url, cost_per_1k_input=1)
        local(name="Well", api_endpoint=well.url, cost_per_1k_input=2)

        assert first(tier="local").llm.name == "Well"
        assert second(tier="local").llm.name == "Well"
        assert len(sick.requests) == 1

        with pytest.raises(AuthenticationError):
            second(llm_id=row.pk)
    assert len(sick.requests) == 2


def test_another_cache_is_another_breaker(settings):
    before = get_breaker()

    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

    assert get_breaker() is not before


def test_an_llm_that_all_calls_share_is_asked_although_it_cools():
    with LoopbackProvider([Failure(401), "Hello"]) as provider:
        local(api_endpoint=provider.url)
        with pytest.raises(AuthenticationError):
            ask(tier="local")

        assert ask(tier="local").text == "Hello"


def test_many_calls_at_once_agree_on_one_probe():
    with LoopbackProvider(Failure(503)) as sick, LoopbackProvider("Hello") as well:
        local(name="Sick", api_endpoint=sick.url, cost_per_1k_input=1)
        local(name="Well", api_endpoint=well.url, cost_per_1k_input=2)

        async def calls():
            async with get_client() as client:
                first = await client.generate("Hi", tier="local")
                return [first, *await asyncio.gather(*(client.generate("Hi", tier="local") for _ in range(20)))]

        answers = async_to_sync(calls)()

    assert {answer.llm.name for answer in answers} == {"Well"}
    assert len(sick.requests) == 3
