"""What callers take back, the ledger keeps. On SQLite the ledger needs a database of its own for that."""

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path

from creative_services import Caller
from creative_services.adapters import get_sync_client
from creative_services.models import LlmCall, Llms
from creative_services.testing import LlmsFactory, Reply, override_llms
from tests.ledger.asking import booked, generating, streaming

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "elsewhere"])

IS_SQLITE = connection.vendor == "sqlite"
OWN = {"LEDGER_DATABASE": "elsewhere"} if IS_SQLITE else {}


def failing(request):
    get_sync_client().generate("Hi")
    raise RuntimeError("after the answer")


def taking_back(request):
    get_sync_client().generate("Hi")
    transaction.set_rollback(True)
    return HttpResponse("fine")


def streaming_view(request):
    stream = get_sync_client().stream("Hi")
    next(stream)
    stream.close()
    raise RuntimeError("after the first word")


URLS = ModuleType("urls")
URLS.urlpatterns = [
    path("failing/", failing),
    path("taking_back/", taking_back),
    path("streaming/", streaming_view),
]


@pytest.fixture(autouse=True)
def provider(settings):
    settings.CREATIVE_SERVICES = OWN
    LlmsFactory(name="Mini", cost_per_1k_input=1, cost_per_1k_output=1)
    with override_llms() as provider:
        provider.answer_with(Reply(["Hello", " you"]))
        yield provider


@pytest.fixture
def atomic_requests():
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    with override_settings(ROOT_URLCONF=URLS):
        yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize(("view", "outcome"), [("failing", "ok"), ("taking_back", "ok"), ("streaming", "cancelled")])
def test_a_view_that_is_rolled_back_leaves_its_rows(view, outcome):
    Client(raise_request_exception=False).get(f"/{view}/")

    assert [row.outcome for row in LlmCall.objects.all()] == [outcome]


@generating
def test_a_block_that_is_rolled_back_leaves_its_rows(generate):
    with transaction.atomic():
        LlmsFactory(name="Taken back", cost_per_1k_input=9, cost_per_1k_output=9)
        [row] = booked(generate)
        transaction.set_rollback(True)

    assert LlmCall.objects.get() == row
    assert (row.outcome, Llms.objects.count()) == ("ok", 1)


@generating
def test_a_call_on_commit_and_one_whose_commit_never_comes_are_there(generate):
    with transaction.atomic():
        transaction.on_commit(generate)

    class NeverError(Exception):
        pass

    with pytest.raises(NeverError), transaction.atomic():  # noqa: PT012 - what it is about
        transaction.on_commit(generate)
        generate()
        raise NeverError

    assert [row.outcome for row in LlmCall.objects.all()] == ["ok", "ok"]


@streaming
def test_a_stream_that_is_left_inside_of_a_block_is_there(stream):
    with transaction.atomic():
        stream(chunks=1)
        transaction.set_rollback(True)

    assert [row.outcome for row in LlmCall.objects.all()] == ["cancelled"]


@generating
def test_rows_that_the_caller_has_locked_or_not_committed_yet_do_not_matter(generate, django_user_model):
    with transaction.atomic():
        user = django_user_model.objects.create_user("new")
        list(Llms.objects.select_for_update())
        [row] = booked(generate, caller=Caller(user_id=user.pk))

    assert row.user_id == user.pk


def outcomes_seen_by_others():
    def read():
        try:
            return list(LlmCall.objects.values_list("outcome", flat=True))
        finally:
            for one in connections.all(initialized_only=True):
                one.close()
                if one.connection is not None:  # Django keeps databases in memory open; this thread's handle can go
                    one.connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(read).result()


@generating
def test_everybody_sees_the_row_before_the_provider_is_asked(generate, provider):
    seen = []

    def look(request):
        seen.extend(outcomes_seen_by_others())
        return "Hello"

    provider.answer_with(look)
    with transaction.atomic():
        generate()

    assert seen == ["running"]
    assert outcomes_seen_by_others() == ["ok"]
