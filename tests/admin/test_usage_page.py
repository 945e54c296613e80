"""The admin's page of usage: for eyes, for screen readers, and as files."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import Permission
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from creative_services.models import Budget, BudgetPeriod, LlmCall, MachineKey
from creative_services.testing import LlmsFactory
from tests.ledger.calls import NOON, at, call, values

USAGE = "/admin/creative_services/usage/"
CHARTS = ("US dollars by tier", "US dollars by LLM", "Calls by tier", "Calls by LLM")


@pytest.fixture(autouse=True)
def friday(settings):
    settings.TIME_ZONE = "UTC"
    with at(NOON):
        yield


@pytest.fixture
def browse(admin_user):
    client = Client()
    client.force_login(admin_user)
    return lambda **query: client.get(USAGE, {name.rstrip("_"): value for name, value in query.items()})


def text(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rows(html):
    """The texts of a table's rows."""
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    return [[text(cell) for cell in row] for row in cells]


def module(response, heading):
    """The rows under a heading, without the line of headings."""
    html = response.content.decode().replace("\n", " ")
    return rows(re.search(rf"<h2>{heading}</h2>.*?<tbody>(.*?)</tbody>", html)[1])


def figures(response):
    html = response.content.decode()
    return {text(name): text(value) for name, value in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html)}


def charts(response):
    """Title, drawing and table of each figure."""
    found = {}
    for html in re.findall(r"<figure>(.*?)</figure>", response.content.decode(), re.DOTALL):
        drawing = ElementTree.fromstring(re.search(r"<svg.*?</svg>", html, re.DOTALL)[0])  # noqa: S314 - our own
        found[text(re.search(r"<figcaption>(.*?)<", html)[1])] = (drawing, rows(html.replace("\n", " ")))
    return found


def test_the_page_stands_in_the_index_and_has_a_name(admin_client):
    assert reverse("admin:creative_services_usage_changelist") == USAGE
    assert USAGE in admin_client.get("/admin/creative_services/").content.decode()


@pytest.mark.parametrize(("permission", "status"), [("view_llmcall", 200), ("change_llmcall", 200), ("view_llms", 403)])
def test_those_who_may_see_calls_may_see_it(django_user_model, permission, status):
    user = django_user_model.objects.create_user("ann", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=permission))
    client = Client()
    client.force_login(user)

    assert client.get(USAGE).status_code == status
    assert (USAGE in client.get("/admin/").content.decode()) == (status == 200)


def test_strangers_are_asked_to_log_in_and_nothing_can_be_posted(client, admin_client):
    assert client.get(USAGE).status_code == 302
    assert admin_client.post(USAGE).status_code == 405


def test_figures_tell_money_failures_and_times(browse):
    for _ in range(3):
        call(cost=Decimal("0.4"))
    call(cost=Decimal(0), outcome="error", input_tokens=None, output_tokens=None)

    told = figures(browse())

    assert told["spent"] == "$1.20"
    assert (told["calls"], told["failed"], told["tokens in / out"]) == ("4", "25.0%", "3,000 / 300")
    assert re.fullmatch(r"[12]\.\d\d s", told["half answered within"])
    assert re.fullmatch(r"[12]\.\d\d s", told["95 % answered within"])


def test_nothing_is_shown_as_nothing(browse):
    response = browse()

    assert figures(response) == {
        "spent": "?",
        "calls": "0",
        "failed": "0.0%",
        "half answered within": "–",
        "95 % answered within": "–",
        "tokens in / out": "? / ?",
    }
    assert module(response, "LLMs") == module(response, "Top callers") == [["No calls."]]
    assert module(response, "Budgets, now") == [["No budget is active."]]
    assert set(charts(response)) == set(CHARTS)


def test_calls_of_unknown_cost_are_told(browse):
    call(cost=None)
    call(cost=None, llm_name="Other")
    call(cost=Decimal("0.00001234"))

    response = browse()

    assert "2 calls of unknown cost are not in these sums." in text(response.content.decode())
    assert [(line[0], line[6]) for line in module(response, "LLMs")] == [
        ("GPT openai gpt-5, Standard", "$0.0000123 1 call of unknown cost"),
        ("Other openai gpt-5, Standard", "? 1 call of unknown cost"),
    ]


