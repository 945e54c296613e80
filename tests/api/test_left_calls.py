"""Callers of the API who leave, and requests that are rolled back: the calls are booked all the same."""

import pytest
from django.core.asgi import get_asgi_application
from django.db import connection
from django.test import Client

from creative_services.models import LlmCall
from creative_services.testing import Reply
from tests.api.asking import GENERATE
from tests.api.test_leaving import ENDLESS, LeavingClient
from tests.ledger.wrapping import failing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def atomic_requests():
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.parametrize("events", [0, 1, 3])
@pytest.mark.usefixtures("atomic_requests")
def test_a_browser_that_is_closed_during_a_stream_leaves_a_row(caller, provider, events):
    provider.answer_with(ENDLESS)

    LeavingClient(get_asgi_application(), caller, events, GENERATE).ask(stream=True)

    row = LlmCall.objects.get()
    assert (row.outcome, row.source, row.user_id, row.is_stream) == ("cancelled", "api", caller.pk, True)
    assert (row.cost, row.is_estimated) == (row.reserved, True)


@pytest.mark.usefixtures("atomic_requests")
def test_a_browser_that_is_closed_before_an_answer_leaves_a_row_of_what_it_came_to(caller, provider):
    client = LeavingClient(get_asgi_application(), caller, 0, GENERATE)

    def leave_soon(received):
        client.leave()
        return Reply("Late", delay=0.2)

    provider.answer_with(leave_soon)
    client.ask()

    row = LlmCall.objects.get()
    assert (row.outcome, row.is_estimated) == ("ok", False)


@pytest.mark.usefixtures("atomic_requests")
def test_a_client_that_leaves_a_wsgi_server_leaves_a_row(caller, provider):
    provider.answer_with(ENDLESS)
    client = Client()
    client.force_login(caller)

    client.post(GENERATE, {"prompt": "Hello", "stream": True}, "application/json").close()

    assert LlmCall.objects.get().outcome == "cancelled"


def test_while_the_ledger_is_down_nobody_is_asked(asker, provider):
    with failing("INSERT", times=99):
        told = asker.generate(prompt="Hello")

    assert (told.status, told.code) == (503, "ledger_unavailable")
    assert provider.requests == []
