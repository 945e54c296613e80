from datetime import timedelta

import pytest
from django.utils import timezone

from creative_services.adapters.machine_keys import find
from creative_services.models import MachineKey
from tests.commands.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ann(django_user_model):
    return django_user_model.objects.create_user("ann")


def test_the_key_is_all_that_is_printed_to_stdout(ann):
    done = run("create_llm_key", "ann", "--name", "Nightly build")

    row = find(done.out.strip())
    assert done.code == 0
    assert (row.user, row.name, row.expires_at, row.state) == (ann, "Nightly build", None, "active")


def test_a_user_who_may_not_ask_yet_is_named(admin_user):
    assert "creative_services.generate" in run("create_llm_key", "ann", "--name", "x").err
    assert run("create_llm_key", admin_user.username, "--name", "x").err == ""


def test_a_key_may_be_good_for_some_days_only():
    run("create_llm_key", "ann", "--name", "x", "--expires-in", "30")

    left = MachineKey.objects.get().expires_at - timezone.now()
    assert timedelta(days=29.9) < left <= timedelta(days=30)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("bob", "--name", "x"), "no user 'bob'"),
        (("ann", "--name", "x", "--expires-in", "0"), "from 1 to"),
        (("ann", "--name", "x", "--expires-in", "99999999999"), "from 1 to"),
        (("ann", "--name", "x" * 101), "100"),
        (("ann", "--name", ""), "blank"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_makes_no_key(words, told):
    done = run("create_llm_key", *words)

    assert told in done.error
    assert done.out == ""
    assert not MachineKey.objects.exists()
