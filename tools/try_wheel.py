"""Uses the installed package the way a project would: settings, migrations, checks, admin, one answered call."""

import asyncio
from importlib.metadata import version
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

import creative_services
from creative_services import DictRegistry, DynamicLLMClient, LLMEntry, LLMTier
from creative_services.testing import FakeProvider

PACKAGE = Path(creative_services.__file__).parent

settings.configure(
    SECRET_KEY="only-for-this-run",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF="creative_services.urls",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "rest_framework",
        "creative_services",
    ],
)


def main() -> None:
    """Fail loudly at the first thing that the wheel lacks."""
    assert "site-packages" in PACKAGE.parts, f"not the installed package: {PACKAGE}"
    assert (PACKAGE / "py.typed").is_file(), "the wheel lacks py.typed"
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, verbosity=0)
    call_command("seed_llms", documented=True)
    entry = LLMEntry(1, "One", "openai", "gpt-4o-mini", LLMTier.STANDARD, api_key="sk-none")
    client = DynamicLLMClient(DictRegistry([entry]), transport=FakeProvider("Hello"))
    answer = asyncio.run(client.generate("Hi"))
    assert answer.text == "Hello", answer
    print(f"creative-services {version('creative-services')} works from {PACKAGE}")


main()
