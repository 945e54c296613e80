from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

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
