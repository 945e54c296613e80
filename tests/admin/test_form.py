import re
import sys

import pytest
from django.contrib.admin.models import LogEntry
from django.core.signals import got_request_exception
from django.db import connection
from django.db.models.signals import pre_save
from django.test import override_settings
from django.views.debug import ExceptionReporter

from creative_services.adapters import DjangoLLMRegistry
from creative_services.models import Llms

pytestmark = pytest.mark.django_db

KEY = "sk-typed-by-an-admin-7788"


def faults(response):
    return response.context["adminform"].form.errors


def key_in_use(row):
    return DjangoLLMRegistry().get_by_id(row.pk).api_key


def test_a_new_llm_answers_after_it_was_saved(pages):
    response = pages.save(None, name="New", tier="standard", provider="openai", model="gpt", api_key=KEY)

    assert response.status_code == 302
    assert key_in_use(Llms.objects.get(name="New")) == KEY


def test_a_stored_key_is_described_and_never_in_the_page(pages, row):
    page = pages.form(row).content.decode()

    assert "set, ends in …4321" in page
    assert "sk-the-secret" not in page
    assert "cs1:" not in page


def test_an_empty_box_keeps_the_key(pages, row):
    pages.save(row, model="other")

    row.refresh_from_db()
    assert row.model == "other"
    assert key_in_use(row) == "sk-the-secret-of-mini-4321"


@pytest.mark.parametrize("emptied", ["", "null", "{}"])
def test_emptied_extra_parameters_are_none(pages, row, emptied):
    assert pages.save(row, extra_params='{"top_p": 0.5}').status_code == 302
    assert pages.save(row, extra_params=emptied).status_code == 302

    row.refresh_from_db()
    assert row.extra_params == {}


def test_a_typed_key_replaces_the_stored_one(pages, row):
    pages.save(row, api_key=f" {KEY} ")

    assert key_in_use(row) == KEY


def test_the_tick_box_removes_the_key(pages, row):
    pages.save(row, **{"api_key-remove": "on"})

    assert key_in_use(row) is None
    assert Llms.objects.get().key_hint == "none"


def test_the_key_can_be_a_reference(pages, row, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")

    pages.save(row, api_key="env:OPENAI_API_KEY")

    assert key_in_use(row) == "sk-of-the-environment"
    assert "from OPENAI_API_KEY" in pages.form(row).content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"api_endpoint": "https://elsewhere.example/v1"},
        {"provider": "groq"},
        {"api_endpoint": "http://api.openai.com/v1"},
        {"api_endpoint": "https://api.openai.com:8443/v1"},
    ],
)
def test_another_host_wants_the_key_anew(pages, row, change):
    refused = pages.save(row, **change)

    assert "api_key" in faults(refused)
    assert key_in_use(row) == "sk-the-secret-of-mini-4321"
    assert pages.save(row, **change, api_key=KEY).status_code == 302
    assert key_in_use(row) == KEY


def test_another_host_is_fine_without_the_key(pages, row):
    assert pages.save(row, provider="groq", **{"api_key-remove": "on"}).status_code == 302
    assert Llms.objects.get().api_key is None


def test_another_path_of_the_same_host_keeps_the_key(pages, row):
    assert pages.save(row, api_endpoint="https://api.openai.com/v1/other").status_code == 302
    assert key_in_use(row) == "sk-the-secret-of-mini-4321"


def test_a_form_with_an_error_still_says_what_is_known_of_the_key(pages, row):
    refused = pages.save(row, max_tokens="0", api_key=KEY, **{"api_key-remove": "on"})
    page = refused.content.decode()

    assert "max_tokens" in faults(refused)
    assert "set, ends in …4321" in page
    assert KEY not in page


