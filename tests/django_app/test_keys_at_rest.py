import copy
import pickle
import traceback

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.forms import modelform_factory
from django.test.utils import CaptureQueriesContext
from django.views.debug import ExceptionReporter

from creative_services.core.errors import ConfigurationError
from creative_services.fields import ApiKey
from creative_services.models import Llms
from tests.django_app.rows import KEY, make, values

pytestmark = pytest.mark.django_db
FIRST, SECOND = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def stored(row):
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM creative_services_llms WHERE id = %s", [row.pk])
        return cursor.fetchone()[0]


def overwrite(row, text):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE creative_services_llms SET api_key = %s WHERE id = %s", [text, row.pk])
    return Llms.objects.get(pk=row.pk)


def test_the_database_holds_ciphertext():
    row = make()

    assert KEY not in stored(row)
    assert stored(row).startswith("cs1:")
    assert Llms.objects.get().api_key.reveal() == KEY


def test_each_encryption_differs():
    assert stored(make(name="a")) != stored(make(name="b"))


@pytest.mark.parametrize("empty", [None, ""])
def test_no_key_is_null(empty):
    row = make(api_key=empty)

    assert stored(row) is None
    assert Llms.objects.get().api_key is None
    assert Llms.objects.filter(api_key=None, api_key__isnull=True).exists()
    assert not Llms.objects.exclude(api_key=None).exists()


def test_nothing_shows_the_key():
    row = make()
    row.refresh_from_db()
    shown = [
        repr(row.api_key),
        str(row.api_key),
        repr(vars(row)),
        repr(list(Llms.objects.values())),
        repr(list(Llms.objects.values_list("api_key", flat=True))),
        repr(list(Llms.objects.annotate(k=F("api_key")).values("k"))),
        repr(pickle.dumps(row)),
        repr(Llms(**values(name="unsaved")).__dict__),
        row.key_hint,
    ]

    assert not [text for text in shown if KEY in text]


def test_no_query_carries_the_key():
    with CaptureQueriesContext(connection) as queries:
        row = make()
        row.api_key = KEY + "-new"
        row.save()
        Llms.objects.bulk_create([Llms(**values(name="b"))])

    assert KEY not in repr(queries.captured_queries)


def fail_with_a_key_at_hand(row):
    key, opened = row.api_key, row.api_key.reveal()
    raise RuntimeError(f"{key}, {opened!r}, {row!r}")


def test_no_traceback_and_no_debug_page_shows_the_key(rf):
    with pytest.raises(RuntimeError) as caught:
        fail_with_a_key_at_hand(make())
    error = caught.value

    page = ExceptionReporter(rf.get("/"), type(error), error, error.__traceback__).get_traceback_html()
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert "opened" in page
    assert "opened" in text
    assert KEY not in page
    assert KEY not in text


@pytest.mark.parametrize("write", ["assign", "save", "form"])
def test_no_frame_of_ours_holds_a_key_in_the_clear_when_something_breaks(write, settings):
    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": ["broken"]}
    form = modelform_factory(Llms, fields=["name", "provider", "model", "tier", "api_key", "max_tokens"])
    acts = {
        "assign": lambda: Llms(**values(api_key=KEY + "\x00")),
        "save": make,
        "form": lambda: form(values() | {"max_tokens": 1}).save(),
    }

    with pytest.raises((ConfigurationError, ValidationError)) as caught, transaction.atomic():
        acts[write]()

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if "creative_services" in frame.f_code.co_filename]
    assert ours
    assert KEY not in repr([frame.f_locals for frame in ours])


@pytest.mark.parametrize("lookup", ["api_key", "api_key__exact", "api_key__in", "api_key__startswith", "api_key__gt"])
def test_rows_cannot_be_found_by_their_key(lookup):
    make()

    with pytest.raises(FieldError, match="isnull"):
        list(Llms.objects.filter(**{lookup: [KEY] if lookup.endswith("in") else KEY}))


@pytest.mark.parametrize("bad", ["env: ", "sk-a\nb", "sk-\x00", "schlüssel", "   ", "env:A B", "env:1A", "cs1:abc", 7])
def test_what_cannot_be_a_key_is_refused_and_not_quoted(bad):
    with pytest.raises(ValidationError) as caught:
        Llms(**values(api_key=bad))

    assert not str(bad).strip() or str(bad) not in str(caught.value)


def test_space_around_a_key_is_dropped():
    assert make(api_key=f" {KEY}\n").api_key.reveal() == KEY


def test_the_hint_shows_the_end_of_a_long_key_only(monkeypatch):
    assert make(name="long").key_hint == "set, ends in …cdef"
    assert make(name="short", api_key="sk-123").key_hint == "set"
    assert make(name="none", api_key=None).key_hint == "none"
    assert make(name="env", api_key="env:OPENAI_API_KEY").key_hint == "from OPENAI_API_KEY"
    assert overwrite(make(name="bad"), "cs1:abc").key_hint == "cannot be decrypted"


