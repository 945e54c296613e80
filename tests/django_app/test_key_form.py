import pytest
from django.forms import modelform_factory
from django.utils.html import escape

from creative_services.fields.forms import ApiKeyInput
from creative_services.models import Llms
from tests.django_app.rows import KEY, make

pytestmark = pytest.mark.django_db
FIELDS = ["name", "provider", "model", "tier", "api_key", "api_endpoint", "max_tokens", "is_active"]
LlmsForm = modelform_factory(Llms, fields=FIELDS)


def data(row, **changes):
    kept = {name: getattr(row, name) for name in FIELDS if name != "api_key"}
    return {name: "on" if value is True else value for name, value in kept.items()} | changes


def saved(row, **changes):
    form = LlmsForm(data(row, **changes), instance=row)
    assert form.is_valid(), form.errors
    form.save()
    return Llms.objects.get(pk=row.pk), form


def test_the_form_never_shows_the_key():
    html = LlmsForm(instance=make()).as_p()

    assert KEY not in html
    assert "set, ends in …cdef" in html
    assert 'name="api_key-remove"' in html


def test_a_form_with_errors_does_not_show_what_was_typed():
    row = make()
    form = LlmsForm(data(row, name="", api_key="sk-just-typed-1234567"), instance=row)

    assert not form.is_valid()
    assert "sk-just-typed" not in form.as_p()
    assert "sk-just-typed" not in repr(form.cleaned_data)


def test_a_row_without_a_key_offers_nothing_to_remove():
    assert "remove" not in LlmsForm(instance=make(api_key=None)).as_p()
    assert "remove" not in LlmsForm().as_p()


def test_an_empty_box_keeps_the_key():
    row, form = saved(make(), api_key="  ")

    assert row.api_key.reveal() == KEY
    assert "api_key" not in form.changed_data


def test_a_form_without_the_box_keeps_the_key():
    row, form = saved(make())

    assert row.api_key.reveal() == KEY
    assert form.changed_data == []


def test_a_typed_key_replaces_it():
    row, form = saved(make(), api_key="sk-new")

    assert row.api_key.reveal() == "sk-new"
    assert form.changed_data == ["api_key"]


def test_the_tick_box_removes_it():
    row, form = saved(make(), **{"api_key": "", "api_key-remove": "on"})

    assert row.api_key is None
    assert form.changed_data == ["api_key"]


def test_removing_what_is_not_there_is_no_change():
    _, form = saved(make(api_key=None), **{"api_key-remove": "on"})

    assert form.changed_data == []


def test_a_typed_key_wins_over_the_tick_box():
    row, _ = saved(make(), **{"api_key": "sk-new", "api_key-remove": "on"})

    assert row.api_key.reveal() == "sk-new"


def test_a_reference_can_be_typed():
    row, _ = saved(make(), api_key="env:OPENAI_API_KEY")

    assert row.api_key.reference == "OPENAI_API_KEY"
    assert "from OPENAI_API_KEY" in LlmsForm(instance=row).as_p()


@pytest.mark.parametrize("typed", ["sk-a\nb", "schlüssel", "env:NO WAY"])
def test_what_cannot_be_a_key_is_a_form_error(typed):
    row = make()
    form = LlmsForm(data(row, api_key=typed), instance=row)

    assert list(form.errors) == ["api_key"]
    assert escape(typed) not in form.as_p()


def test_a_new_host_needs_the_key_again():
    row = make()
    elsewhere = {"api_endpoint": "https://llm.example.com/v1"}

    assert "another host" in str(LlmsForm(data(row, **elsewhere), instance=row).errors)
    moved, _ = saved(Llms.objects.get(), api_key="sk-new", **elsewhere)
    assert moved.api_key.origin == "https://llm.example.com:443"


def test_a_list_form_without_these_fields_reports_the_fault_too():
    row = make()
    Llms.objects.update(api_endpoint="http://127.0.0.1/")
    form = modelform_factory(Llms, fields=["is_active"])({}, instance=Llms.objects.get(pk=row.pk))

    assert not form.is_valid()
    assert form.non_field_errors()


def test_a_form_without_the_box_and_the_tick_box_says_nothing_about_the_key():
    widget = ApiKeyInput()

    assert widget.value_omitted_from_data({}, {}, "api_key")
    assert not widget.value_omitted_from_data({"api_key": ""}, {}, "api_key")
    assert not widget.value_omitted_from_data({"api_key-remove": "on"}, {}, "api_key")
