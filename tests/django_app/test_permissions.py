"""What users may, asked in one query; and the same as Django says, whoever is asked."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.utils.functional import SimpleLazyObject

from creative_services.adapters.permissions import held

ASKED = ("creative_services.generate", "auth.add_user", "auth.view_user", "auth.no_such", "nowhere.generate")


class OnWeekdays(ModelBackend):
    """A backend that knows better."""

    def has_perm(self, user_obj, perm, obj=None):
        return perm == "auth.view_user"


class Owner(User):
    """A user who may all by himself."""

    class Meta:
        proxy = True
        app_label = "auth"

    def has_perm(self, perm, obj=None):
        return perm == "auth.no_such"


def permission(codename):
    return Permission.objects.get(codename=codename)


@pytest.fixture
def ann(db, django_user_model):
    user = django_user_model.objects.create_user("ann")
    user.user_permissions.add(permission("generate"))
    for name, codenames in (("Writers", ["add_user", "generate"]), ("Readers", ["view_group"])):
        group = Group.objects.create(name=name)
        group.permissions.set([permission(codename) for codename in codenames])
        user.groups.add(group)
    others = Group.objects.create(name="Others")
    others.permissions.add(permission("view_user"))
    return user


def fresh(user):
    return type(user).objects.get(pk=user.pk)


def as_django_says(user):
    return {one for one in ASKED if fresh(user).has_perm(one)}


def test_own_permissions_and_those_of_groups_count(ann, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert held(ann, ASKED) == {"creative_services.generate", "auth.add_user"}
    assert held(ann, ASKED) == as_django_says(ann)


def test_one_permission_is_asked_for_alike(ann):
    assert [one for one in ASKED if held(ann, [one])] == ["creative_services.generate", "auth.add_user"]


def test_a_user_whom_nobody_has_looked_up_yet_is_looked_up_once(ann, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert held(SimpleLazyObject(lambda: fresh(ann)), ["auth.add_user"])


@pytest.mark.parametrize(("fields", "count"), [({"is_active": False}, 0), ({"is_superuser": True}, len(ASKED))])
def test_who_has_left_may_nothing_and_a_superuser_all_without_a_query(ann, django_assert_num_queries, fields, count):
    User.objects.update(**fields)
    user = fresh(ann)

    with django_assert_num_queries(0):
        assert len(held(user, ASKED)) == count
    assert held(user, ASKED) == as_django_says(user)


def test_nothing_asked_is_nothing_held(ann, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert held(ann, ()) == frozenset()


def test_a_backend_of_the_projects_own_decides(ann, settings):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.OnWeekdays"]

    assert held(ann, ASKED) == {"auth.view_user"} == as_django_says(ann)


def test_a_class_of_users_that_decides_itself_is_asked(ann):
    owner = Owner.objects.get(pk=ann.pk)

    assert held(owner, ASKED) == {"auth.no_such"}


def test_a_stranger_holds_nothing(db):
    assert held(AnonymousUser(), ASKED) == frozenset()


def test_permissions_are_told_apart_by_case_in_every_database(ann):
    assert not held(ann, ["creative_services.GENERATE"])
