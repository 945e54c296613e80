"""The key shows nowhere: not in values, pickles, logs, tracebacks or Django's debug page, whatever goes wrong."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
from dataclasses import replace
from typing import Any

import pytest
from django.views.debug import ExceptionReporter

from creative_services import ConfigurationError, CreativeServicesError, LLMEntry
from creative_services.core.http import HttpRequest
from creative_services.core.secret import Secret
from creative_services.core.transport import HttpTransport
from creative_services.testing import Failure, RawReply, Reply
from tests.core.asking import STREAMED, WHOLE, Ask, entry
from tests.loopback import LoopbackProvider, OnTheWire

KEY = "sk-do-not-show-me-7f3a"
KEYED = entry(1, "keyed", api_key=KEY)
ECHO = b'{"error": {"message": "Bad key ' + KEY.encode() + b'", "type": "invalid_request_error"}}'


def test_a_key_reads_as_itself_and_shows_masked() -> None:
    assert KEYED.api_key == KEY
    assert f"{KEYED.api_key}" == KEY
    assert KEY not in repr(KEYED)
    assert KEY not in repr([KEYED.api_key])
    assert repr(Secret("")) == "''"


def test_copies_keep_the_key_and_pickles_do_not() -> None:
    assert copy.copy(KEYED).api_key == copy.deepcopy(KEYED).api_key == copy.deepcopy([KEYED.api_key])[0] == KEY
    assert replace(KEYED, name="Other").api_key == KEY

    pickled = pickle.dumps(KEYED)
    assert KEY.encode() not in pickled
    assert pickle.loads(pickled) == KEYED.without_key()  # noqa: S301 - our own bytes


def test_a_request_shows_neither_headers_nor_body() -> None:
    request = HttpRequest("POST", "http://host/v1", {"authorization": Secret(f"Bearer {KEY}")}, b"a prompt")

    assert repr(request) == "<HttpRequest POST http://host/v1>"
    assert KEY not in repr(request.headers)


@pytest.mark.parametrize("key", ["with\nbreak", "tab\t", "naïve", "nul\0", "\x7f"])
def test_a_key_that_no_header_can_carry_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(ConfigurationError, match="Enter it again") as raised:
        replace(KEYED, api_key=key)

    assert key not in str(raised.value)


TROUBLE: dict[str, Any] = {
    "refused key": Failure(401, body=ECHO),
    "bad request": Failure(400, body=ECHO),
    "echo in text": RawReply([ECHO], status=500, headers={"content-type": "text/plain"}),
    "no json": RawReply([ECHO + b"}"], headers={"content-type": "application/json"}),
    "no stream": RawReply([b"data: " + ECHO + b"}\n\n"], headers={"content-type": "text/event-stream"}),
    "error in stream": RawReply([b"data: " + ECHO + b"\n\n"], headers={"content-type": "text/event-stream"}),
    "cut": Reply(["a", "b"], ending="cut"),
    "reset": OnTheWire([], "reset"),
    "not http": OnTheWire([b"Authorization: Bearer " + KEY.encode() + b"\r\n\r\n"]),
    "silence": OnTheWire([], "silence"),
}


@pytest.mark.parametrize("ask", WHOLE + STREAMED)
@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_no_debug_page_traceback_or_log_shows_the_key(ask: Ask, trouble: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    transport = HttpTransport()
    with LoopbackProvider(trouble) as provider:
        there: LLMEntry = replace(KEYED, api_endpoint=provider.url)
        try:
            ask(transport, there, prompt="Hello", timeout=0.3)
        except CreativeServicesError as error:
            page = ExceptionReporter(None, *sys.exc_info()).get_traceback_data()
            frames = [frame for frame in page["frames"] if "/tests/" not in frame["filename"]]
            shown = repr(frames) + str(error) + repr(error) + repr(error.attempts) + str(error.__cause__)
        else:
            pytest.fail("nothing went wrong")
    transport.close()

    assert KEY not in shown
    assert KEY not in caplog.text
    assert "/core/flow.py" in shown
