import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import override_settings

from creative_services.adapters import DjangoLLMRegistry
from creative_services.models import Llms, RegistryToken
from creative_services.testing import LlmsFactory
from tests.commands.running import run

pytestmark = pytest.mark.django_db

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def keys(*values):
    return override_settings(CREATIVE_SERVICES={"ENCRYPTION_KEYS": list(values)})


@pytest.fixture
def old():
    with keys(OLD):
        return LlmsFactory(name="Old", api_key="sk-of-the-old-row-1234")


def stored(row):
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM creative_services_llms WHERE id = %s", [row.pk])
        return cursor.fetchone()[0]


def test_afterwards_the_first_key_opens_every_row(old):
    with keys(NEW, OLD):
        current = LlmsFactory(name="Current")
        before = stored(current)
        done = run("rotate_llm_keys")

    with keys(NEW):
        assert DjangoLLMRegistry().get_by_id(old.pk).api_key == "sk-of-the-old-row-1234"
    assert stored(current) == before
    assert done.out == f"#{old.pk} Old\nEncrypted anew: 1.\n"
    assert done.code == 0


def test_a_dry_run_changes_nothing(old):
    before = stored(old)

    with keys(NEW, OLD):
        done = run("rotate_llm_keys", "--dry-run")

    assert stored(old) == before
    assert f"#{old.pk} Old" in done.out
    assert "Would be encrypted anew: 1." in done.out


def test_a_key_that_no_key_opens_is_named_and_kept(old):
    with keys(LOST):
        lost = LlmsFactory(name="Lost")
        LlmsFactory(name="Without", api_key=None)
        LlmsFactory(name="Reference", api_key="env:OPENAI_API_KEY")
    before = stored(lost)

    with keys(NEW, OLD):
        done = run("rotate_llm_keys")

    assert done.code == 1
    assert done.err == f"#{lost.pk} Lost: its API key cannot be decrypted.\n"
    assert stored(lost) == before
    assert "#" + str(old.pk) in done.out


def test_other_processes_are_told_of_new_ciphertext_and_of_nothing_else(old):
    before = RegistryToken.objects.get().token

    with keys(NEW, OLD):
        run("rotate_llm_keys")
        rotated = RegistryToken.objects.get().token
        run("rotate_llm_keys")

    assert rotated != before
    assert RegistryToken.objects.get().token == rotated


def test_nothing_else_of_the_row_changes(old):
    before = Llms.objects.filter(pk=old.pk).values("updated_at", "model", "is_active").get()

    with keys(NEW, OLD):
        run("rotate_llm_keys")

    assert Llms.objects.filter(pk=old.pk).values("updated_at", "model", "is_active").get() == before


def test_a_bad_setting_is_named(old):
    with keys("not-a-fernet-key"):
        done = run("rotate_llm_keys")

    assert done.code == 1
    assert "ENCRYPTION_KEYS" in done.error