def test_a_ticked_removal_stays_ticked_after_an_error(pages, row):
    page = pages.save(row, max_tokens="0", **{"api_key-remove": "on"}).content.decode()

    assert re.search(r'<input type="checkbox" name="api_key-remove"[^>]* checked', page)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"provider": ""}, "provider"),
        ({"wire": "telex"}, "wire"),
        ({"temperature": "2.5"}, "temperature"),
        ({"cost_per_1k_input": "-1"}, "cost_per_1k_input"),
        ({"cost_per_1k_input": "nan"}, "cost_per_1k_input"),
        ({"max_tokens": "99999999999999999999"}, "max_tokens"),
        ({"context_window": "0"}, "context_window"),
        ({"context_window": "-5"}, "context_window"),
        ({"context_window": "2000000000"}, "context_window"),
        ({"context_window": "128k"}, "context_window"),
        ({"tier": "golden"}, "tier"),
        ({"tier": "local"}, "api_endpoint"),
        ({"api_endpoint": "http://169.254.169.254/latest"}, "api_endpoint"),
        ({"api_endpoint": "http://[::1"}, "api_endpoint"),
        ({"api_endpoint": "ftp://files.example"}, "api_endpoint"),
        ({"api_key": "two\nlines"}, "api_key"),
        ({"api_key": "schlüssel"}, "api_key"),
        ({"api_key": "sk-\0"}, "api_key"),
        ({"api_key": "env:NOT A NAME"}, "api_key"),
        ({"api_key": "env:DJANGO_SECRET_KEY"}, "api_key"),
        ({"api_key": "env:OPENAI_API_KEY", "api_endpoint": "https://elsewhere.example/v1"}, "api_key"),
        ({"extra_params": "[1]"}, "extra_params"),
        ({"extra_params": "{"}, "extra_params"),
        ({"extra_params": "[]"}, "extra_params"),
        ({"extra_params": '""'}, "extra_params"),
        ({"extra_params": '{"a": NaN}'}, "extra_params"),
        ({"extra_params": '{"a": -1e999}'}, "extra_params"),
        ({"extra_params": '{"a": %s}' % ("9" * 5000)}, "extra_params"),
        ({"extra_params": '{"a": %s}' % ("[" * 90 + "]" * 90)}, "extra_params"),
        ({"extra_params": '{"a": %s}' % ("[" * 9000 + "]" * 9000)}, "extra_params"),
        ({"extra_params": '{"a": "\\u0000"}'}, "extra_params"),
        ({"extra_params": '{"a": "\\ud800"}'}, "extra_params"),
        ({"name": "Nul\0"}, "name"),
        ({"model": ""}, "model"),
    ],
)
def test_bad_input_is_an_error_at_its_field(pages, row, change, field):
    response = pages.save(row, **change)

    assert response.status_code == 200
    assert set(faults(response)) == {field}
    assert Llms.objects.get().model == "mini"


def test_an_unknown_provider_is_fine_with_an_endpoint(pages):
    response = pages.save(
        None, name="Own", tier="premium", provider="our-vllm", model="m", api_endpoint="https://llm.example/v1"
    )

    assert response.status_code == 302


def test_providers_are_suggested_without_a_script(pages, row):
    page = pages.form(row).content.decode()

    assert re.search(r'<input type="text" name="provider" [^>]*list="id_provider_suggestions"', page)
    assert '<datalist id="id_provider_suggestions"><option value="anthropic">' in page


def test_the_wire_format_is_a_choice_that_keeps_what_is_stored(pages, row):
    Llms.objects.update(wire="from_another_version")

    pages.save(row, notes="Seen")

    page = pages.form(row).content.decode()
    assert Llms.objects.get().wire == "from_another_version"
    assert '<option value="openai_chat">' in page