def test_a_reference_is_stored_readable_and_holds_no_key():
    row = make(api_key="env:OPENAI_API_KEY")

    assert stored(row) == "env:OPENAI_API_KEY"
    assert row.api_key.reference == "OPENAI_API_KEY"
    assert row.api_key.origin is None
    assert row.api_key.is_current
    assert row.api_key.resealed() is row.api_key
    assert repr(row.api_key) == "<ApiKey env:OPENAI_API_KEY>"
    with pytest.raises(ConfigurationError, match="environment variable"):
        row.api_key.reveal()


def test_a_saved_key_knows_where_it_may_go():
    row = make(api_endpoint="https://LLM.example.com/v1")

    assert row.api_key.origin == "https://llm.example.com:443"
    assert Llms(**values()).api_key.origin is None
    assert make(name="own").api_key.origin == "https://api.openai.com:443"


def test_editing_the_row_does_not_move_its_key():
    row = make()
    row.api_endpoint = "https://collector.example.com"
    row.save()

    assert Llms.objects.get().api_key.origin == "https://api.openai.com:443"


def test_a_key_of_another_row_keeps_its_host():
    row = make()
    twin = make(name="twin", api_endpoint="https://collector.example.com", api_key=row.api_key)

    assert twin.api_key.origin == "https://api.openai.com:443"


def test_update_cannot_take_a_key_because_it_knows_no_host():
    make()

    with pytest.raises(FieldError, match=r"save\(\)"), transaction.atomic():
        Llms.objects.update(api_key=KEY)

    Llms.objects.update(api_key="env:OPENAI_API_KEY")
    assert Llms.objects.get().api_key.reference == "OPENAI_API_KEY"
    Llms.objects.update(api_key=None)
    assert Llms.objects.get().api_key is None


def test_bulk_writes_seal_keys_too():
    rows = Llms.objects.bulk_create([Llms(**values(name=name)) for name in "ab"])
    rows[0].api_key = KEY + "-2"
    Llms.objects.bulk_update(rows, ["api_key", "max_tokens"])

    assert [row.api_key.reveal() for row in Llms.objects.order_by("name")] == [KEY + "-2", KEY]
    assert KEY not in stored(rows[0])


def test_keys_stay_readable_when_encryption_keys_change_in_order(settings):
    derived = make(name="derived")
    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": [FIRST]}
    first = make(name="first")
    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": [SECOND, FIRST]}
    second = make(name="second")

    assert [row.api_key.reveal() for row in (derived, first, second)] == [KEY] * 3
    assert [row.api_key.is_current for row in (derived, first, second)] == [False, False, True]


def test_resealing_uses_the_first_key_and_keeps_the_host(settings):
    row = make()
    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": [FIRST]}
    row.api_key = row.api_key.resealed()
    row.save()
    settings.SECRET_KEY = "changed"

    again = Llms.objects.get().api_key
    assert again.is_current
    assert (again.reveal(), again.origin) == (KEY, "https://api.openai.com:443")


def test_a_former_secret_key_still_decrypts(settings):
    row = make()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = b"new", [settings.SECRET_KEY]

    assert row.api_key.reveal() == KEY


@pytest.mark.parametrize("text", ["sk-plain-text-of-old", "cs1:not-a-token", "cs2:gAAAA"])
def test_what_does_not_decrypt_is_an_error_that_does_not_show_it(text):
    row = overwrite(make(), text)

    with pytest.raises(ConfigurationError) as caught:
        row.api_key.reveal()

    assert text not in str(caught.value)
    assert text not in repr(row.api_key)
    assert not row.api_key.is_current


def test_saving_a_row_does_not_turn_foreign_text_into_a_key():
    row = overwrite(make(), "sk-plain-text-of-old")
    row.notes = "edited"
    row.save()

    assert stored(row) == "sk-plain-text-of-old"


def test_a_wrong_encryption_key_is_named_by_its_setting(settings):
    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": ["too-short"]}

    with pytest.raises(ConfigurationError, match="ENCRYPTION_KEYS") as caught:
        make()

    assert "too-short" not in str(caught.value)


def test_a_deferred_key_is_loaded_when_asked_for():
    make()

    row = Llms.objects.defer("api_key").get()

    assert "api_key" in row.get_deferred_fields()
    assert row.api_key.reveal() == KEY


def test_rows_can_be_copied_and_pickled_once_saved():
    unsaved = Llms(**values())
    assert copy.deepcopy(unsaved).api_key is unsaved.api_key
    with pytest.raises(ConfigurationError, match="pickled"):
        pickle.dumps(unsaved.api_key)

    row = make()
    assert pickle.loads(pickle.dumps(row)).api_key.reveal() == KEY  # noqa: S301 - our own bytes
    assert isinstance(row.api_key, ApiKey)
