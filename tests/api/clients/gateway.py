"""A site in a process of its own, with keys for the clients, and a provider behind it that fails as it is told to.

What the provider does follows from the LLM that is asked, so that all tests can share one site.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from creative_services.testing import Failure, LoopbackProvider, RawReply, Reply, faults
from tests.api.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from creative_services.testing.requests import ReceivedRequest

SETUP = """
import json
from creative_services.adapters.machine_keys import issue
def key(username, may=True):
    user = User.objects.create_user(username)
    if may:
        user.user_permissions.add(Permission.objects.get(codename="generate"))
    return issue(user, "tests").text
for row_ in json.loads(sys.argv[2]):
    Llms.objects.create(api_endpoint=sys.argv[1], provider="near", cost_per_1k_input=1, cost_per_1k_output=2, **row_)
revoked = key("former")
from creative_services.models import MachineKey
from django.utils import timezone
MachineKey.objects.filter(user__username="former").update(revoked_at=timezone.now())
print(json.dumps({
    "key": key("machine"), "powerless_key": key("guest", may=False), "hasty_key": key("hasty"), "revoked_key": revoked,
}))
"""

WORDS = ["Warm ", "bread, ", "early ", "birds."]
TEXT = "".join(WORDS)
ORDER = {"bread": "rye", "loaves": 2}
WEATHER = {"id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="  # a PNG
VECTOR = [0.25, -0.5, 0.125]
ROWS = [
    {"name": "Baker", "model": "baker-1", "tier": "standard"},
    # Each is alone in what it is asked for by name, so that nobody takes over.
    {"name": "Limited", "model": "limited", "tier": "premium"},
    {"name": "Down", "model": "down", "tier": "premium"},
    {"name": "Forgetful", "model": "forgetful", "tier": "premium"},
    {"name": "Prudish", "model": "prudish", "tier": "premium"},
    {"name": "Cut", "model": "cut", "tier": "premium"},
    {"name": "Silent", "model": "silent", "tier": "premium"},
]


FAULTS = {
    "limited": Failure(429, headers={"Retry-After": "9"}),
    "down": Failure(503),
    "forgetful": faults.context_too_long(),
    "prudish": faults.content_refused(),
    "cut": Reply(WORDS, ending="cut"),
    "silent": Reply(WORDS, delay=30.0),
}


def provide(received: ReceivedRequest):
    """What the LLMs of ROWS answer."""
    return FAULTS.get(received.model) or _bake(received)


def _bake(received: ReceivedRequest):
    asked = received.json
    if received.url.endswith("/embeddings"):
        return _embed(asked)
    if asked.get("response_format"):
        return Reply(json.dumps(ORDER))
    if asked.get("tools") and asked["messages"][-1]["role"] != "tool":
        return _call_a_tool(asked["tools"])
    if asked.get("tools"):
        return Reply("It is " + asked["messages"][-1]["content"] + " in Oslo.")
    return Reply(WORDS)


def _call_a_tool(tools):
    function = tools[0]["function"]
    named = ORDER if "loaves" in function["parameters"].get("properties", {}) else {"city": "Oslo"}
    return Reply(tool_calls=[{"id": "call_1", "name": function["name"], "arguments": json.dumps(named)}])


def _embed(asked):
    inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    found = [{"object": "embedding", "index": at, "embedding": VECTOR} for at, _ in enumerate(inputs)]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    body = {"object": "list", "data": found, "model": asked["model"], "usage": usage}
    return RawReply([json.dumps(body).encode()], headers={"content-type": "application/json"})


@dataclass(frozen=True)
class Gateway:
    """Where the site is, and the keys that it knows."""

    origin: str
    key: str
    powerless_key: str
    hasty_key: str
    revoked_key: str
    provider: LoopbackProvider | None = None

    @property
    def openai_url(self) -> str:
        """What OpenAI's clients call their base URL."""
        return f"{self.origin}/api/llm/v1"

    @property
    def anthropic_url(self) -> str:
        """What Anthropic's clients call theirs; they add `/v1/messages`."""
        return f"{self.origin}/api/llm"


@contextmanager
def gateway_to(url: str, rows: list[dict[str, str]], kind: str, folder: Path) -> Iterator[Gateway]:
    """A site under this kind of server, with rows whose endpoint is `url`."""
    settings = "tests.api.clients.site_settings"
    with serving(kind, folder, url, SETUP, json.dumps(rows), settings=settings) as server:
        yield Gateway(f"http://127.0.0.1:{server.port}", **json.loads(server.said))


@contextmanager
def gateway(kind: str, folder: Path) -> Iterator[Gateway]:
    """A site under this kind of server, with ROWS and the provider that answers for them."""
    with LoopbackProvider(provide) as provider, gateway_to(provider.url, ROWS, kind, folder) as site:
        yield replace(site, provider=provider)
