"""The providers' own SDKs as judges: of the requests that we build, and of what recorded streams say."""

from __future__ import annotations

import json
from collections.abc import Iterator

import anthropic
import httpx2
import openai
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from google import genai
from google.genai import types
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from creative_services.core.errors import InvalidRequestError, ProviderError
from creative_services.core.providers import WIRE_NAMES
from creative_services.core.request import LLMRequest
from creative_services.core.wire.base import Route

from .answers import KEY, WIRES, entry, streamed
from .calls import CALLS, HELLO
from .traffic import all_streams, body, needs_traffic

PARAMS = {
    "openai_chat": TypeAdapter(CompletionCreateParamsNonStreaming),
    "openai_responses": TypeAdapter(ResponseCreateParamsNonStreaming),
    "anthropic_messages": TypeAdapter(MessageCreateParamsNonStreaming),
}
GEMINI_PARTS = {
    "contents": TypeAdapter(list[types.Content]),
    "systemInstruction": TypeAdapter(types.Content),
    "tools": TypeAdapter(list[types.Tool]),
    "toolConfig": TypeAdapter(types.ToolConfig),
    "generationConfig": TypeAdapter(types.GenerationConfig),
}
# What an API has no words for is refused before it is sent.
REFUSED = {
    ("anthropic_messages", "JSON"),
    ("openai_responses", "a stop sequence"),
}


# Most of this stream's deltas were taken out by those who recorded it; our text is that of its last event.
THINNED_OUT = "openai-cache-stream-3a61d465e9"


def whole(value):
    """A validated value with its lazy parts validated too: the SDKs' types say Iterable where lists are sent."""
    if isinstance(value, dict):
        return {name: whole(part) for name, part in value.items()}
    return [whole(part) for part in value] if isinstance(value, list | Iterator) else value


def completed(asked):
    """A Responses request with what the SDK's types demand and the API, as recordings show, does without."""
    said = {"id": "msg_1", "status": "completed"}
    parts = {"input_image": {"detail": "auto"}, "output_text": {"annotations": []}}
    for item in asked["input"]:
        if isinstance(item.get("content"), list):
            item["content"] = [parts.get(part["type"], {}) | part for part in item["content"]]
        item.update(said if item.get("role") == "assistant" else {})
    return asked


def judged(wire, asked):
    """The request as the SDK's types read it, without anything that they do not know."""
    if wire in PARAMS:
        return whole(PARAMS[wire].validate_python(asked))
    read = {name: GEMINI_PARTS[name].validate_json(json.dumps(part)) for name, part in asked.items()}
    return {
        name: GEMINI_PARTS[name].dump_python(part, mode="json", by_alias=True, exclude_unset=True)
        for name, part in read.items()
    }


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("wire", WIRE_NAMES)
def test_the_sdk_knows_every_word_of_what_we_send(wire, call):
    llm = entry(wire=wire, temperature=None)
    request = LLMRequest(**{"messages": [HELLO], **CALLS[call]})
    if (wire, call) in REFUSED:
        with pytest.raises(InvalidRequestError):
            WIRES[wire].build(llm, Route("https://acme.example/v1", KEY), request, stream=False)
        return
    asked = json.loads(WIRES[wire].build(llm, Route("https://acme.example/v1", KEY), request, stream=False).body)
    if wire == "anthropic_messages":
        asked.pop("temperature", None)  # older models take it, and the SDK's types have dropped it
    if wire == "openai_responses":
        asked = completed(asked)
    assert judged(wire, asked) == asked


def replaying(data):
    """An HTTP client of the SDKs' own kind that is answered with this stream, whatever it asks."""
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=data)
    return httpx2.Client(transport=httpx2.MockTransport(lambda request: answer))


def chat_says(data):
    text, usage = [], None
    with (
        openai.OpenAI(api_key=KEY, http_client=replaying(data), max_retries=0) as client,
        client.chat.completions.create(model="m", messages=[], stream=True) as chunks,
    ):
        for chunk in chunks:
            usage = chunk.usage or usage
            for choice in chunk.choices or ():
                if not choice.index and choice.delta:
                    text += [said(choice.delta.content), choice.delta.refusal or ""]
    return text, usage and (usage.prompt_tokens, usage.completion_tokens)


def said(content):
    """The text of a piece; Mistral, whose API this SDK does not know, sends lists of parts."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def responses_say(data):
    text, usage = [], None
    with (
        openai.OpenAI(api_key=KEY, http_client=replaying(data), max_retries=0) as client,
        client.responses.create(model="m", input="Hi", stream=True) as events,
    ):
        for event in events:
            if event.type in {"response.output_text.delta", "response.refusal.delta"}:
                text.append(event.delta)
            if event.type in {"response.completed", "response.incomplete"}:
                usage = event.response.usage
            if event.type == "response.failed":
                raise openai.APIError("failed", request=None, body=None)
    return text, usage and (usage.input_tokens, usage.output_tokens)


def messages_say(data):
    with (
        anthropic.Anthropic(api_key=KEY, http_client=replaying(data), max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=5, messages=[HELLO]) as stream,
    ):
        message = stream.get_final_message()
    usage = message.usage
    given = usage.input_tokens + (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    return [block.text for block in message.content if block.type == "text"], (given, usage.output_tokens)


def gemini_says(data):
    text, usage = [], None
    options = types.HttpOptions(httpx_client=replaying(data))
    with genai.Client(api_key=KEY, http_options=options) as client:
        for chunk in client.models.generate_content_stream(model="m", contents="Hi"):
            usage = chunk.usage_metadata or usage
            text += [part.text for part in chunk.parts or () if part.text and not part.thought]
    if usage is None:
        return text, None
    given = usage.prompt_token_count + (usage.tool_use_prompt_token_count or 0)
    return text, (given, (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0))


JUDGES = {
    "openai_chat": chat_says,
    "openai_responses": responses_say,
    "anthropic_messages": messages_say,
    "gemini": gemini_says,
}


@needs_traffic
@pytest.mark.parametrize(("wire", "item"), all_streams())
def test_the_sdk_reads_the_same_in_a_recorded_stream(wire, item):
    try:
        text, usage = JUDGES[wire](body(item))
    except (openai.APIError, anthropic.APIError, genai.errors.APIError):
        with pytest.raises(ProviderError):
            streamed(wire, body(item))
        return
    ours = streamed(wire, body(item))
    assert ours.text == "".join(text) or item["id"] == THINNED_OUT
    assert usage is None or (ours.usage.input_tokens, ours.usage.output_tokens) == usage
