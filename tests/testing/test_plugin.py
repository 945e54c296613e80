from typing import Any

import pytest
from asgiref.sync import async_to_sync

from creative_services.adapters import get_client, get_sync_client
from creative_services.core.http import HttpRequest
from creative_services.testing import FakeProvider

pytest_plugins = ["creative_services.testing.plugin"]


def test_rows_made_with_the_fixture_are_answered_for(llms: Any, fake_provider: FakeProvider) -> None:
    row = llms(model="mini")
    fake_provider.answer_with("Hello")

    answers = [get_sync_client().generate("Hi"), async_to_sync(get_client().generate)("Hi")]

    assert [(str(answer), answer.llm.id) for answer in answers] == [("Hello", row.pk)] * 2
    assert fake_provider.models == ["mini", "mini"]


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_a_provider_of_its_own(fake_provider: FakeProvider, time: str) -> None:
    body = b'{"messages": [{"role": "user", "content": "%b"}]}' % time.encode()

    fake_provider.open(HttpRequest("POST", "https://api.example.com/v1/messages", {}, body)).close()

    assert fake_provider.prompts == [time]
