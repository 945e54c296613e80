"""A client that leaves under ASGI, wherever the answer is just then: the provider's exchange is closed."""

import asyncio
import base64
import gc
import json
import time
from decimal import Decimal

import django.core.asgi
import pytest
from asgiref.sync import async_to_sync
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import AsyncClient, Client, override_settings

from creative_services import asgi
from creative_services.models import Budget, LlmCall
from creative_services.signals import budget_exceeded
from creative_services.testing import Failure, Reply
from tests.api.asking import CHAT, GENERATE

BODIES = {
    GENERATE: {"prompt": "Hello"},
    CHAT: {"model": "standard", "messages": [{"role": "user", "content": "Hello"}]},
}
every_path = pytest.mark.parametrize("path", BODIES)


@pytest.fixture
def transaction_of_the_test():
    """Keep the test's own transaction: a real server closes connections around each request, as Django asks it to."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(params=[django.core.asgi, asgi], ids=["django's", "ours"])
def application(request, transaction_of_the_test):
    return request.param.get_asgi_application()


ENDLESS = Reply(["word "] * 1000, pause=0.01)


class LeavingClient:
    """Talks ASGI to the application, and leaves once it has been sent `events` events; it reads none after that."""

    def __init__(self, application, user, events, path):
        self.application = application
        user.set_password("sesame")
        user.save()
        self.token = base64.b64encode(f"{user.get_username()}:sesame".encode()).decode()
        self.events = events
        self.path = path
        self.sent = []
        self.has_asked = False

    def ask(self, **body):
        self.body = json.dumps(BODIES[self.path] | body).encode()
        headers = {"content-type": "application/json", "authorization": f"Basic {self.token}"}
        scope = {
            "type": "http",
            "method": "POST",
            "path": self.path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        async_to_sync(self._run)(scope)

    async def _run(self, scope):
        self.leaving = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        await asyncio.wait_for(self.application(scope, self._receive, self._send), timeout=60)

    def leave(self):
        self.loop.call_soon_threadsafe(self.leaving.set)

    async def _receive(self):
        if not self.has_asked:
            self.has_asked = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.sent.append(message)
        if len(self.sent) > self.events:
            self.leaving.set()
            await asyncio.sleep(90)


@every_path
@pytest.mark.parametrize("events", [0, 1, 2, 5])
def test_a_client_that_reads_no_more_and_leaves_ends_the_exchange(application, caller, provider, events, path):
    provider.answer_with(ENDLESS)
    client = LeavingClient(application, caller, events, path)

    client.ask(stream=True)

    assert len(client.sent) == events + 1
    assert provider.open_exchanges == 0


@every_path
def test_a_client_that_leaves_before_the_first_word_ends_the_exchange(application, caller, provider, path):
    client = LeavingClient(application, caller, 0, path)

    def leave_soon(received):
        client.leave()
        return Reply("Late", delay=90)

    provider.answer_with(leave_soon)
    client.ask(stream=True)

    assert client.sent == []
    assert provider.open_exchanges == 0
    assert LlmCall.objects.get().outcome == "cancelled"


@every_path
def test_for_a_client_that_leaves_while_it_is_booked_nobody_is_asked(application, caller, provider, path):
    client = LeavingClient(application, caller, 0, path)
    Budget.objects.create(name="Team", limit=Decimal("0.000001"), is_hard=False)

    def leave(**_):
        client.leave()
        time.sleep(0.3)

    budget_exceeded.connect(leave)
    client.ask(stream=True)
    budget_exceeded.disconnect(leave)

    assert (client.sent, provider.requests) == ([], [])
    assert list(LlmCall.objects.values_list("outcome", "cost")) == [("cancelled", 0)]


@every_path
@pytest.mark.parametrize("reply", [Reply("Late", delay=0.2), Failure(401, delay=0.2)])
def test_a_whole_answer_runs_to_its_end_and_is_booked_although_the_client_has_left(
    application, caller, provider, path, reply, caplog
):
    client = LeavingClient(application, caller, 0, path)

    def leave_soon(received):
        client.leave()
        return reply

    provider.answer_with({"cheap-1": leave_soon, "dear-1": leave_soon})
    client.ask()

    assert client.sent == []
    assert provider.open_exchanges == 0
    outcomes = {"error"} if isinstance(reply, Failure) else {"ok"}
    assert set(LlmCall.objects.values_list("outcome", flat=True)) == outcomes
    gc.collect()
    assert "never retrieved" not in caplog.text


# Without the ledger, which would book on another connection than the one with the test's transaction, and wait for it.
@every_path
@override_settings(CREATIVE_SERVICES={"LEDGER": False})
def test_a_test_that_reads_only_the_first_events_leaves_nothing_open(caller, provider, path):
    provider.answer_with(ENDLESS)

    async def read_one():
        client = AsyncClient()
        await client.aforce_login(caller)
        response = await client.post(path, BODIES[path] | {"stream": True}, "application/json")
        events = response.streaming_content
        first = await anext(events)
        await events.aclose()
        await asyncio.sleep(0)
        return first

    assert async_to_sync(read_one)().startswith((b"event: chunk\n", b"data: {"))
    assert provider.open_exchanges == 0


@every_path
def test_a_client_that_leaves_a_wsgi_server_ends_the_exchange(caller, provider, path):
    provider.answer_with(ENDLESS)
    client = Client()
    client.force_login(caller)

    response = client.post(path, BODIES[path] | {"stream": True}, "application/json")
    assert provider.open_exchanges == 1
    response.close()

    assert provider.open_exchanges == 0
