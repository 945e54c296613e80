"""Every code block of the specification runs as printed, and the tier table holds.

The blocks are kept here word for word. The names they use without importing them come from `namespace`.
"""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import inspect
import re
import textwrap
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Optional

import pytest

from creative_services import DictRegistry, LLMEntry, LLMRegistry, LLMTier
from creative_services.testing import LlmsFactory
from tests.loopback import LoopbackProvider

# The specification is kept beside the repository, so a checkout may be without it.
SPECIFICATION = Path(__file__).parents[2] / "shared" / "SPEC.rst"

TIER = """\
class LLMTier(str, Enum):
    ECONOMY = "economy"    # Cheapest, high volume
    STANDARD = "standard"  # Balanced quality/cost
    PREMIUM = "premium"    # Best quality
    LOCAL = "local"        # Privacy, offline
"""

ENTRY = """\
@dataclass
class LLMEntry:
    id: int
    name: str
    provider: str          # "openai", "anthropic", etc.
    model: str             # "gpt-4o-mini", etc.
    tier: LLMTier
    api_key: Optional[str]
    api_endpoint: Optional[str]
    max_tokens: int = 4096
    temperature: float = 0.7
    cost_per_1k_input: float
    cost_per_1k_output: float
    is_active: bool = True
"""

DICT_REGISTRY = """\
from creative_services import DictRegistry

# Create from environment variables
registry = DictRegistry.from_env()

# List active LLMs
for llm in registry.list_active():
    print(f"{llm.name} ({llm.tier.value})")

# Get by tier
llm = registry.get_by_tier(LLMTier.STANDARD)
"""

DJANGO_REGISTRY = """\
from creative_services.adapters import DjangoLLMRegistry

# Uses Django Llms model
registry = DjangoLLMRegistry()

# Same interface as DictRegistry
llm = registry.get_by_tier(LLMTier.PREMIUM)
"""

CLIENT = """\
from creative_services import DictRegistry, DynamicLLMClient, LLMTier

registry = DictRegistry.from_env()
client = DynamicLLMClient(registry)

# Automatically selects best model for tier
response = await client.generate(
    prompt="Write a story",
    tier=LLMTier.STANDARD,
)

# Or specify LLM by ID
response = await client.generate(
    prompt="Write a story",
    llm_id=2,
)
"""

SELECTION = """\
def get_by_tier(self, tier: LLMTier) -> Optional[LLMEntry]:
    matching = [e for e in self._entries if e.tier == tier and e.is_active]
    if not matching:
        return None
    return sorted(matching, key=lambda e: e.cost_per_1k_input)[0]
"""

CUSTOM_REGISTRY = """\
from creative_services.core.llm_registry import LLMRegistry

class MyCustomRegistry:
    def get_by_id(self, llm_id: int) -> Optional[LLMEntry]:
        ...

    def get_by_tier(self, tier: LLMTier) -> Optional[LLMEntry]:
        ...

    def list_active(self) -> list[LLMEntry]:
        ...
"""

BLOCKS = [TIER, ENTRY, DICT_REGISTRY, DJANGO_REGISTRY, CLIENT, SELECTION, CUSTOM_REGISTRY]

TABLE = {
    "ECONOMY": ["GPT-3.5 Turbo", "Claude 3 Haiku", "Llama 3.3 70B"],
    "STANDARD": ["GPT-4o-mini", "Claude 3.5 Sonnet", "N/A"],
    "PREMIUM": ["GPT-4o", "Claude 3 Opus", "N/A"],
    "LOCAL": ["N/A", "N/A", "Ollama"],
}


