"""Every kind of write of a budget is seen by the next call."""

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from creative_services.adapters import DjangoLLMRegistry
from creative_services.adapters.budgets import Budgets
from creative_services.models import Budget, RegistryToken
from creative_services.testing import LlmsFactory
from tests.ledger.plans import budget, planned

transactional = pytest.mark.django_db(transaction=True)


def save():
    row = Budget.objects.get()
    row.limit = Decimal(20)
    row.save()


def update():
    Budget.objects.update(limit=Decimal(20))


def bulk_update():
    row = Budget.objects.get()
    row.limit = Decimal(20)
    Budget.objects.bulk_update([row], ["limit"])


def update_or_create():
    Budget.objects.update_or_create(name="Team", defaults={"limit": Decimal(20)})


def bulk_create():
    Budget.objects.all().delete()
    Budget.objects.bulk_create([Budget(name="Team", limit=Decimal(20))])


def delete_and_create():
    Budget.objects.get().delete()
    budget("20")


def data_migration():
    historical = MigrationExecutor(connection).loader.project_state().apps.get_model("creative_services", "Budget")
    historical.objects.update(limit=Decimal(20))


@pytest.fixture
def limits():
    LlmsFactory()
    budgets, registry = Budgets(), DjangoLLMRegistry()

    def limits():
        plan = planned(entry=registry.get_by_tier("standard"))
        return [claim.budget.limit for claim in budgets.matching(connection, plan)]

    return limits


@transactional
@pytest.mark.parametrize(
    "write", [save, update, bulk_update, update_or_create, bulk_create, delete_and_create, data_migration]
)
def test_every_write_is_seen_and_its_rollback_too(write, limits):
    budget("10")
    assert limits() == [10]
    with transaction.atomic():
        write()
        assert limits() == [20]
        transaction.set_rollback(True)
    assert limits() == [10]

    write()

    assert limits() == [20]


@transactional
@pytest.mark.parametrize("scope", ["user", "group"])
def test_a_budget_goes_with_its_user_or_group(scope, limits):
    owner = get_user_model().objects.create_user("ann") if scope == "user" else Group.objects.create(name="writers")
    budget("10", **{scope: owner})
    budget("5", name="all")
    limits()

    owner.delete()

    assert limits() == [5]
    assert Budget.objects.count() == 1


@transactional
def test_without_a_token_budgets_are_read_each_time(limits):
    budget("10")
    RegistryToken.objects.all().delete()

    assert limits() == limits() == [10]


@transactional
def test_a_call_is_held_against_the_budgets_of_its_start():
    LlmsFactory()
    budget("10")
    budgets, registry = Budgets(), DjangoLLMRegistry()
    plan = planned(entry=registry.get_by_tier("standard"))
    budgets.matching(connection, plan)
    Budget.objects.update(limit=Decimal(20))

    assert [claim.budget.limit for claim in budgets.matching(connection, plan)] == [10]


@transactional
def test_only_the_latest_states_are_kept(limits):
    row = budget("10")
    for number in range(1, 8):
        row.limit = Decimal(number)
        row.save()
        assert limits() == [number]
