import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from creative_services.adapters import DjangoLLMRegistry
from creative_services.core.llm_registry import LLMRegistry
from creative_services.core.types import LLMEntry, LLMTier, Reach
from creative_services.models import Llms, touch_registry
from creative_services.testing.contracts import RegistryContract
from tests.django_app.rows import KEY, local, make

pytestmark = pytest.mark.django_db
FIELDS = ["name", "provider", "model", "api_key", "max_tokens", "temperature", "cost_per_1k_input"]
FIELDS += ["cost_per_1k_output", "is_active"]


class TestContract(RegistryContract):
    def make(self, entries):
        Llms.objects.all().delete()
        for entry in entries:
            fields = {name: getattr(entry, name) for name in FIELDS}
            Llms.objects.create(
                pk=entry.id,
                tier=entry.tier.value,
                api_endpoint=entry.api_endpoint or "",
                wire=entry.wire or "",
                **fields,
            )
        return DjangoLLMRegistry()

    def run(self, coroutine):
        async def result():
            return await coroutine

        return async_to_sync(result)()


def only(registry=None):
    [entry] = (registry or DjangoLLMRegistry()).list_active()
    return entry


def test_it_is_a_registry():
    assert isinstance(DjangoLLMRegistry(), LLMRegistry)


def test_a_row_becomes_an_entry():
    row = make(
        api_endpoint="https://api.openai.com/v1",
        cost_per_1k_input=0.00015,
        cost_per_1k_output=0,
        temperature=None,
        wire="openai_chat",
        extra_params={"top_p": 0.9},
        context_window=128_000,
        supports_images=True,
        supports_tools=False,
        supports_json_schema=None,
    )

    assert only() == LLMEntry(
        id=row.pk,
        name="GPT",
        provider="openai",
        model="gpt-4o-mini",
        tier=LLMTier.STANDARD,
        api_key=KEY,
        api_endpoint="https://api.openai.com/v1",
        max_tokens=4096,
        temperature=None,
        cost_per_1k_input=0.00015,
        cost_per_1k_output=0,
        wire="openai_chat",
        extra_params={"top_p": 0.9},
        reach=Reach.PUBLIC,
        context_window=128_000,
        supports_images=True,
        supports_tools=False,
        supports_json_schema=None,
    )


def test_empty_texts_mean_none():
    make(api_key=None)

    assert (only().api_key, only().api_endpoint, only().wire) == (None, None, None)
    assert only().extra_params == {}


def test_nothing_about_an_entry_shows_its_key():
    make()

    assert KEY not in repr(only())


def test_a_local_row_reaches_private_addresses_only():
    local()

    assert only().reach is Reach.PRIVATE


def test_a_listed_local_host_may_be_public(settings):
    settings.CREATIVE_SERVICES = {"LOCAL_HOSTS": ["llm.example.com"]}
    local(api_endpoint="https://LLM.example.com/v1")

    assert only().reach is Reach.ROUTABLE


def test_other_rows_reach_private_addresses_by_setting(settings):
    registry = DjangoLLMRegistry()
    make()
    assert only(registry).reach is Reach.PUBLIC

    settings.CREATIVE_SERVICES = {"ENDPOINTS_ALLOW_PRIVATE": True}

    assert only(registry).reach is Reach.ROUTABLE


@pytest.mark.parametrize("endpoint", ["http://169.254.169.254/", "http://a:99999999", "http://[::1", "nonsense"])
def test_an_endpoint_that_slipped_in_makes_the_row_unusable(endpoint):
    make()
    Llms.objects.update(api_endpoint=endpoint)

    assert only().unusable
    assert only().api_key is None


def test_a_local_row_without_endpoint_is_unusable():
    local()
    Llms.objects.update(api_endpoint="")

    assert "endpoint" in only().unusable


def test_extra_params_that_are_no_object_make_the_row_unusable():
    make()
    Llms.objects.update(extra_params=[1])

    assert "extra_params" in only().unusable
    assert only().extra_params == {}


def test_an_undecryptable_row_is_passed_by_but_reported():
    make(name="lost", cost_per_1k_input=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE creative_services_llms SET api_key = 'cs1:not-a-token'")
    make(name="fine", cost_per_1k_input=1)
    registry = DjangoLLMRegistry()
    lost, fine = registry.candidates(LLMTier.STANDARD)

    assert registry.get_by_tier(LLMTier.STANDARD) == fine
    assert (lost.name, lost.api_key) == ("lost", None)
    assert "cannot be decrypted" in lost.unusable
    assert registry.get_by_id(lost.id) == lost
    assert registry.list_active() == [lost, fine]


def test_a_tier_of_unusable_rows_has_no_first():
    make(api_key="env:NOT_ALLOWED")

    assert DjangoLLMRegistry().get_by_tier("standard") is None


def test_keys_are_read_anew_when_the_encryption_keys_change(settings):
    registry = DjangoLLMRegistry()
    make()
    assert only(registry).api_key == KEY

    settings.SECRET_KEY = "lost"

    assert only(registry).unusable


def test_a_queryset_narrows_it():
    make(name="a", notes="mine")
    make(name="b")

    assert [e.name for e in DjangoLLMRegistry(Llms.objects.filter(notes="mine")).list_active()] == ["a"]
    assert len(DjangoLLMRegistry(Llms).list_active()) == 2
    assert len(DjangoLLMRegistry(Llms.objects).list_active()) == 2


def test_a_queryset_is_asked_again_after_a_change():
    queryset = Llms.objects.filter(notes="mine")
    registry = DjangoLLMRegistry(queryset)
    assert registry.list_active() == []

    make(notes="mine")

    assert len(registry.list_active()) == 1


def test_only_the_chosen_entry_is_decrypted(settings):
    make(name="cheap", cost_per_1k_input=0)
    make(name="dear", cost_per_1k_input=1)
    registry = DjangoLLMRegistry()
    made = registry.candidates(LLMTier.STANDARD)
    assert next(made).name == "cheap"

    settings.SECRET_KEY = "lost"

    assert next(made).unusable


@pytest.mark.django_db(databases=["default", "elsewhere"])
def test_rows_are_read_from_the_database_that_writes_go_to(settings, django_assert_num_queries):
    make(name="here")
    settings.DATABASE_ROUTERS = ["tests.django_app.routers.WritesElsewhere"]
    there = make(name="there")
    registry = DjangoLLMRegistry(Llms.objects.filter(tier="standard"))

    assert there._state.db == "elsewhere"
    assert [entry.name for entry in registry.list_active()] == ["there"]
    there.delete()
    assert registry.list_active() == []
    with django_assert_num_queries(0):
        touch_registry()


@pytest.mark.parametrize(
    "use",
    [
        lambda registry, row: registry.get_by_id(row.pk),
        lambda registry, row: registry.get_by_tier(LLMTier.STANDARD),
        lambda registry, row: list(registry.candidates(LLMTier.STANDARD)),
        lambda registry, row: async_to_sync(registry.aget_by_id)(row.pk),
        lambda registry, row: async_to_sync(registry.aget_by_tier)(LLMTier.STANDARD),
        lambda registry, row: list(async_to_sync(registry.acandidates)(LLMTier.STANDARD)),
    ],
)
def test_using_a_retired_model_is_logged_once(use, caplog):
    row = make(provider="groq", model="llama-3.3-70b-versatile")
    registry = DjangoLLMRegistry()

    registry.list_active()
    assert caplog.messages == []
    for _ in range(2):
        use(registry, row)

    [message] = caplog.messages
    assert "llama-3.3-70b-versatile" in message
    assert "2026-08-16" in message
    assert "openai/gpt-oss-120b" in message