def test_llms_stand_by_what_they_cost_with_failures_and_times(browse):
    call(llm_name="Dear", cost=Decimal(2), latency_seconds=20.0)
    call(llm_name="Cheap", cost=Decimal("0.5"), tier="own")
    call(llm_name="Cheap", cost=Decimal(0), tier="own", outcome="lost", latency_seconds=None)

    dear, cheap = module(browse(), "LLMs")

    assert dear[:3] == ["Dear openai gpt-5, Standard", "1", "0.0%"]
    assert cheap[:3] == ["Cheap openai gpt-5, own", "2", "50.0%"]
    assert re.fullmatch(r"\d\d s", dear[3])
    assert (dear[6], cheap[6]) == ("$2.00", "$0.50")


def test_callers_have_the_names_of_users_keys_and_tasks(browse, admin_user):
    key = MachineKey.objects.create(name="robot", user=admin_user, prefix="p", digest="d")
    call(user=admin_user, machine_key=key, caller="search", cost=Decimal(5))
    call(caller="nightly", cost=Decimal(4))
    call(user_id=4711, machine_key_id=4712, cost=Decimal(3))
    call(cost=Decimal(2))
    call(machine_key=key, caller="none of ours", cost=Decimal(1))

    assert [line[0] for line in module(browse(), "Top callers")] == [
        "admin key robot",
        "nightly",
        "user 4711, deleted key 4712, deleted",
        "unnamed",
        "key robot",
    ]


def test_only_the_first_callers_are_shown(browse):
    LlmCall.objects.bulk_create(LlmCall(**values(caller=f"task {number}")) for number in range(15))

    assert len(module(browse(), "Top callers")) == 10


def test_active_budgets_have_bars(browse):
    BudgetPeriod.objects.create(
        budget=Budget.objects.create(name="Team", limit=Decimal(10), period="month"),
        starts_at=NOON.replace(day=1, hour=0),
        spent=Decimal(4),
    )
    Budget.objects.create(name="Old", limit=Decimal(10), is_active=False)

    (line,) = module(browse(), "Budgets, now")

    assert line[:2] == ["Team", "Month"]
    assert line[2].startswith("$4.00 spent, $0.00 reserved, $6.00 left")


def test_each_drawing_has_a_title_a_summary_and_a_table_of_its_numbers(browse):
    LlmsFactory()
    call(cost=Decimal(1), started_at=NOON - timedelta(days=1))
    call(cost=Decimal(3), tier="premium", llm_name="Opus")

    found = charts(browse(from_="2026-11-18", to="2026-11-20"))

    assert tuple(found) == CHARTS
    for drawing, _table in found.values():
        ids = drawing.get("aria-labelledby").split()
        assert drawing.get("role") == "img"
        assert [drawing.find(f".//*[@id='{one}']").tag for one in ids] == ["title", "desc"]
    assert found["US dollars by tier"][1] == [
        ["Day", "Standard", "Premium", "All"],
        ["2026-11-18", "$0.00", "$0.00", "$0.00"],
        ["2026-11-19", "$1.00", "$0.00", "$1.00"],
        ["2026-11-20", "$0.00", "$3.00", "$3.00"],
    ]
    assert found["Calls by LLM"][1][0] == ["Day", "Opus", "GPT", "All"]
    assert found["US dollars by tier"][0].find("desc").text.startswith("$4.00 in all, from 2026-11-18 to 2026-11-20.")


def test_bars_stand_upon_one_another_within_the_frame(browse):
    call(cost=Decimal(1))
    call(cost=Decimal(3), tier="premium")

    drawing, _table = charts(browse(from_="2026-11-20"))["US dollars by tier"]
    lower, upper = ([float(n) for n in re.findall(r"[\d.]+", path.get("d"))] for path in drawing.findall("path"))
    bottom = [float(line.get("y1")) for line in drawing.findall("line")]

    assert (lower[1], lower[2], upper[2]) == (max(bottom), upper[1], min(bottom))
    assert lower[1] - lower[2] == pytest.approx((upper[1] - upper[2]) / 3, abs=0.02)


def test_a_day_tells_its_numbers_to_a_pointer(browse):
    call(cost=Decimal(1))

    drawing, _table = charts(browse(from_="2026-11-19"))["US dollars by tier"]
    stories = [slot.find("title").text for slot in drawing.findall("rect")]

    assert stories == ["2026-11-19: $0.00", "2026-11-20: $1.00\nStandard: $1.00"]


