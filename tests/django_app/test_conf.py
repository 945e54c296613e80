from pathlib import Path

import pytest

from creative_services.conf import AppSettings, app_settings
from creative_services.core.errors import ConfigurationError
from creative_services.core.limits import Limits, Retry
from creative_services.core.types import LLMTier

NAMES = [name for name, value in vars(AppSettings).items() if isinstance(value, property)]


@pytest.fixture
def services(settings):
    def put(value):
        settings.CREATIVE_SERVICES = value

    return put


def test_every_setting_has_a_default(services):
    services({})

    assert app_settings.default_tier is LLMTier.STANDARD
    assert app_settings.endpoints_allow_private is False
    assert app_settings.local_hosts == frozenset()
    assert app_settings.key_variables == {}
    assert app_settings.limits == Limits()
    assert app_settings.retry == Retry()
    assert app_settings.fallback_tiers == ()
    assert app_settings.tier_permissions == {}
    assert app_settings.strategy == "cheapest"
    assert app_settings.generate_upstream == "whole"
    assert (app_settings.hedge_after, app_settings.hedge_share) == (None, 0.05)
    assert app_settings.max_prompt_chars == 2_000_000
    assert app_settings.max_prompt_tokens is None
    assert app_settings.max_messages == 10_000
    assert app_settings.max_image_bytes == 20_000_000
    assert app_settings.max_body_bytes == 32_000_000
    assert app_settings.max_tokens == 2_000_000
    assert app_settings.encryption_keys == ()
    assert app_settings.proxy is None
    assert app_settings.ca_bundle is None


def test_no_dict_at_all_means_the_defaults(settings):
    del settings.CREATIVE_SERVICES

    assert app_settings.default_tier is LLMTier.STANDARD


def test_values_are_read_when_they_are_asked_for(services):
    services({"DEFAULT_TIER": "economy"})
    assert app_settings.default_tier is LLMTier.ECONOMY

    services({"DEFAULT_TIER": LLMTier.PREMIUM})
    assert app_settings.default_tier is LLMTier.PREMIUM


