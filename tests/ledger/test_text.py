"""Prompts and answers: not kept, unless the project wants them; then redacted, cut and forgotten in time."""

import json
from collections import UserList
from datetime import timedelta
from types import MappingProxyType

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from creative_services.adapters import get_client, get_sync_client
from creative_services.models import LlmCall
from creative_services.testing import LlmsFactory, RawReply, Reply, override_llms
from tests.ledger.asking import booked, generating, streaming

pytestmark = pytest.mark.django_db


@pytest.fixture
def keep(settings):
    def keep(**options):
        settings.CREATIVE_SERVICES = {"LEDGER": {"STORE_TEXT": True} | options}

    LlmsFactory(name="Mini", provider="openai")
    with override_llms() as provider:
        provider.answer_with(Reply(["Hello", " Ann"]))
        keep.provider = provider
        yield keep


def without_names(text):
    return text.replace("Ann", "…")


def broken(text):
    raise LookupError(text)


@generating
def test_what_was_asked_and_answered_is_kept(generate, keep):
    keep()

    [row] = booked(generate, system="Be Ann.")

    assert json.loads(row.prompt_text) == {"system": "Be Ann.", "messages": [{"role": "user", "content": "Hi"}]}
    assert row.answer_text == "Hello Ann"


@streaming
def test_of_a_stream_that_is_left_what_came_is_kept(stream, keep):
    keep()

    [row] = booked(stream, chunks=1)

    assert row.answer_text == "Hello"


@generating
def test_both_are_redacted_first(generate, keep):
    keep(REDACT="tests.ledger.test_text.without_names")

    [row] = booked(generate, system="Be Ann.")

    assert "Ann" not in row.prompt_text
    assert row.answer_text == "Hello …"


@generating
def test_a_redaction_that_fails_keeps_nothing_and_says_so(generate, keep, caplog):
    keep(REDACT=broken)

    [row] = booked(generate)

    assert (row.outcome, row.prompt_text, row.answer_text) == ("ok", None, None)
    assert "LEDGER['REDACT'] fails" in caplog.text
    assert "Hello" not in caplog.text


@generating
def test_both_are_cut_and_mended(generate, keep):
    keep()
    keep.provider.answer_with("\0" + "x" * 100_001)

    [row] = booked(generate, system="y" * 100_001)

    assert row.answer_text == "x" * 99_999
    assert len(row.prompt_text) == 100_000


def test_messages_of_any_kind_are_kept(keep):
    keep()
    parts = UserList([MappingProxyType({"type": "text", "text": "Hi"})])
    get_sync_client().generate(messages=[MappingProxyType({"role": "user", "content": parts})])

    [message] = json.loads(LlmCall.objects.get().prompt_text)["messages"]
    assert message == {"role": "user", "content": [{"type": "text", "text": "Hi"}]}


@pytest.mark.parametrize("world", ["sync", "async"])
def test_texts_to_make_vectors_of_are_kept_too(world, keep):
    keep()
    body = {"data": [{"embedding": [1.0], "index": 0}], "usage": {"prompt_tokens": 1}, "model": "m"}
    keep.provider.answer_with(RawReply([json.dumps(body).encode()]))
    embed = get_sync_client().embed if world == "sync" else async_to_sync(get_client().embed)

    embed("Words")

    row = LlmCall.objects.get()
    assert (row.outcome, json.loads(row.prompt_text), row.answer_text) == ("ok", {"texts": ["Words"]}, "")


def test_old_ones_are_forgotten_and_their_rows_stay(keep):
    keep()
    old, new = booked(get_sync_client().generate, prompt="Old")[0], booked(get_sync_client().generate, prompt="New")[0]
    LlmCall.objects.filter(pk=old.pk).update(started_at=timezone.now() - timedelta(days=31))
    limit = timezone.now() - timedelta(days=30)

    assert [LlmCall.objects.forget_text(limit), LlmCall.objects.forget_text(limit)] == [1, 0]

    texts = dict(LlmCall.objects.values_list("pk", "answer_text"))
    assert texts == {old.pk: None, new.pk: "Hello Ann"}
