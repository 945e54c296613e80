"""Programs: `curl`, and Simon Willison's `llm`."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

from tests.api.clients.gateway import ORDER, TEXT, WORDS

ASKED = {"model": "standard", "messages": [{"role": "user", "content": "Write a tagline for a bakery."}]}
HELLO = "Write a tagline for a bakery."


# curl


@pytest.fixture
def curl(site):
    found = shutil.which("curl")
    assert found, "These tests need curl: apt-get install -y curl"

    def run(path, body=None, *arguments, key=site.key):
        command = [found, "--silent", "--show-error", "--max-time", "20", *arguments]
        command += ["--header", f"Authorization: Bearer {key}", f"{site.openai_url}/{path}"]
        if body is not None:
            command += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
        return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout.decode()

    return run


def test_curl_gets_an_answer(curl):
    answer = json.loads(curl("chat/completions", ASKED))

    assert answer["choices"][0]["message"]["content"] == TEXT


def test_curl_shows_a_stream(curl):
    told = curl("chat/completions", {**ASKED, "stream": True}, "--no-buffer")

    events = [line.removeprefix("data: ") for line in told.splitlines() if line]
    chunks = [json.loads(event) for event in events[:-1]]
    texts = [chunk["choices"][0]["delta"].get("content") for chunk in chunks]
    assert events[-1] == "[DONE]"
    assert [text for text in texts if text] == WORDS


def test_curl_lists_models(curl):
    assert "standard" in [model["id"] for model in json.loads(curl("models"))["data"]]


def test_curl_is_told_in_json_what_is_wrong(curl):
    assert json.loads(curl("chat/completions", {}, key="nobody"))["error"]["type"] == "authentication_error"
    assert json.loads(curl("completions", {}))["error"]["type"] == "invalid_request_error"


# llm


@pytest.fixture
def proxy():
    """Where everything goes that is not for loopback: nobody answers, and somebody looks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.fixture
def llm(sites, tmp_path, proxy):
    """Runs it, against one kind of server: starting it takes longer than all else here."""
    site = sites("uvicorn")
    models = [
        {"model_id": "chat", "model_name": "standard", "supports_schema": True, "supports_tools": True},
        {"model_id": "responses", "model_name": "standard", "supports_schema": True, "responses": True},
        {"model_id": "lost", "model_name": "gpt-99"},
    ]
    told = [{**model, "api_base": site.openai_url, "api_key_name": "ours"} for model in models]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(told))  # which is YAML too
    (tmp_path / "keys.json").write_text(json.dumps({"ours": site.key}))
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), proxy)
    environment = (
        os.environ | proxies | {"LLM_USER_PATH": str(tmp_path), "LLM_LOAD_PLUGINS": "", "no_proxy": "127.0.0.1"}
    )

    def run(*arguments, status=0):
        command = [sys.executable, "-m", "llm", *arguments]
        result = subprocess.run(
            command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=60, check=False
        )
        assert result.returncode == status, result.stderr
        return result.stdout.strip() or result.stderr

    return run


@pytest.mark.parametrize(("model", "way"), [("chat", "--log"), ("responses", "--no-stream")])
def test_llm_answers(llm, model, way):
    assert llm("-m", model, HELLO, way) == TEXT


def test_llm_calls_tools(llm):
    code = 'def weather(city: str) -> str:\n    """The weather of a city."""\n    return "sunny"'

    assert llm("-m", "chat", HELLO, "--functions", code) == "It is sunny in Oslo."


def test_llm_follows_a_schema(llm):
    assert json.loads(llm("-m", "chat", HELLO, "--schema", "bread, loaves int")) == ORDER


def test_llm_shows_an_error(llm):
    assert "gpt-99" in llm("-m", "lost", HELLO, status=1)
