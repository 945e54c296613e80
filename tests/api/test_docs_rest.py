"""docs/rest.md shows bodies as they are, and every code that there is."""

import json
import re
from pathlib import Path

import pytest
from rest_framework import exceptions

from creative_services.api.errors import ANSWERS, CODES
from creative_services.api.reading import BodyTooLarge
from tests.api.asking import Asker

PAGE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text()
ANSWER, LLM = (json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TABLE = {(int(status), code) for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE, re.MULTILINE)}


@pytest.fixture
def reader(caller):
    return Asker("wsgi", caller)


def shape(value):
    match value:
        case dict():
            return {name: shape(item) for name, item in value.items()}
        case list():
            return [shape(item) for item in value]
        case _:
            return type(value)


def test_the_answer_shown_has_the_shape_of_a_real_one(reader, provider):
    assert shape(reader.generate(prompt="Hello").json) == shape(ANSWER)


def test_the_llm_shown_has_the_shape_of_a_real_one(reader, cheap):
    assert shape(reader.get("/api/llm/llms/").json) == [shape(LLM)]


def test_every_error_that_there_is_is_in_the_table():
    framework = (exceptions.MethodNotAllowed("GET"), exceptions.UnsupportedMediaType("x"), BodyTooLarge())
    others = {(error.status_code, error.default_code) for error in framework}

    assert set(ANSWERS.values()) | set(CODES.items()) | others == TABLE
