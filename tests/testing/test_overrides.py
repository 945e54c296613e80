import asyncio
import threading
from typing import Any

import pytest
from django.test import SimpleTestCase, override_settings

from creative_services import LLMEntry, LLMTier
from creative_services.adapters import get_client, get_sync_client
from creative_services.core.errors import NoLLMAvailableError
from creative_services.testing import FakeProvider, LlmsFactory, override_llms


def entry(llm_id: int, model: str, tier: LLMTier = LLMTier.STANDARD) -> LLMEntry:
    return LLMEntry(id=llm_id, name=f"#{llm_id}", provider="openai", model=model, tier=tier, api_key="sk-test")


MINI = entry(1, "mini")


def test_both_clients_have_exactly_the_entries_given() -> None:
    with override_llms(MINI, provider=FakeProvider("Hello")) as provider:
        answers = [get_sync_client().generate("Hi"), asyncio.run(get_client().generate("Hi"))]
        with pytest.raises(NoLLMAvailableError):
            get_sync_client().generate("Hi", tier=LLMTier.PREMIUM)

    assert [(answer.text, answer.llm.id) for answer in answers] == [("Hello", 1), ("Hello", 1)]
    assert provider.models == ["mini", "mini"]
    assert provider.open_exchanges == 0


def test_the_former_clients_return_afterwards() -> None:
    with override_llms(MINI) as outer:
        with override_llms(entry(2, "other")) as inner:
            get_sync_client().generate("inside")
        get_sync_client().generate("outside")

    assert (inner.prompts, outer.prompts) == (["inside"], ["outside"])
    assert (inner.models, outer.models) == (["other"], ["mini"])


def test_it_ends_with_an_exception_too() -> None:
    with override_llms(MINI) as outer:
        with pytest.raises(KeyError), override_llms(MINI):
            raise KeyError
        get_sync_client().generate("Hi")

    assert outer.prompts == ["Hi"]


def test_settings_still_count_inside() -> None:
    premium = entry(3, "big", LLMTier.PREMIUM)
    with override_llms(premium) as provider, override_settings(CREATIVE_SERVICES={"DEFAULT_TIER": "premium"}):
        get_sync_client().generate("Hi")

    assert provider.models == ["big"]


def test_other_threads_are_answered_too() -> None:
    texts: list[str] = []
    with override_llms(MINI, provider=FakeProvider("Hello")):
        thread = threading.Thread(target=lambda: texts.append(get_sync_client().generate("Hi").text))
        thread.start()
        thread.join()

    assert texts == ["Hello"]


@override_llms(MINI, provider=FakeProvider("decorated"))
def ask() -> str:
    return str(get_sync_client().generate("Hi"))


@override_llms(MINI, provider=FakeProvider("decorated"))
async def ask_async() -> str:
    return str(await get_client().generate("Hi"))


def test_it_decorates_functions_of_both_kinds() -> None:
    assert ask() == "decorated"
    assert asyncio.run(ask_async()) == "decorated"


@override_llms(MINI, provider=FakeProvider("decorated"))
class DecoratedTests(SimpleTestCase):
    def test_it_decorates_test_cases(self) -> None:
        assert str(get_sync_client().generate("Hi")) == "decorated"


@pytest.mark.django_db
def test_without_entries_the_rows_of_the_database_are_asked() -> None:
    row: Any = LlmsFactory.create(model="from-the-database")

    with override_llms() as provider:
        answer = get_sync_client().generate("Hi")

    assert answer.llm.id == row.pk
    assert provider.models == ["from-the-database"]


def test_a_request_beyond_the_script_is_no_provider_error() -> None:
    with override_llms(MINI, entry(2, "other"), provider=FakeProvider({"mini": []})) as provider:
        with pytest.raises(AssertionError, match="no answer left"):
            get_sync_client().generate("Hi")
        with pytest.raises(AssertionError, match="no answer left"):
            asyncio.run(get_client().generate("Hi"))

    assert provider.models == ["mini", "mini"]
