"""Machine keys in the admin: made, shown once, revoked; and nothing of them that could be used is kept or shown."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from creative_services.adapters.machine_keys import find, issue
from creative_services.admin import MachineKeyAdmin
from creative_services.models import MachineKey

LIST = reverse("admin:creative_services_machinekey_changelist")
ADD = reverse("admin:creative_services_machinekey_add")


def change(row):
    return reverse("admin:creative_services_machinekey_change", args=[row.pk])


@pytest.fixture
def ann(db, django_user_model):
    return django_user_model.objects.create_user("ann")


@pytest.fixture
def browser(admin_client):
    return admin_client


def browser_of(django_user_model, *permissions):
    user = django_user_model.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"{one}_machinekey" for one in permissions]))
    client = Client()
    client.force_login(user)
    return client


def add(browser, user, **more):
    return browser.post(ADD, {"name": "Nightly build", "user": user.pk, "expires_at_0": "", "expires_at_1": ""} | more)


def test_a_new_key_is_shown_in_the_answer_to_the_form_and_works(browser, ann):
    response = add(browser, ann)

    row = MachineKey.objects.get()
    text = response.context["key"].text
    assert f'<code id="machine-key">{text}</code>' in response.content.decode()
    assert find(text) == row
    assert (row.name, row.user, row.state) == ("Nightly build", ann, "active")
    assert "no-store" in response["Cache-Control"]


def test_nothing_but_that_answer_ever_has_the_key(browser, ann):
    response = add(browser, ann)
    text = response.context["key"].text
    row = MachineKey.objects.get()
    secret = text.removeprefix(f"csk_{row.prefix}_")

    later = [browser.get(page).content.decode() for page in (LIST, ADD, change(row), "/admin/")]
    kept = [str(entry.__dict__) for entry in LogEntry.objects.all()]
    kept += [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [str(cookie.value) for cookie in response.cookies.values()]
    kept += [str(MachineKey.objects.values().get())]

    assert len(kept) > 2
    assert len(secret) == 43
    assert not [page for page in later + kept if secret in page]
    assert not [page for page in later if row.digest in page]
    assert list(get_messages(response.wsgi_request)) == []
    assert secret not in repr(text)


def test_every_key_is_another(browser, ann):
    texts = {add(browser, ann).context["key"].text for _ in range(3)}

    assert len(texts) == 3
    assert {len(text.split("_", 2)[2]) for text in texts} == {43}  # 256 bits


def test_a_form_with_an_error_makes_no_key(browser, ann):
    response = add(browser, ann, name="")

    assert response.status_code == 200
    assert not MachineKey.objects.exists()


def test_what_a_key_is_for_and_how_long_can_be_changed_and_whose_it_is_cannot(browser, ann, admin_user):
    row = issue(ann, "Nightly build")
    before = MachineKey.objects.values("digest", "prefix", "user").get()

    browser.post(change(row), {
        "name": "Weekly build", "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00",
        "user": admin_user.pk, "digest": "0" * 64, "prefix": "x", "revoked_at_0": "2020-01-01",
    })  # fmt: skip

    row = MachineKey.objects.get()
    assert (row.name, row.state, row.revoked_at) == ("Weekly build", "expired", None)
    assert MachineKey.objects.values("digest", "prefix", "user").get() == before


def test_saving_a_page_that_was_open_since_before_does_not_bring_a_revoked_key_back(ann):
    row = issue(ann, "Nightly build")
    MachineKey.objects.update(revoked_at=timezone.now())
    form = type("Form", (), {"changed_data": ["name"]})

    MachineKeyAdmin(MachineKey, admin.site).save_model(None, row, form, change=True)

    assert MachineKey.objects.get().state == "revoked"


def test_revoked_keys_stay_revoked_since_the_first_time_and_the_history_says_who_did_it(browser, ann, admin_user):
    first, second = issue(ann, "first"), issue(ann, "second")
    long_ago = timezone.now() - timedelta(days=30)
    MachineKey.objects.filter(pk=first.pk).update(revoked_at=long_ago)

    response = browser.post(LIST, {"action": "revoke", "_selected_action": [first.pk, second.pk]})

    assert [str(message) for message in get_messages(response.wsgi_request)] == ["1 machine key revoked."]
    assert MachineKey.objects.get(pk=first.pk).revoked_at == long_ago
    assert MachineKey.objects.get(pk=second.pk).state == "revoked"
    assert list(LogEntry.objects.values_list("object_repr", "user")) == [("second", admin_user.pk)]


def test_the_list_says_which_keys_are_good(browser, ann, django_user_model, django_assert_max_num_queries):
    now = timezone.now()
    leaver = django_user_model.objects.create_user("leaver", is_active=False)
    keys = [issue(ann, "good", now + timedelta(days=1)), issue(ann, "old", now), issue(leaver, "left")]
    keys += [issue(ann, f"more {number}") for number in range(10)]
    MachineKey.objects.filter(pk=keys[3].pk).update(revoked_at=now)

    with django_assert_max_num_queries(9):
        page = browser.get(LIST).content.decode()

    for state in ("Active", "Expired", "Revoked", "User is not active"):
        assert f">{state}</td>" in page
    assert all(row.hint in page for row in keys)


@pytest.mark.parametrize("words", ["nightly", "ann"])
def test_keys_are_found_by_what_they_are_for_and_whose_they_are(browser, ann, django_user_model, words):
    issue(ann, "Nightly build")
    issue(django_user_model.objects.create_user("bob"), "Other")

    found = browser.get(LIST, {"q": words}).context["cl"].queryset

    assert [row.name for row in found] == ["Nightly build"]


@pytest.mark.parametrize(
    ("permissions", "statuses"),
    [
        ((), (403, 403, 403)),
        (("view",), (200, 403, 200)),
        (("add",), (403, 200, 403)),
        (("change",), (200, 403, 200)),
    ],
)
def test_the_usual_permissions_decide(ann, django_user_model, permissions, statuses):
    row = issue(ann, "Nightly build")
    browser = browser_of(django_user_model, *permissions)

    shown = tuple(browser.get(page).status_code for page in (LIST, ADD, change(row)))

    assert shown == statuses


def test_who_may_only_look_cannot_revoke(ann, django_user_model):
    row = issue(ann, "Nightly build")

    browser_of(django_user_model, "view").post(LIST, {"action": "revoke", "_selected_action": [row.pk]})

    assert MachineKey.objects.get().state == "active"


class Unsearchable(admin.ModelAdmin):
    pass


@pytest.mark.parametrize(("pages", "searched"), [(None, ()), (Unsearchable, ()), ("django's", ("user",))])
def test_users_are_searched_for_where_their_page_can_and_chosen_from_a_list_elsewhere(
    django_user_model, pages, searched
):
    site = admin.site if pages == "django's" else admin.AdminSite()
    if pages is Unsearchable:
        site.register(django_user_model, Unsearchable)

    assert MachineKeyAdmin(MachineKey, site).get_autocomplete_fields(RequestFactory().get("/")) == searched
