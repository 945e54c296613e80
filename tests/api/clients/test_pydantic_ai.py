"""pydantic-ai over all three APIs."""

import asyncio

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, ModelHTTPError, NativeOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from tests.api.clients.gateway import ORDER, TEXT

HELLO = "Write a tagline for a bakery."


class Order(BaseModel):
    bread: str
    loaves: int


def chat(site, model="standard"):
    return OpenAIChatModel(model, provider=OpenAIProvider(openai_client=openai_client(site)))


def responses(site, model="standard"):
    return OpenAIResponsesModel(model, provider=OpenAIProvider(openai_client=openai_client(site)))


def messages(site, model="standard"):
    client = AsyncAnthropic(base_url=site.anthropic_url, api_key=site.key, max_retries=0)
    # By a model's name it guesses what the model can do, and it knows no tiers.
    knows = ModelProfile(supports_json_schema_output=True)
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client), profile=knows)


def openai_client(site):
    return AsyncOpenAI(base_url=site.openai_url, api_key=site.key, max_retries=0)


@pytest.fixture(params=[chat, responses, messages], ids=lambda make: make.__name__)
def make(request):
    return request.param


def run(site, make, ask, model="standard", **options):
    """What `ask` makes of an agent whose client is closed afterwards."""

    async def within():
        llm = make(site, model)
        async with llm.client:
            return await ask(Agent(llm, **options))

    return asyncio.run(within())


def test_run(site, make):
    result = run(site, make, lambda agent: agent.run(HELLO), instructions="Be brief.")

    assert result.output == TEXT
    assert (result.usage.input_tokens, result.usage.output_tokens) == (3, 5)


def test_run_stream(site, make):
    async def ask(agent):
        async with agent.run_stream(HELLO) as result:
            return [text async for text in result.stream_text(delta=True, debounce_by=None)]

    told = run(site, make, ask)

    assert "".join(told) == TEXT
    assert len(told) > 2


def test_a_tool(site, make):
    async def ask(agent):
        @agent.tool_plain
        def weather(city: str) -> str:
            """The weather of a city."""
            return "sunny"

        return await agent.run(HELLO)

    assert run(site, make, ask).output == "It is sunny in Oslo."


def test_an_output_by_a_tool(site, make):
    assert run(site, make, lambda agent: agent.run(HELLO), output_type=Order).output == Order(**ORDER)


def test_an_output_by_a_json_schema(site, make):
    kind = NativeOutput(Order)

    assert run(site, make, lambda agent: agent.run(HELLO), output_type=kind).output == Order(**ORDER)


def test_an_error_keeps_its_status(site, make):
    with pytest.raises(ModelHTTPError) as caught:
        run(site, make, lambda agent: agent.run(HELLO), model="Down")

    assert caught.value.status_code in {502, 503}
