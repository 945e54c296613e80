import re
from html import unescape

import pytest
from django.core.cache import cache

from creative_services.adapters import get_sync_client
from creative_services.models import Llms
from creative_services.testing import Failure, FakeProvider, LlmsFactory, override_llms
from tests.contracts.caches import observed

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(row):
    return LlmsFactory(name="Other", model="other")


@pytest.fixture
def providers():
    with override_llms(provider=FakeProvider({"mini": Failure(401), "other": "Hello"})) as provider:
        yield provider


def tiers(pages):
    """What the column of the tier says, by the row's name."""
    page = pages.list().content.decode()
    names = re.findall(r'class="field-name"><a [^>]*>(.*?)</a>', page)
    cells = re.findall(r'<td class="field-tier[^"]*">(.*?)</td>', page)
    texts = [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]
    return dict(zip(names, texts, strict=True))


def test_a_row_that_calls_leave_alone_says_how_long_and_why_and_is_not_the_one_used_now(pages, row, other, providers):
    assert tiers(pages) == {"Mini": "Standard ✓ used now", "Other": "Standard"}

    assert get_sync_client().generate("Hi").llm.name == "Other"

    assert tiers(pages) == {"Mini": "Standard ⚠ cooling for 10 s more: 401", "Other": "Standard ✓ used now"}


def test_an_edit_of_the_row_ends_it(pages, row, other, providers):
    get_sync_client().generate("Hi")

    Llms.objects.filter(pk=row.pk).update(model="other")

    assert tiers(pages)["Mini"] == "Standard ✓ used now"
    assert get_sync_client().generate("Hi").llm.name == "Mini"


def test_where_all_of_a_tier_cool_the_one_that_is_asked_is_marked(pages, row, other, providers):
    busy = Failure(429, headers={"Retry-After": "600"})
    providers.answer_with({"mini": busy, "other": [Failure(403), "Hello"]})
    with pytest.raises(Exception, match="Other"):
        get_sync_client().generate("Hi")

    shown = tiers(pages)

    assert shown["Mini"] == "Standard ⚠ cooling for 600 s more: 429"
    assert shown["Other"] == "Standard ✓ used now ⚠ cooling for 10 s more: 403"
    assert get_sync_client().generate("Hi").llm.name == "Other"


def test_a_reset_lets_calls_ask_again(pages, row, other, providers):
    get_sync_client().generate("Hi")
    get_sync_client().generate("Hi")
    assert providers.models == ["mini", "other", "other"]

    response = pages.act("reset", row, other)
    providers.answer_with("Well")

    assert pages.said(response) == [("success", "2 LLMs will be asked again.")]
    assert tiers(pages)["Mini"] == "Standard ✓ used now"
    assert get_sync_client().generate("Hi").llm.name == "Mini"


def test_a_reset_needs_the_permission_to_change(pages_of, row, other, providers):
    get_sync_client().generate("Hi")

    pages_of("view").act("reset", row)

    assert "cooling" in tiers(pages_of("view", "change"))["Mini"]


def test_testing_a_connection_asks_a_row_that_cools_and_is_no_matter_of_the_breaker(pages, row, other, providers):
    get_sync_client().generate("Hi")
    providers.answer_with("Hello")
    [(level, _)] = pages.said(pages.act("test_connection", row))
    assert level == "success"
    assert "cooling" in tiers(pages)["Mini"]

    providers.answer_with(Failure(401))
    for _ in range(3):
        pages.act("test_connection", other)
    assert tiers(pages)["Other"] == "Standard ✓ used now"


class TestOverTheProjectsCache:
    @pytest.fixture(autouse=True)
    def project(self, settings):
        self.calls, self.is_down, self.now = [], False, 0.0
        settings.CACHES = observed(lambda: self.now, self.hear)
        yield
        self.is_down = False
        cache.clear()

    def hear(self, method):
        self.calls.append(method)
        if self.is_down:
            raise ConnectionError("Nobody listens.")

    def test_the_list_reads_the_cache_once_however_many_rows_there_are(self, pages, row):
        for more in (0, 99):
            LlmsFactory.create_batch(more)
            self.calls.clear()
            assert len(tiers(pages)) == 1 + more
            assert self.calls == ["get_many"]

    def test_a_reset_clears_what_the_cache_holds(self, pages, row):
        response = pages.act("reset", row)

        assert pages.said(response) == [("success", "1 LLM will be asked again.")]
        assert self.calls == ["delete_many", "delete"]

    def test_without_the_cache_the_list_is_shown_and_a_reset_says_that_it_did_nothing(self, pages, row, settings):
        settings.CREATIVE_SERVICES = {}
        self.is_down = True

        assert tiers(pages) == {"Mini": "Standard ✓ used now"}
        assert pages.said(pages.act("reset", row)) == [("error", "The cache cannot be reached, so nothing was reset.")]