def test_what_an_llm_can_do_is_told_or_left_unknown(pages, row):
    names = ("context_window", "supports_images", "supports_tools", "supports_json_schema")

    pages.save(row, context_window="128000", supports_images="true", supports_tools="false")
    told = pages.form(row).content.decode()
    pages.save(row, notes="Seen")

    assert re.search(r'name="supports_images".*?<option value="unknown">Unknown</option>', told, re.DOTALL)
    entry = DjangoLLMRegistry().get_by_id(row.pk)
    assert [getattr(entry, name) for name in names] == [128_000, True, False, None]
    pages.save(row, **dict.fromkeys(names[1:], "unknown"), context_window="")
    entry = DjangoLLMRegistry().get_by_id(row.pk)
    assert [getattr(entry, name) for name in names] == [None] * 4


def test_a_small_price_is_written_in_full(pages, row):
    Llms.objects.update(cost_per_1k_input=0.00005, cost_per_1k_output=5e-08)

    page = pages.form(row).content.decode()

    assert 'value="0.00005"' in page
    assert 'value="0.00000005"' in page


def test_the_history_says_what_changed_and_holds_no_secret(pages, row):
    pages.save(row, api_key=KEY, notes="New key")
    pages.save(row, **{"api_key-remove": "on"})
    pages.save(row)

    messages = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert messages == ["Changed API key and Notes.", "Changed API key.", "No fields changed."]
    stored = str(list(LogEntry.objects.values()))
    assert "sk-" not in stored
    assert "cs1:" not in stored


def test_what_others_changed_meanwhile_stays(pages, row):
    def meanwhile(**_):
        Llms.objects.update(notes="Written meanwhile", cost_per_1k_input=9)

    pre_save.connect(meanwhile, sender=Llms)
    try:
        pages.save(row, model="other")
    finally:
        pre_save.disconnect(meanwhile, sender=Llms)

    saved = Llms.objects.get()
    assert (saved.model, saved.notes, saved.cost_per_1k_input) == ("other", "Written meanwhile", 9)
    assert saved.updated_at > row.updated_at


def test_the_key_is_ciphertext_in_the_database(pages, row):
    pages.save(row, api_key=KEY)

    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM creative_services_llms")
        stored = cursor.fetchone()[0]
    assert stored.startswith("cs1:")
    assert KEY not in stored


def test_people_who_may_only_look_see_what_is_known_of_the_key(pages_of, row):
    page = pages_of("view").form(row).content.decode()

    assert "set, ends in …4321" in page
    assert "sk-the-secret" not in page


@pytest.mark.parametrize("debug", [True, False])
def test_neither_debug_pages_nor_error_mails_show_a_typed_key(pages, row, debug):
    reports = []

    def report(request, **_):
        reporter = ExceptionReporter(request, *sys.exc_info(), is_email=not debug)
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())

    got_request_exception.connect(report)
    pages.client.raise_request_exception = False
    fields = {"name": "Mini", "tier": "standard", "provider": "openai", "model": "m", "max_tokens": "5", "api_key": KEY}
    with override_settings(DEBUG=debug, CREATIVE_SERVICES={"ENCRYPTION_KEYS": "not a list"}):
        response = pages.client.post(f"/admin/creative_services/llms/{row.pk}/change/", fields)

    assert response.status_code == 500
    assert reports
    assert "ENCRYPTION_KEYS" in reports[0]
    assert KEY not in reports[0]


def test_the_limits_of_a_row_can_be_entered_and_emptied(pages, row):
    pages.save(row, requests_per_minute="60", tokens_per_minute="100000", calls_at_once="4")
    row.refresh_from_db()
    assert (row.requests_per_minute, row.tokens_per_minute, row.calls_at_once) == (60, 100_000, 4)

    pages.save(row, requests_per_minute="", tokens_per_minute="", calls_at_once="0")
    row.refresh_from_db()
    assert row.requests_per_minute == 60  # 0 is refused, and with it the rest

    pages.save(row, requests_per_minute="", tokens_per_minute="", calls_at_once="")
    row.refresh_from_db()
    assert (row.requests_per_minute, row.tokens_per_minute, row.calls_at_once) == (None, None, None)
