import json
from io import StringIO

import pytest
from django.core.management import call_command

from creative_services.models import Llms, RegistryToken
from tests.django_app.rows import KEY, make

pytestmark = pytest.mark.django_db


def dumped(**options):
    out = StringIO()
    call_command("dumpdata", "creative_services", stdout=out, **options)
    return out.getvalue()


def load(tmp_path, text):
    path = tmp_path / "llms.json"
    path.write_text(text)
    call_command("loaddata", str(path), verbosity=0)


@pytest.mark.parametrize("format", ["json", "jsonl", "xml"])
def test_a_fixture_holds_no_key_and_no_ciphertext(format):
    make()

    text = dumped(format=format)

    assert KEY not in text
    assert "cs1:" not in text


def test_a_round_trip_restores_all_but_the_key(tmp_path):
    make(name="a", cost_per_1k_input=0.00015, extra_params={"top_p": 1}, notes="ü")
    make(name="able", context_window=128_000, supports_images=True, supports_tools=False)
    make(name="env", api_key="env:OPENAI_API_KEY")
    make(name="none", api_key=None)
    before = list(Llms.objects.order_by("pk").values())
    text = dumped()
    Llms.objects.all().delete()

    load(tmp_path, text)

    after = list(Llms.objects.order_by("pk").values())
    # JSON keeps milliseconds of times.
    dropped = {"api_key": None, "created_at": None, "updated_at": None}
    assert [row | dropped for row in after] == [row | dropped for row in before]
    assert [str(row["api_key"]) for row in after] == ["None", "None", "from OPENAI_API_KEY", "None"]


def test_a_fixture_loaded_over_its_row_keeps_the_key(tmp_path):
    row = make()
    text = dumped()
    Llms.objects.update(max_tokens=7)

    load(tmp_path, text)

    row.refresh_from_db()
    assert row.max_tokens == 4096
    assert row.api_key.reveal() == KEY


def test_a_fixture_cannot_bring_a_plain_key(tmp_path):
    make()
    [llm] = [row for row in json.loads(dumped()) if row["model"] == "creative_services.llms"]
    llm["fields"]["api_key"] = KEY

    with pytest.raises(Exception, match=r"save\(\)") as caught:
        load(tmp_path, json.dumps([llm]))

    assert KEY not in str(caught.value)


def test_a_fixture_brings_no_old_token_back(tmp_path):
    make()
    text, before = dumped(), RegistryToken.objects.get().token
    Llms.objects.update(max_tokens=7)

    load(tmp_path, text)

    assert before not in text
    assert RegistryToken.objects.get().token != before
