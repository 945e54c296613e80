"""A middleware at the end that spares all others their ways to a thread and back under ASGI."""

import inspect

import pytest
from django.utils.decorators import sync_and_async_middleware

ON_ONE_THREAD = "creative_services.middleware.on_one_thread"
PROBE = f"{__name__}.probe"


@sync_and_async_middleware
def probe(get_response):
    """As Django's own are: async where the next one is, and then it takes a way to a thread for each of its hooks."""
    if not inspect.iscoroutinefunction(get_response):
        return lambda request: noting(get_response(request), "sync")

    async def aprobe(request):
        return noting(await get_response(request), "async")

    return aprobe


def noting(response, how):
    response["x-probe"] = how
    return response


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("last", [[], [ON_ONE_THREAD]])
def test_those_before_it_know_of_no_async_and_answers_are_the_same(asker, provider, settings, stream, last):
    provider.answer_with("Hello to you")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, PROBE, *last]

    told = asker.generate(prompt="Hello", stream=stream)

    assert told.status == 200
    assert told.headers["x-probe"] == ("async" if asker.world == "asgi" and not last else "sync")
    assert b"to you" in told.body
