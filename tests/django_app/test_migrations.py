from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from creative_services.models import Llms
from tests.django_app.rows import make


@pytest.mark.django_db
@pytest.mark.parametrize(
    "project",
    [
        {},
        {"DEFAULT_AUTO_FIELD": "django.db.models.AutoField"},
        {"LANGUAGE_CODE": "de"},
        {"USE_TZ": False},
        {"CREATIVE_SERVICES": {"ENDPOINTS_ALLOW_PRIVATE": True, "LOCAL_HOSTS": ["llm.example.com"]}},
    ],
)
def test_no_project_is_asked_for_a_migration_of_ours(settings, project):
    for name, value in project.items():
        setattr(settings, name, value)
    out = StringIO()

    call_command("makemigrations", "creative_services", check=True, dry_run=True, stdout=out)

    assert "No changes" in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_app_can_be_taken_out_and_put_back():
    call_command("migrate", "creative_services", "zero", verbosity=0)
    try:
        assert not [name for name in connection.introspection.table_names() if name.startswith("creative_services")]
    finally:
        call_command("migrate", "creative_services", verbosity=0)

    make()
    assert Llms.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_rows_of_the_version_before_stay_and_what_they_can_do_is_unknown():
    before = ("creative_services", "0001_initial")
    call_command("migrate", *before, verbosity=0)
    try:
        old = MigrationExecutor(connection).loader.project_state(before).apps.get_model("creative_services", "Llms")
        old.objects.create(name="GPT", provider="openai", model="gpt-4o", tier="standard")
    finally:
        call_command("migrate", "creative_services", verbosity=0)

    row = Llms.objects.get()
    assert (row.name, row.model) == ("GPT", "gpt-4o")
    assert (row.context_window, row.supports_images, row.supports_tools, row.supports_json_schema) == (None,) * 4