def run(block, **names):
    namespace = {"Enum": Enum, "Optional": Optional, "LLMTier": LLMTier, "LLMEntry": LLMEntry} | names
    waiting = eval(compile(block, "SPEC.rst", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)  # noqa: S307
    if inspect.iscoroutine(waiting):
        asyncio.run(waiting)
    return namespace


@pytest.fixture
def provider(monkeypatch):
    for variable in ("GROQ_API_KEY", "OLLAMA_HOST", "OLLAMA_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with LoopbackProvider("Once upon a time.") as server:
        for name in ("OPENAI", "ANTHROPIC"):
            monkeypatch.setenv(f"{name}_API_KEY", f"sk-{name.lower()}")
            monkeypatch.setenv(f"{name}_BASE_URL", server.url)
            for tier in LLMTier:
                monkeypatch.delenv(f"{name}_{tier.name}_MODEL", raising=False)
        yield server


def test_the_blocks_here_are_those_of_the_specification():
    if SPECIFICATION.exists():
        text = SPECIFICATION.read_text()
        found = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|[ \t]*\n)+)", text, re.MULTILINE)
        assert [_plain(block) for block in found] == BLOCKS
        rows = re.findall(r"\* - ([A-Z]+)\n     - (.+)\n     - (.+)\n     - (.+)\n", text)
        assert {tier: cells for tier, *cells in rows} == TABLE


def _plain(block):
    return "\n".join(line.rstrip() for line in textwrap.dedent(block).strip().splitlines()) + "\n"


def test_the_tiers_are_those_of_the_specification():
    printed = run(TIER)["LLMTier"]
    assert {tier.name: tier.value for tier in LLMTier} == {tier.name: tier.value for tier in printed}
    assert all(tier == tier.value for tier in LLMTier)


def test_an_entry_has_the_fields_and_defaults_of_the_specification():
    # The block has fields without a default after fields with one, which dataclasses take as keywords only.
    printed = dataclasses.fields(run(ENTRY, dataclass=partial(dataclasses.dataclass, kw_only=True))["LLMEntry"])
    ours = dataclasses.fields(LLMEntry)
    assert [field.name for field in ours[: len(printed)]] == [field.name for field in printed]
    for own, other in zip(ours, printed, strict=False):
        assert other.default in {dataclasses.MISSING, own.default}, own.name


def test_the_registry_of_the_environment_is_listed_and_asked(provider, capsys):
    names = run(DICT_REGISTRY)
    listed = [f"{name} ({tier.lower()})" for tier, row in TABLE.items() for name in row[:2] if name != "N/A"]
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(listed)
    assert names["llm"].name == "GPT-4o-mini"


@pytest.mark.django_db
def test_the_registry_of_the_database_is_asked_alike():
    LlmsFactory(tier=LLMTier.STANDARD)
    row = LlmsFactory(tier=LLMTier.PREMIUM)
    names = run(DJANGO_REGISTRY)
    assert isinstance(names["registry"], LLMRegistry)
    assert (names["llm"].id, names["llm"].name, names["llm"].tier) == (row.pk, row.name, LLMTier.PREMIUM)


def test_the_client_generates_by_tier_and_by_id(provider):
    response = run(CLIENT)["response"]
    assert response.text == str(response) == "Once upon a time."
    assert response.llm.name == "GPT-4o-mini"
    assert len(provider.requests) == 2
    for request in provider.requests:
        assert request.url == f"{provider.url}/chat/completions"
        assert request.headers["authorization"] == "Bearer sk-openai"
        assert request.json["model"] == "gpt-4o-mini"
        assert request.json["messages"] == [{"role": "user", "content": "Write a story"}]


def test_the_selection_as_printed_chooses_what_the_registry_chooses():
    entries = DictRegistry.from_env(
        {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GROQ_API_KEY": "k"}
    ).list_active()
    entries.append(dataclasses.replace(entries[0], id=9, cost_per_1k_input=0, is_active=False))
    printed = type("Printed", (), {"_entries": entries, "get_by_tier": run(SELECTION)["get_by_tier"]})()
    for tier in LLMTier:
        assert DictRegistry(entries).get_by_tier(tier) == printed.get_by_tier(tier)


def test_a_custom_registry_needs_no_more_than_the_three_methods():
    assert isinstance(run(CUSTOM_REGISTRY)["MyCustomRegistry"](), LLMRegistry)


def test_the_environment_brings_the_table():
    environ = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GROQ_API_KEY": "k", "OLLAMA_HOST": "localhost"}
    found = {tier.name: set() for tier in LLMTier}
    for llm in DictRegistry.from_env(environ).list_active():
        found[llm.tier.name].add(llm.name)
    assert found == {tier: set(cells) - {"N/A"} for tier, cells in TABLE.items()}
