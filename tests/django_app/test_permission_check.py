"""What `check --database` says of the permissions that tiers ask for."""

import pytest
from django.core import checks
from django.db import connection


def found(*databases):
    messages = checks.run_checks(databases=list(databases))
    return [message.msg for message in messages if message.id == "creative_services.W007"]


@pytest.fixture(autouse=True)
def permissions(settings):
    settings.CREATIVE_SERVICES = {"TIER_PERMISSIONS": {"premium": "auth.add_user", "local": "auth.may.spend"}}


@pytest.mark.django_db
def test_a_permission_that_does_not_exist_is_named_with_its_tier():
    (told,) = found("default")

    assert "'auth.may.spend'" in told
    assert "'local'" in told


@pytest.mark.django_db
def test_permissions_are_only_read_when_their_database_is_asked_for(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert found() == []


@pytest.mark.django_db
@pytest.mark.parametrize("value", [{}, {"TIER_PERMISSIONS": ["premium"]}])
def test_where_no_permission_is_asked_for_none_is_missing(settings, value):
    settings.CREATIVE_SERVICES = value

    assert found("default") == []


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_migrated_yet_is_no_trouble():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_permission RENAME TO elsewhere")
        try:
            assert found("default") == []
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO auth_permission")
