"""Calls through the process's clients, sync and async, whole and streamed, with the rows that they leave."""

from contextlib import suppress

import pytest
from asgiref.sync import async_to_sync

from creative_services.adapters import get_client, get_sync_client
from creative_services.core.errors import CreativeServicesError
from creative_services.models import LlmCall


def generate_sync(**arguments):
    return get_sync_client().generate("Hi", **arguments)


def generate_async(**arguments):
    return async_to_sync(get_client().generate)("Hi", **arguments)


def stream_sync(*, chunks=1000, **arguments):
    with get_sync_client().stream("Hi", **arguments) as stream:
        for _, chunk in zip(range(chunks), stream, strict=False):
            del chunk


def stream_async(*, chunks=1000, **arguments):
    async def read():
        seen = 0
        async with get_client().stream("Hi", **arguments) as stream:
            async for _ in stream:
                seen += 1
                if seen >= chunks:
                    break

    async_to_sync(read)()


generating = pytest.mark.parametrize("generate", [generate_sync, generate_async])
streaming = pytest.mark.parametrize("stream", [stream_sync, stream_async])


def booked(ask, **arguments):
    """The rows of one call, in the order of its attempts, whether or not it succeeds."""
    before = set(LlmCall.objects.values_list("pk", flat=True))
    with suppress(CreativeServicesError):
        ask(**arguments)
    return list(LlmCall.objects.exclude(pk__in=before).order_by("number"))
