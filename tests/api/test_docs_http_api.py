"""docs/http_api.md names every field of chat completions, every code of OpenAI's errors, and every header."""

import re
from pathlib import Path

from creative_services.api.dialects import chat, embeddings, openai_errors
from creative_services.api.errors import ANSWERS

PAGE = (Path(__file__).parents[2] / "docs" / "http_api.md").read_text()
NAMED = set(re.findall(r"`([\w.-]+)`", PAGE))


def test_every_field_is_in_the_page():
    fields = chat.TAKEN | set(chat.NEUTRAL) | chat.IGNORED
    told = {name.split(".")[0] for name in NAMED}

    assert fields <= told
    assert embeddings.TAKEN - {"model"} <= told


def test_every_code_is_in_the_page():
    special = {"unsupported_parameter", "context_length_exceeded", "content_filter"}
    codes = {openai_errors.KINDS.get(code, ("", code))[1] for _status, code in ANSWERS.values()}

    assert (codes - {None}) | special <= NAMED


def test_every_header_is_in_the_page(asker):
    headers = {name.lower() for name in asker.chat().headers if name.lower().startswith("x-llm-")}

    assert len(headers) == 3
    assert headers | {"x-request-id"} <= NAMED
