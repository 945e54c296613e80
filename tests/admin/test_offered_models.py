import html
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connections
from django.urls import reverse

from creative_services.adapters.offers import offered_models
from creative_services.adapters.snapshot import entry_of
from creative_services.core.errors import ProviderTimeoutError
from creative_services.models import Llms
from creative_services.testing import FakeProvider, RawReply, override_llms
from tests.offering import Offering, asked_models

pytestmark = pytest.mark.django_db

LINK = "Models that this provider offers"


def models_url(row):
    return reverse("admin:creative_services_llms_models", args=[row.pk])


def open_models(pages, row, script, **query):
    with override_llms(provider=FakeProvider(script)) as provider:
        return pages.client.get(models_url(row), query), provider


def links(response):
    found = re.findall(r'<li><a href="([^"]+)"[^>]*>([^<]*)</a>', response.content.decode())
    return {html.unescape(text): html.unescape(url) for url, text in found}


def typed_model(response):
    return response.context["adminform"].form["model"].value()


def suggested(response):
    box = re.search(r'<datalist id="id_model_suggestions">(.*?)</datalist>', response.content.decode())[1]
    return dict(re.findall(r'<option value="([^"]*)">([^<]*)</option>', box))


def test_the_form_of_a_row_leads_to_the_models_of_its_provider(pages, row):
    page = pages.form(row).content.decode()

    assert f'<a href="{models_url(row)}">{LINK}</a>' in page


def test_the_page_lists_the_models_by_name_and_each_once(pages, row):
    response, provider = open_models(pages, row, Offering("big", "mini", "Medium", "big"))

    assert list(links(response)) == ["big", "Medium", "mini"]
    assert [request.url for request in provider.requests] == ["https://api.openai.com/v1/models"]
    assert '<a href="/admin/creative_services/llms/' in response.content.decode()


def test_the_model_in_use_is_marked(pages, row):
    response, _ = open_models(pages, row, Offering("big", "mini"))

    page = response.content.decode()
    assert re.search(r'aria-current="true">mini</a> <strong>in use</strong>', page)
    assert page.count("in use") == 1


def test_a_model_that_is_chosen_stands_in_the_form_and_is_not_saved(pages, row):
    response, _ = open_models(pages, row, Offering("a b/c&d=é", "mini"))

    form = pages.client.get(links(response)["a b/c&d=é"])

    assert typed_model(form) == "a b/c&d=é"
    said = [("warning", "The model a b/c&d=é is filled in, but not saved yet: until then it is mini.")]
    assert pages.said(form) == said
    assert Llms.objects.get().model == "mini"


def test_a_chosen_model_is_saved_with_the_form(pages, row):
    response, _ = open_models(pages, row, Offering("big"))
    url = links(response)["big"]
    form = pages.client.get(url).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields if name != "api_key"}
    data = {name: value for name, value in shown.items() if value not in {None, False}}

    assert pages.client.post(url, data | {"api_key": ""}).status_code == 302

    saved = Llms.objects.get()
    assert (saved.model, saved.api_key.origin) == ("big", row.api_key.origin)


def test_the_model_in_use_can_be_chosen_too(pages, row):
    form = pages.client.get(links(open_models(pages, row, Offering("mini"))[0])["mini"])

    assert typed_model(form) == "mini"
    assert pages.said(form) == []


def test_the_way_leads_back_to_the_list_as_it_was_filtered(pages, row):
    filtered = {"_changelist_filters": "tier=standard"}
    url = reverse("admin:creative_services_llms_change", args=[row.pk])
    page = pages.client.get(url, filtered).content.decode()
    forth = html.unescape(re.search(rf'<a href="([^"]+)">{LINK}', page)[1])

    response, _ = open_models(pages, row, Offering("big"), **filtered)
    back = links(response)["big"]

    assert parse_qs(urlsplit(forth).query) == {"_changelist_filters": ["tier=standard"]}
    assert parse_qs(urlsplit(back).query) == {"_changelist_filters": ["tier=standard"], "model": ["big"]}


def test_what_providers_call_their_models_is_text_and_no_markup(pages, row):
    name = '<script>alert("1")</script>'

    response, _ = open_models(pages, row, Offering(name))
    form = pages.client.get(links(response)[name])

    assert name not in response.content.decode()
    assert name not in form.content.decode()
    assert typed_model(form) == name


