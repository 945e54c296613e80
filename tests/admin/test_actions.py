import re
import time

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections

from creative_services.adapters import DjangoLLMRegistry, get_sync_client
from creative_services.adapters.probe import probe
from creative_services.adapters.snapshot import entry_of
from creative_services.core.errors import ProviderTimeoutError
from creative_services.core.ledger import NOBODY
from creative_services.models import Llms
from creative_services.testing import Failure, FakeProvider, LlmsFactory, Reply, override_llms

pytestmark = pytest.mark.django_db


def history():
    return [(str(entry), entry.user.username) for entry in LogEntry.objects.order_by("pk")]


def test_deactivated_rows_are_not_used_by_the_next_call(pages, row):
    other = LlmsFactory(name="Other")
    with override_llms():
        before = get_sync_client().generate("Hi").llm.name
        response = pages.act("deactivate", row)
        after = get_sync_client().generate("Hi").llm.name

    assert (before, after) == ("Mini", "Other")
    assert pages.said(response) == [("success", "1 LLM deactivated.")]
    assert list(Llms.objects.active()) == [other]


def test_activated_rows_are_used_by_the_next_call(pages, row):
    Llms.objects.update(is_active=False)
    registry = DjangoLLMRegistry()
    assert registry.list_active() == []

    response = pages.act("activate", row)

    assert [entry.name for entry in registry.list_active()] == ["Mini"]
    assert pages.said(response) == [("success", "1 LLM activated.")]


def test_only_rows_that_change_are_counted_and_noted_in_the_history(pages, row):
    asleep = LlmsFactory(is_active=False, name="Asleep")

    response = pages.act("deactivate", row, asleep)

    assert pages.said(response) == [("success", "1 LLM deactivated.")]
    assert history() == [("Changed “Mini” — Changed Active.", "admin")]


def test_a_copy_is_inactive_and_has_a_name_of_its_own(pages, row):
    pages.act("duplicate", row)
    response = pages.act("duplicate", row)

    copies = Llms.objects.exclude(pk=row.pk).order_by("pk")
    assert [(copy.name, copy.is_active, copy.model) for copy in copies] == [
        ("Mini (copy)", False, "mini"),
        ("Mini (copy 2)", False, "mini"),
    ]
    assert pages.said(response)[-1] == ("success", "Mini was copied as Mini (copy 2), inactive.")
    assert history()[0] == ("Added “Mini (copy)”.", "admin")
    row.refresh_from_db()
    assert row.is_active


def test_a_copy_can_do_what_the_row_can(pages, row):
    Llms.objects.update(context_window=8192, supports_images=False, supports_tools=True)

    pages.act("duplicate", row)

    copy = Llms.objects.get(is_active=False)
    assert (copy.context_window, copy.supports_images, copy.supports_tools) == (8192, False, True)
    assert copy.supports_json_schema is None


def test_a_copied_key_serves_the_same_host_and_no_other(pages, row):
    pages.act("duplicate", row)
    copy = Llms.objects.get(is_active=False)
    Llms.objects.filter(pk=copy.pk).update(is_active=True)
    same = DjangoLLMRegistry().get_by_id(copy.pk)

    refused = pages.save(copy, api_endpoint="https://elsewhere.example/v1", is_active="on")
    Llms.objects.filter(pk=copy.pk).update(api_endpoint="https://elsewhere.example/v1")
    moved = DjangoLLMRegistry().get_by_id(copy.pk)

    assert same.api_key == "sk-the-secret-of-mini-4321"
    assert "api_key" in refused.context["adminform"].form.errors
    assert moved.api_key is None
    assert "another host" in moved.unusable


def test_a_long_name_is_cut_to_make_room(pages):
    row = LlmsFactory(name="x" * 200)

    pages.act("duplicate", row)

    assert Llms.objects.get(is_active=False).name == "x" * 193 + " (copy)"


def test_a_row_that_may_not_be_saved_is_not_copied(pages, row):
    Llms.objects.update(api_endpoint="http://127.0.0.1/v1")

    response = pages.act("duplicate", row)

    assert Llms.objects.count() == 1
    assert [level for level, _ in pages.said(response)] == ["error"]