def test_axes_have_whole_numbers_of_calls_and_fine_steps_of_dollars(browse):
    call(cost=Decimal("0.03"))

    found = charts(browse())
    ticks = {
        title: [tick.text for tick in drawing.findall("text") if tick.get("text-anchor") == "end"]
        for title, (drawing, _) in found.items()
    }

    assert ticks["Calls by tier"] == ["0", "1", "2", "3", "4"]
    assert ticks["US dollars by tier"] == ["$0.00", "$0.01", "$0.02", "$0.03", "$0.04"]


def test_many_days_are_drawn_by_week(browse):
    call()

    table = charts(browse(from_="2026-01-01"))["Calls by tier"][1]

    assert len(table) == 1 + 47
    assert table[-1] == ["week from 2026-11-19", "1", "1"]


def test_many_llms_share_the_last_colour(browse):
    for number in range(9):
        call(llm_name=f"L{number}", cost=Decimal(9 - number))

    drawing, table = charts(browse(from_="2026-11-20"))["US dollars by LLM"]

    assert table[0] == ["Day", *(f"L{number}" for number in range(7)), "others", "All"]
    assert table[1][8] == "$3.00"
    assert [path.get("class").split()[1] for path in drawing.findall("path")][-1] == "cs-colour-rest"


def test_a_tier_of_elsewhere_is_shown_as_it_is(browse):
    call(tier="own")

    assert charts(browse())["Calls by tier"][1][0] == ["Day", "own", "All"]


def test_names_cannot_break_out_of_the_page(browse, admin_user):
    evil = "</title></svg><script>alert(1)</script>\"'&"
    call(llm_name=evil, model=evil, caller=evil, user=admin_user)
    Budget.objects.create(name=evil, limit=Decimal(1))

    html = browse().content.decode()

    assert "<script>alert" not in html
    assert "alert(1)" in html


def test_a_strict_policy_of_content_blocks_nothing(browse):
    """No script, no style and no handler of ours stands within the page."""
    call()
    found = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag, attributes):
            names = {name for name, _value in attributes}
            if (
                tag == "style"
                or (tag == "script" and "src" not in names)
                or any(name.startswith("on") for name in names)
            ):
                found.append((tag, names))
            if "style" in names:
                found.append((tag, names))

    Finder().feed(browse().content.decode())

    assert found == []
    assert finders.find("creative_services/usage.css")


@pytest.mark.parametrize("language", ["de", "fr"])
def test_drawings_do_not_depend_on_the_language(browse, settings, language):
    call(cost=Decimal("1.5"))
    english = charts(browse())["US dollars by tier"][0]
    settings.LANGUAGE_CODE = language
    settings.USE_THOUSAND_SEPARATOR = True

    other = charts(browse())["US dollars by tier"][0]

    assert [path.get("d") for path in other.findall("path")] == [path.get("d") for path in english.findall("path")]
    assert other.get("viewBox") == english.get("viewBox")


def test_periods_can_be_chosen_and_the_chosen_one_is_marked(browse):
    html = browse(from_="2026-11-14", to="2026-11-20").content.decode()

    assert re.findall(r'<a href="([^"]*)" aria-current="true">([^<]*)</a>', html)[0] == (
        "?from=2026-11-14&amp;to=2026-11-20",
        "7 days",
    )
    assert 'name="from" value="2026-11-14"' in html


def test_a_period_that_cannot_be_meant_is_said_and_the_usual_one_shown(browse):
    call()
    response = browse(from_="2026-12-01", to="2026-11-20")

    assert response.status_code == 200
    assert "`from` (2026-12-01) is after `to` (2026-11-20)." in text(response.content.decode())
    assert figures(response)["calls"] == "1"


def test_the_numbers_can_be_taken_away_as_csv(browse):
    call(cost=Decimal("0.002"))
    page = browse().content.decode()
    (link, *_more) = re.findall(r'href="([^"]*csv=[^"]*)"', page)

    response = browse(from_="2026-10-22", to="2026-11-20", csv="day,llm")

    assert unescape(link) == "?from=2026-10-22&to=2026-11-20&csv=day%2Cllm"
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="usage-2026-10-22-2026-11-20.csv"'
    assert response.content.decode().splitlines()[1].startswith("2026-11-20,,GPT,openai,gpt-5,standard,1,0,1000,100")


def test_a_file_of_what_is_not_there_is_refused(browse):
    response = browse(csv="day,color")

    assert response.headers["Content-Type"].startswith("text/html")
    assert "`by` takes day" in text(response.content.decode())
