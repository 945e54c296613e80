"""What the OpenAPI schema says, and that nobody needs drf-spectacular for anything else."""

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from django.core.management import call_command
from django.test import override_settings
from drf_spectacular.validation import validate_schema

from creative_services import urls
from creative_services.api.dialects import chat, embeddings, messages, own, responses
from tests.api.schemas import VERSIONS, operations, schema_of

ROOT = Path(__file__).parents[2]
WITHOUT = """
import sys
sys.modules["drf_spectacular"] = None
from django.conf import settings
settings.configure(
    SECRET_KEY="only-for-this-test",
    ROOT_URLCONF="tests.urls",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.messages",
        "django.contrib.sessions", "rest_framework", "creative_services",
    ],
)
import django
django.setup()
from django.test import Client
print(Client().get("/api/llm/tiers/", headers={"host": "localhost"}).status_code)
"""


@pytest.fixture(scope="module", params=VERSIONS)
def schema(request):
    return schema_of(request.param)


def test_it_is_a_valid_schema_of_either_version(schema):
    validate_schema(schema)


def test_it_is_made_without_a_warning(tmp_path):
    rest_framework = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
    with override_settings(REST_FRAMEWORK=rest_framework):
        call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yaml"))


def test_every_route_is_in_it(schema):
    routes = {pattern.name for pattern in urls.urlpatterns} - {"unknown-route"}

    assert len(schema["paths"]) == len(routes)
    assert all(path.startswith("/api/llm/") for path in schema["paths"])


def test_every_operation_says_who_may_what_it_gives_and_what_goes_wrong(schema):
    for _, method, operation in operations(schema):
        assert operation["security"]
        assert operation["summary"]
        assert {"200", "401", "403", "429"} <= set(operation["responses"])
        assert operation.get("requestBody", {"required": True})["required"]
        assert ("requestBody" in operation) == (method == "post")
        for response in operation["responses"].values():
            assert response["description"]
            assert all(content["examples"] for content in response["content"].values())


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("LlmGenerate", own.FIELDS),
        ("OpenAIChatCompletionAsked", chat.TAKEN),
        ("OpenAIEmbeddingsAsked", embeddings.TAKEN),
        ("OpenAIResponseAsked", responses.TAKEN),
        ("AnthropicMessageAsked", messages.TAKEN),
    ],
)
def test_it_names_every_field_that_is_taken(schema, shape, fields):
    assert set(fields) <= set(schema["components"]["schemas"][shape]["properties"])


def test_its_examples_are_what_it_says():
    schema = schema_of("3.1.0")
    examples = 0
    for _, _, operation in operations(schema):
        bodies = [operation["requestBody"], *operation["responses"].values()] if "requestBody" in operation else []
        for content in (content for body in bodies for content in body["content"].values()):
            whole = {**content["schema"], "components": schema["components"]}
            for example in content["examples"].values():
                jsonschema.Draft202012Validator(whole).validate(example["value"])
                examples += 1

    assert examples >= 12


def test_the_app_works_without_drf_spectacular():
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() in {"401", "403"}
