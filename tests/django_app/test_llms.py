import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creative_services.core.llm_registry import rank
from creative_services.core.types import LLMEntry, LLMTier
from creative_services.models import Llms
from tests.django_app.rows import KEY, local, make, values

pytestmark = pytest.mark.django_db
PRICE = st.none() | st.sampled_from([0, 0.0, 0.0001, 0.00015, 0.1, 1 / 3, 1000.0]) | st.floats(0, 1_000_000)


def test_a_row_has_the_defaults_of_an_entry():
    row = Llms.objects.create(name="GPT", provider="openai", model="gpt-4o-mini", tier=LLMTier.STANDARD)
    row.refresh_from_db()

    assert (row.max_tokens, row.temperature, row.is_active) == (4096, 0.7, True)
    assert (row.cost_per_1k_input, row.cost_per_1k_output) == (None, None)
    assert (row.context_window, row.supports_images, row.supports_tools, row.supports_json_schema) == (None,) * 4
    assert (row.api_key, row.api_endpoint, row.wire, row.extra_params, row.notes) == (None, "", "", {}, "")
    assert row.tier == LLMTier.STANDARD
    assert str(row) == "GPT"


def test_the_permission_to_generate_exists():
    assert Permission.objects.filter(codename="generate", content_type__app_label="creative_services").exists()


BAD = [
    ("tier", "luxury"),
    ("tier", "STANDARD"),
    ("max_tokens", 0),
    ("max_tokens", 2_000_000_000),
    ("max_tokens", -1),
    ("temperature", -0.1),
    ("temperature", 2.1),
    ("temperature", float("inf")),
    ("cost_per_1k_input", -0.1),
    ("cost_per_1k_output", -1),
    ("cost_per_1k_input", float("inf")),
    ("cost_per_1k_output", 1e9),
    ("context_window", 0),
    ("context_window", -1),
    ("context_window", 2_000_000_000),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_the_form_refuses_what_cannot_be(field, value):
    with pytest.raises(ValidationError) as caught:
        Llms(**values(**{field: value})).full_clean()

    assert field in caught.value.message_dict


@pytest.mark.parametrize(("field", "value"), BAD)
def test_the_database_refuses_the_same(field, value):
    # MySQL's driver has no infinity and says so with an error of its own.
    with pytest.raises(Exception, match=r"(?i)constraint|range|inf can not"), transaction.atomic():
        make(**{field: value})


def test_the_database_refuses_it_in_updates_too():
    row = make()

    with pytest.raises(IntegrityError), transaction.atomic():
        Llms.objects.filter(pk=row.pk).update(temperature=3)


@pytest.mark.parametrize("value", [None, 0, 2])
def test_the_edges_of_the_temperature_are_fine(value):
    row = Llms(**values(temperature=value))
    row.full_clean()
    row.save()


@pytest.mark.parametrize("value", [None, 1, 1_000_000_000])
def test_the_edges_of_the_context_window_are_fine(value):
    row = Llms(**values(context_window=value))
    row.full_clean()
    row.save()


@pytest.mark.parametrize("field", ["supports_images", "supports_tools", "supports_json_schema"])
def test_what_an_llm_takes_is_yes_no_or_unknown(field):
    for value in (True, False, None):
        row = make(name=f"{value}", **{field: value})
        row.full_clean()
        row.refresh_from_db()
        assert getattr(row, field) is value
    for refuse in (Llms(**values(**{field: 2})).full_clean, lambda: Llms.objects.update(**{field: 2})):
        with pytest.raises(ValidationError):
            refuse()


def test_names_are_unique():
    make()

    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_names_that_differ_in_case_are_two():
    make(name="GPT")
    make(name="gpt")

    assert Llms.objects.get(name="gpt").name == "gpt"


def test_extra_params_are_an_object():
    Llms(**values(extra_params={"top_p": 0.9})).full_clean()
    with pytest.raises(ValidationError) as caught:
        Llms(**values(extra_params=[1])).full_clean()

    assert "extra_params" in caught.value.message_dict


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://169.254.169.254/latest",
        "http://2852039166/",
        "http://[::ffff:169.254.169.254]/",
        "http://127.0.0.1:8000/v1",
        "http://0x7f.1/",
        "http://localhost:11434",
        "http://10.0.0.1/v1",
        "ftp://files.example.com",
        "https://user:pw@llm.example.com",
        "https://llm.example.com/?a=1",
        "https://",
        "http://[::1",
        "http://x:99999999",
        "nonsense",
    ],
)
def test_an_endpoint_that_may_not_be_is_refused_in_forms_and_when_saved(endpoint):
    row = Llms(**values(api_endpoint=endpoint))

    with pytest.raises(ValidationError):
        row.full_clean()
    with pytest.raises(ValidationError):
        row.save()
    with pytest.raises(ValidationError):
        Llms.objects.bulk_create([row])
    assert not Llms.objects.exists()