def test_a_very_long_list_is_cut_and_says_so(pages, row):
    response, _ = open_models(pages, row, Offering(*(f"model-{number:04}" for number in range(1002))))

    assert len(links(response)) == 1000
    assert "and 2 more, which are not shown." in response.content.decode()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (RawReply([b'{"error": {"message": "Wrong key sk-the-secret-of-mini-4321"}}'], status=401), "was refused"),
        (RawReply([b"<html>"]), "Mini"),
        (RawReply([b'{"data": []}']), "The provider&#x27;s list of models is empty."),
    ],
)
def test_a_list_that_cannot_be_had_is_a_message(pages, row, answer, text):
    response, _ = open_models(pages, row, answer)

    page = response.content.decode()
    assert response.status_code == 200
    assert text in re.search(r'<p class="errornote">(.*?)</p>', page)[1]
    assert links(response) == {}
    assert "sk-the-secret" not in page
    assert "Wrong key" not in page


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"api_key": None}, "has no API key"),
        ({"provider": "nobody"}, "Unknown provider"),
        ({"wire": "telex"}, "Unknown wire format"),
        ({"api_endpoint": "http://169.254.169.254/v1"}, "169.254.169.254"),
    ],
)
def test_a_row_that_cannot_be_called_is_offered_no_list(pages, row, change, text):
    Llms.objects.update(**change)

    response, provider = open_models(pages, row, Offering("big"))

    assert LINK not in pages.form(row).content.decode()
    assert text in html.unescape(re.search(r'<p class="errornote">(.*?)</p>', response.content.decode())[1])
    assert provider.requests == []


def test_a_provider_that_never_answers_is_given_up_in_time(row):
    began = time.monotonic()

    with (
        override_llms(provider=FakeProvider(Offering("big", delay=30))),
        pytest.raises(ProviderTimeoutError, match=r"'Mini' .*: No answer came within 0 s"),
    ):
        offered_models(entry_of(row), seconds=0.2)

    assert 0.1 < time.monotonic() - began < 2


def test_neither_a_new_row_nor_a_form_with_errors_has_the_link(pages, row):
    add = pages.client.get(reverse("admin:creative_services_llms_add")).content.decode()
    refused = pages.save(row, max_tokens="0").content.decode()

    assert LINK not in add
    assert LINK not in refused


@pytest.mark.parametrize("permissions", [("add",), ("view",), ("view", "add", "delete")])
def test_the_list_needs_the_permission_to_change(pages_of, row, permissions):
    pages = pages_of(*permissions)

    response, provider = open_models(pages, row, Offering("big"))

    assert response.status_code == 403
    assert provider.requests == []
    assert LINK not in pages.form(row).content.decode()


def test_the_permission_to_change_is_enough_for_the_list(pages_of, row):
    response, _ = open_models(pages_of("change"), row, Offering("big"))

    assert list(links(response)) == ["big"]


def test_strangers_are_asked_to_log_in(client, row):
    with override_llms() as provider:
        response = client.get(models_url(row))

    assert response.url.startswith("/admin/login/")
    assert provider.requests == []


def test_a_row_that_is_not_there_has_no_list(pages, row):
    for pk in ("0", "x", "a/b"):
        assert pages.client.get(f"/admin/creative_services/llms/{pk}/models/").status_code == 404


def test_the_list_is_only_read(pages, row):
    with override_llms() as provider:
        response = pages.client.post(models_url(row))

    assert response.status_code == 405
    assert provider.requests == []


def test_nobody_is_asked_for_text(pages, row):
    _, provider = open_models(pages, row, Offering("big"))

    assert asked_models(provider) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic_requests", [True, False])
def test_no_transaction_is_open_and_no_connection_held_while_the_provider_lists(pages, row, atomic_requests):
    seen = []
    own = connections["default"]

    def look(request):
        seen.append((own.in_atomic_block, own.connection is None))
        return Offering("big")

    own.settings_dict["ATOMIC_REQUESTS"] = atomic_requests
    try:
        response, _ = open_models(pages, row, look)
    finally:
        own.settings_dict["ATOMIC_REQUESTS"] = False

    [(in_transaction, given_back)] = seen
    assert list(links(response)) == ["big"]
    assert not in_transaction
    # A database in memory would be lost with its connection, so Django keeps that one.
    assert given_back or own.is_in_memory_db()


def test_a_new_row_is_suggested_the_models_that_are_known(pages):
    found = suggested(pages.client.get(reverse("admin:creative_services_llms_add")))

    assert found["gpt-6-luna"] == "openai"
    assert found["openai/gpt-oss-120b"] == "groq"
    assert "gpt-3.5-turbo" not in found


def test_a_saved_row_is_suggested_those_of_its_provider(pages, row):
    Llms.objects.update(provider="Anthropic")

    found = suggested(pages.form(row))

    assert "claude-opus-5" in found
    assert set(found.values()) == {"anthropic"}


def test_a_provider_that_is_not_known_suggests_nothing(pages, row):
    Llms.objects.update(provider="our-vllm", api_endpoint="https://llm.example/v1")

    assert suggested(pages.form(row)) == {}


def test_the_page_needs_no_script(pages, row):
    response, _ = open_models(pages, row, Offering("big"))
    content = re.search(r'<div id="content".*?<footer', response.content.decode(), re.DOTALL)[0]

    assert "<script" not in content
    assert "onclick" not in content
    assert "style=" not in content