def test_testing_asks_for_a_few_tokens_and_tells_what_came(pages, row):
    Llms.objects.update(cost_per_1k_input=0.001, cost_per_1k_output=0.002)
    with override_llms(provider=FakeProvider(Reply("OK", delay=0.02))) as provider:
        response = pages.act("test_connection", row)

    [(level, text)] = pages.said(response)
    assert level == "success"
    assert text.startswith("Mini answered: 0.0")
    assert text.endswith(" s, 5 tokens, $0.000013.")
    assert len(provider.requests) == 1
    assert 16 in provider.requests[0].json.values()


def test_testing_works_for_inactive_rows(pages, row):
    Llms.objects.update(is_active=False)
    with override_llms(provider=FakeProvider(Reply("OK", usage=None))):
        response = pages.act("test_connection", row)

    [(level, text)] = pages.said(response)
    assert level == "success"
    assert "token" not in text
    assert "$" not in text


def test_testing_shows_errors_without_what_the_provider_or_the_key_said(pages, row):
    LlmsFactory(name="Keyless", api_key=None)
    told = Failure(401, "Incorrect key sk-the-secret-of-mini-4321")
    with override_llms(provider=FakeProvider(told)) as provider:
        response = pages.act("test_connection", *Llms.objects.all())

    said = pages.said(response)
    assert [level for level, _ in said] == ["error", "error"]
    assert "Mini" in said[0][1]
    assert re.search(r"\(after 0\.\d\d s\)$", said[0][1])
    assert "'Keyless' has no API key" in said[1][1]
    assert "sk-the-secret" not in str(said)
    assert "Incorrect" not in str(said)
    assert len(provider.requests) == 1


def test_testing_asks_each_row_once_and_does_not_retry(pages, row):
    with override_llms(provider=FakeProvider(Failure(500))) as provider:
        pages.act("test_connection", row)

    assert len(provider.requests) == 1


def test_ten_slow_rows_are_tested_in_the_time_of_one(pages):
    rows = LlmsFactory.create_batch(10)
    with override_llms(provider=FakeProvider(Reply("OK", delay=0.4))):
        began = time.monotonic()
        response = pages.act("test_connection", *rows)
        took = time.monotonic() - began

    assert [level for level, _ in pages.said(response)] == ["success"] * 10
    assert took < 2


def test_rows_that_never_answer_are_given_up_in_time(row):
    with override_llms(provider=FakeProvider(Reply("OK", delay=30))):
        began = time.monotonic()
        [result] = probe([entry_of(row)], seconds=0.2, caller=NOBODY)
        took = time.monotonic() - began

    assert isinstance(result.outcome, ProviderTimeoutError)
    assert 0.1 < result.latency_seconds <= took < 2


def test_more_than_ten_rows_are_not_asked_at_all(pages):
    rows = LlmsFactory.create_batch(11)
    with override_llms() as provider:
        response = pages.act("test_connection", *rows)

    assert pages.said(response) == [("error", "Choose at most 10 LLMs to test at once.")]
    assert provider.requests == []


@pytest.mark.parametrize("action", ["activate", "deactivate", "duplicate", "test_connection"])
def test_actions_need_the_permission_to_change(pages_of, row, action):
    pages = pages_of("view")
    with override_llms() as provider:
        pages.act(action, row)

    assert provider.requests == []
    assert list(Llms.objects.values_list("is_active", flat=True)) == [True]


def test_the_permission_to_change_is_enough_for_a_test(pages_of, row):
    with override_llms() as provider:
        response = pages_of("view", "change").act("test_connection", row)

    assert len(provider.requests) == 1
    assert "duplicate" not in pages_of("change").list().content.decode()
    assert response.status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic_requests", [True, False])
def test_no_transaction_is_open_and_no_connection_held_while_a_provider_talks(pages, row, atomic_requests):
    seen = []
    # The provider is asked on an event loop; what counts is the connection of the page's own thread.
    own = connections["default"]

    def look(request):
        seen.append((own.in_atomic_block, own.connection is None))
        return "OK"

    own.settings_dict["ATOMIC_REQUESTS"] = atomic_requests
    try:
        with override_llms(provider=FakeProvider(look)):
            pages.act("test_connection", row)
    finally:
        own.settings_dict["ATOMIC_REQUESTS"] = False

    [(in_transaction, given_back)] = seen
    assert not in_transaction
    # A database in memory would be lost with its connection, so Django keeps that one.
    assert given_back or own.is_in_memory_db()
