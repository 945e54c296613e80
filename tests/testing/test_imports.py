import subprocess
import sys

import pytest


def imported(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_fake_provider_needs_no_django_no_pytest_and_no_factory_boy() -> None:
    modules = imported("from creative_services.testing import FakeProvider, Failure, Reply")

    assert not {"django", "asgiref", "pytest", "factory"} & modules


def test_the_app_itself_loads_nothing_that_is_for_tests() -> None:
    modules = imported(
        "import os, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "django.setup()\n"
        "import creative_services.urls\n"
        "from creative_services.adapters import get_client, get_sync_client\n"
        "get_client(), get_sync_client()"
    )

    assert "creative_services.core.transport" in modules
    assert not {"pytest", "factory", "creative_services.testing"} & modules


def test_an_unknown_name_is_an_attribute_error() -> None:
    from creative_services import testing

    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = testing.nothing