def test_bulk_update_refuses_it_too():
    row = make()
    row.api_endpoint = "http://169.254.169.254/"

    with pytest.raises(ValidationError):
        Llms.objects.bulk_update([row], ["api_endpoint"])


def test_private_endpoints_may_be_allowed_by_setting_but_never_metadata(settings):
    settings.CREATIVE_SERVICES = {"ENDPOINTS_ALLOW_PRIVATE": True}

    Llms(**values(api_endpoint="http://10.0.0.1/v1")).full_clean()
    with pytest.raises(ValidationError):
        Llms(**values(api_endpoint="http://169.254.169.254/")).full_clean()


@pytest.mark.parametrize("endpoint", ["http://localhost:11434/v1", "http://192.168.1.5:8000", "http://ollama:11434"])
def test_a_local_llm_may_be_on_a_private_network(endpoint):
    row = Llms(**values(tier="local", api_endpoint=endpoint))
    row.full_clean()
    row.save()


@pytest.mark.parametrize("endpoint", ["", "https://8.8.8.8/v1"])
def test_a_local_llm_must_be_on_a_private_network(endpoint):
    row = Llms(**values(tier="local", api_endpoint=endpoint))

    with pytest.raises(ValidationError):
        row.full_clean()
    with pytest.raises(ValidationError):
        row.save()


def test_a_listed_host_counts_as_local(settings):
    settings.CREATIVE_SERVICES = {"LOCAL_HOSTS": ["8.8.8.8"]}

    local(api_endpoint="https://8.8.8.8/v1").full_clean()


@pytest.mark.parametrize(
    "change",
    [
        {"api_endpoint": "https://collector.example.com"},
        {"provider": "groq"},
        {"api_endpoint": "http://api.openai.com/v1"},
        {"api_endpoint": "https://api.openai.com:8443/v1"},
    ],
)
def test_a_change_of_host_asks_for_the_key_again(change):
    row = make()
    for name, value in change.items():
        setattr(row, name, value)

    with pytest.raises(ValidationError, match="enter the API key again"):
        row.full_clean()

    row.api_key = KEY
    row.full_clean()
    row.api_key = None
    row.full_clean()


@pytest.mark.parametrize("endpoint", ["https://api.openai.com/v1", "https://API.OPENAI.COM:443/other"])
def test_the_same_host_written_otherwise_keeps_the_key(endpoint):
    row = make()
    row.api_endpoint = endpoint

    row.full_clean()


def test_a_reference_may_move_because_its_hosts_are_checked_when_called():
    row = make(api_key="env:OPENAI_API_KEY")
    row.provider = "groq"

    row.full_clean()


def test_a_row_with_an_undecryptable_key_can_be_edited(settings):
    row = make()
    settings.SECRET_KEY = "lost"

    row.full_clean()


def test_an_unknown_provider_without_endpoint_keeps_its_key_to_itself():
    row = make(provider="acme")

    assert row.api_key.origin == "nowhere:acme"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prices=st.lists(st.tuples(PRICE, PRICE, st.booleans()), max_size=8))
def test_for_tier_orders_as_rank_does(prices):
    Llms.objects.all().delete()
    rows = [
        Llms(**values(name=f"m{n}", api_key=None, cost_per_1k_input=a, cost_per_1k_output=b, is_active=active))
        for n, (a, b, active) in enumerate(prices)
    ]
    Llms.objects.bulk_create([*rows, Llms(**values(name="other", tier="premium"))])
    entries = [
        LLMEntry(
            id=row.pk,
            name=row.name,
            provider=row.provider,
            model=row.model,
            tier=LLMTier.STANDARD,
            cost_per_1k_input=row.cost_per_1k_input,
            cost_per_1k_output=row.cost_per_1k_output,
            is_active=row.is_active,
        )
        for row in Llms.objects.filter(tier="standard").order_by("pk")
    ]

    assert [row.pk for row in Llms.objects.for_tier("standard")] == [entry.id for entry in rank(entries)]


def test_for_tier_takes_the_tier_or_its_name_and_nothing_else():
    row = make()

    assert list(Llms.objects.for_tier(LLMTier.STANDARD)) == [row]
    with pytest.raises(ValueError, match="luxury"):
        Llms.objects.for_tier("luxury")