def test_values_come_typed(services):
    services(
        {
            "LIMITS": {"total": 10},
            "RETRY": Retry(max_retries=0),
            "FALLBACK_TIERS": ["standard", "economy"],
            "TIER_PERMISSIONS": {"premium": "app.may_spend"},
            "MAX_PROMPT_TOKENS": 1000,
            "STRATEGY": "cheapest_for_call",
            "GENERATE_UPSTREAM": "stream",
            "HEDGE_AFTER": 2,
            "HEDGE_SHARE": 0.1,
            "LOCAL_HOSTS": ["LLM.Example.com."],
            "KEY_VARIABLES": {"MY_KEY": ["llm.example.com"]},
            "PROXY": "http://proxy:3128",
            "CA_BUNDLE": "",
        }
    )

    assert app_settings.limits == Limits(total=10)
    assert app_settings.retry == Retry(max_retries=0)
    assert app_settings.fallback_tiers == (LLMTier.STANDARD, LLMTier.ECONOMY)
    assert app_settings.tier_permissions == {LLMTier.PREMIUM: "app.may_spend"}
    assert app_settings.max_prompt_tokens == 1000
    assert app_settings.strategy == "cheapest_for_call"
    assert app_settings.generate_upstream == "stream"
    assert (app_settings.hedge_after, app_settings.hedge_share) == (2.0, 0.1)
    assert app_settings.local_hosts == {"llm.example.com"}
    assert app_settings.key_variables == {"MY_KEY": {"llm.example.com"}}
    assert app_settings.proxy == "http://proxy:3128"
    assert app_settings.ca_bundle is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEFAULT_TIER", "luxury"),
        ("DEFAULT_TIER", 3),
        ("ENDPOINTS_ALLOW_PRIVATE", "yes"),
        ("LOCAL_HOSTS", "llm.example.com"),
        ("LOCAL_HOSTS", ["http://llm.example.com"]),
        ("LOCAL_HOSTS", [7]),
        ("LOCAL_HOSTS", [""]),
        ("LOCAL_HOSTS", ["llm.example.com:8080"]),
        ("LOCAL_HOSTS", ["*.example.com"]),
        ("LOCAL_HOSTS", ["me@llm.example.com"]),
        ("LOCAL_HOSTS", ["llm.example.com "]),
        ("KEY_VARIABLES", {"MY_KEY": ["llm.example.com:443"]}),
        ("KEY_VARIABLES", ["MY_KEY"]),
        ("KEY_VARIABLES", {"": ["llm.example.com"]}),
        ("KEY_VARIABLES", {"MY_KEY": "llm.example.com"}),
        ("LIMITS", {"total": 0}),
        ("LIMITS", {"totl": 9}),
        ("LIMITS", 9),
        ("RETRY", {"max_retries": -1}),
        ("FALLBACK_TIERS", "economy"),
        ("FALLBACK_TIERS", ["luxury"]),
        ("TIER_PERMISSIONS", ["premium"]),
        ("TIER_PERMISSIONS", {"luxury": "app.may"}),
        ("TIER_PERMISSIONS", {3: "app.may"}),
        ("TIER_PERMISSIONS", {"premium": "may"}),
        ("TIER_PERMISSIONS", {"premium": "app.may "}),
        ("TIER_PERMISSIONS", {"premium": ".may"}),
        ("TIER_PERMISSIONS", {"premium": None}),
        ("STRATEGY", "dearest"),
        ("STRATEGY", ["cheapest"]),
        ("GENERATE_UPSTREAM", "up"),
        ("GENERATE_UPSTREAM", True),
        ("HEDGE_AFTER", 0),
        ("HEDGE_AFTER", True),
        ("HEDGE_AFTER", "soon"),
        ("HEDGE_SHARE", 2),
        ("HEDGE_SHARE", False),
        ("MAX_PROMPT_CHARS", 0),
        ("MAX_PROMPT_TOKENS", 0),
        ("MAX_MESSAGES", "many"),
        ("MAX_IMAGE_BYTES", 0.5),
        ("MAX_BODY_BYTES", "1 MB"),
        ("MAX_TOKENS", True),
        ("ENCRYPTION_KEYS", "abc"),
        ("ENCRYPTION_KEYS", [b"abc"]),
        ("PROXY", 8080),
        ("PROXY", "proxy:3128"),
        ("PROXY", "socks5://proxy:1080"),
        ("PROXY", "http://proxy:99999"),
        ("PROXY", "http://proxy:0"),
        ("PROXY", "http://[::1"),
        ("CA_BUNDLE", 1),
        ("CA_BUNDLE", "/no/such/bundle.pem"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(services, name, value):
    services({name: value})

    with pytest.raises(
        ConfigurationError, match=name if name not in {"LIMITS", "RETRY"} else name.title() + "|" + name
    ):
        getattr(app_settings, name.lower())


def test_hosts_may_be_addresses(services):
    services({"LOCAL_HOSTS": ["100.64.0.7", "2001:db8::7"]})

    assert app_settings.local_hosts == {"100.64.0.7", "2001:db8::7"}


@pytest.mark.parametrize("kind", [str, Path])
def test_a_bundle_is_named_by_its_path(services, tmp_path, kind):
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    services({"CA_BUNDLE": kind(bundle)})

    assert app_settings.ca_bundle == str(bundle)


def test_a_proxys_password_is_not_quoted(services):
    services({"PROXY": "https://me:very-secret@proxy:3128"})

    with pytest.raises(ConfigurationError) as caught:
        _ = app_settings.proxy

    assert "very-secret" not in str(caught.value)


def test_a_refused_encryption_key_is_not_quoted(services):
    services({"ENCRYPTION_KEYS": "very-secret"})

    with pytest.raises(ConfigurationError) as caught:
        _ = app_settings.encryption_keys

    assert "very-secret" not in str(caught.value)


def test_unknown_keys_are_listed(services):
    services({"TEIR": 1, "DEFAULT_TIER": "local", "ANSWER": 42})

    assert app_settings.unknown_keys() == ["ANSWER", "TEIR"]


@pytest.mark.parametrize("name", NAMES)
def test_a_dict_that_is_none_is_refused_by_every_setting(services, name):
    services(["not", "a", "dict"])

    with pytest.raises(ConfigurationError, match="must be a dict"):
        getattr(app_settings, name)
