import pytest

from creative_services.adapters import DjangoLLMRegistry
from creative_services.adapters.keys import reference_fault
from creative_services.models import Llms
from tests.django_app.rows import KEY, make

pytestmark = pytest.mark.django_db


def only():
    [entry] = DjangoLLMRegistry().list_active()
    return entry


def test_a_provider_gets_the_key_of_its_own_variable(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    make(api_key="env:OPENAI_API_KEY")

    assert only().api_key == KEY
    assert only().unusable is None


def test_the_variable_is_read_when_it_is_needed(monkeypatch):
    registry = DjangoLLMRegistry()
    row = make(api_key="env:OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-before")
    assert registry.get_by_id(row.pk).api_key == "sk-before"

    monkeypatch.setenv("OPENAI_API_KEY", "sk-after")

    assert registry.get_by_id(row.pk).api_key == "sk-after"


@pytest.mark.parametrize("value", [None, "", "  ", "sk-a\nb"])
def test_a_variable_without_a_key_makes_the_row_unusable(monkeypatch, value):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("OPENAI_API_KEY", value)
    make(api_key="env:OPENAI_API_KEY")

    assert only().api_key is None
    assert "OPENAI_API_KEY" in only().unusable


def test_no_other_variable_of_the_process_is_read(monkeypatch):
    monkeypatch.setenv("DJANGO_SECRET_KEY", "do-not-send")
    make(provider="acme", api_key="env:DJANGO_SECRET_KEY", api_endpoint="https://collector.example.com")

    assert only().api_key is None
    assert "KEY_VARIABLES" in only().unusable


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://collector.example.com",
        "http://api.openai.com",
        "https://api.openai.com.example.com",
        "https://api.groq.com",
    ],
)
def test_a_providers_variable_goes_to_no_other_host(monkeypatch, endpoint):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    row = make(api_key="env:OPENAI_API_KEY")
    Llms.objects.filter(pk=row.pk).update(api_endpoint=endpoint)

    assert only().api_key is None
    assert "may not be sent" in only().unusable


def test_the_settings_can_allow_a_variable_for_hosts(monkeypatch, settings):
    settings.CREATIVE_SERVICES = {
        "KEY_VARIABLES": {"MY_KEY": ["llm.example.com"], "OPENAI_API_KEY": ["proxy.internal"]}
    }
    monkeypatch.setenv("MY_KEY", KEY)

    assert reference_fault("MY_KEY", "https://llm.example.com:443") is None
    assert reference_fault("OPENAI_API_KEY", "http://proxy.internal:8080") is None
    assert reference_fault("OPENAI_API_KEY", "https://api.openai.com:443") is None
    assert "MY_KEY" in reference_fault("MY_KEY", "https://api.openai.com:443")

    make(provider="acme", api_key="env:MY_KEY", api_endpoint="https://llm.example.com/v1")
    assert only().api_key == KEY


def test_a_provider_on_this_machine_may_be_asked_in_clear():
    assert reference_fault("OLLAMA_API_KEY", "http://localhost:11434") is None
    assert reference_fault("OLLAMA_API_KEY", "https://ollama.com:443") is None
    assert reference_fault("OLLAMA_API_KEY", "http://ollama.com:80")


def test_a_key_goes_to_no_host_but_the_one_it_was_entered_for():
    row = make()
    Llms.objects.filter(pk=row.pk).update(api_endpoint="https://collector.example.com")

    assert only().api_key is None
    assert "another host" in only().unusable
