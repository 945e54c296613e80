"""The documentation tells the truth: its Python runs, its links lead somewhere, its lists are complete."""

import ast
import gc
import inspect
import re
from collections.abc import Awaitable
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from creative_services import conf
from creative_services.models import Llms
from creative_services.testing import override_llms
from tests.loopback import LoopbackProvider

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#([^)]*))?\)")

# The blocks of docs/testing.md are files of tests; tests/testing runs them as such.
RUN_HERE = [page for page in PAGES if BLOCK.search(page.read_text()) and page.name != "testing.md"]


def run(page: Path) -> None:
    """All blocks of a page one after the other in one namespace, at the lines where they stand."""
    text = page.read_text()
    names = {"__name__": page.stem}
    for block in BLOCK.finditer(text):
        lines_before = text[: block.start(1)].count("\n")
        code = compile("\n" * lines_before + block[1], page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)  # noqa: S307 - our own pages
        if inspect.iscoroutine(result):
            async_to_sync(awaited)(result)


async def awaited(result: Awaitable[None]) -> None:
    await result


@pytest.fixture
def provider(monkeypatch):
    with LoopbackProvider("Warm bread, early birds.") as provider:
        for name in ("OPENAI", "ANTHROPIC", "GROQ"):
            monkeypatch.setenv(f"{name}_API_KEY", "sk-of-nobody")
            monkeypatch.setenv(f"{name}_BASE_URL", provider.url)
        yield provider


@pytest.fixture
def rows(db):
    for tier in ("economy", "standard", "premium"):
        Llms.objects.create(name=tier, provider="openai", model="gpt-4o-mini", tier=tier, api_key="sk-of-nobody")
    with override_llms() as provider:
        provider.answer_with("Warm bread, early birds.")
        yield


@pytest.fixture
def kept_connection(db):
    """Requests that a page makes by itself leave the test's connection open, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def kept_collector():
    """What a page tells the garbage collector holds for that page."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("provider", "rows", "kept_connection", "kept_collector")
@pytest.mark.parametrize("page", RUN_HERE, ids=lambda page: page.name)
def test_every_block_of_python_runs(page):
    run(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target, anchor in LINK.findall(page.read_text()):
        file = page.parent / target
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_every_setting_is_documented():
    text = (ROOT / "docs" / "settings.md").read_text()

    assert [name for name in conf.SETTINGS if f"`{name}`" not in text] == []


def test_every_page_is_in_the_table_of_contents():
    contents = (ROOT / "docs" / "index.md").read_text().split()

    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"} <= set(contents)


def test_the_readme_is_short():
    assert len(README.splitlines()) < 120


def test_the_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"[`$] ?make ([a-z]+)", page.read_text())}

    assert named
    assert named <= targets
