from __future__ import annotations

import json

import pytest

from creative_services.core.errors import (
    AuthenticationError,
    ContextLengthError,
    InvalidRequestError,
    MalformedResponseError,
    ProviderUnavailableError,
    RateLimitError,
)
from creative_services.core.types import Usage

from .answers import WIRES, entry, streamed, whole

CALL = {"functionCall": {"name": "weather", "args": {"city": "Köln"}}}


def answer(*parts, reason="STOP", **fields):
    candidate = {"content": {"role": "model", "parts": list(parts)}}
    return {"candidates": [candidate | ({"finishReason": reason} if reason else {})], **fields}


def sse(*values):
    return "".join(f"data: {json.dumps(value)}\r\n\r\n" for value in values).encode()


def read(value):
    return whole("gemini", json.dumps(value).encode())


def both(*values):
    """The one answer that a stream of these, and the list of them, mean."""
    one, other = streamed("gemini", sse(*values)), read(list(values))
    other.ended = one.ended
    assert one == other
    return one


def arguments(*calls):
    parts = [{"functionCall": call} for call in calls]
    return json.loads(both(*(answer(part, reason=None) for part in parts), answer()).tool_calls[0]["arguments"])


def test_text_thoughts_and_usage():
    usage = {
        "promptTokenCount": 9, "toolUsePromptTokenCount": 5, "cachedContentTokenCount": 4, "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2, "totalTokenCount": 19,
    }  # fmt: skip
    found = read(
        answer({"text": "Hm", "thought": True}, {"text": "Hel"}, {"text": "lo"}, usageMetadata=usage)
        | {"modelVersion": "m-1", "responseId": "r1"}
    )
    assert (found.text, found.reasoning, found.finish_reason) == ("Hello", "Hm", "stop")
    assert found.usage == Usage(14, 5, 4, None, 2)
    assert (found.response_id, found.response_model, found.replay) == ("r1", "m-1", [])
    assert found.ended


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({}, Usage()),
        ({"promptTokenCount": 9}, Usage(9)),
        ({"promptTokenCount": 9, "totalTokenCount": 9}, Usage(9, 0)),
        ({"promptTokenCount": 9, "totalTokenCount": 12}, Usage(9)),
        ({"candidatesTokenCount": 3}, Usage(None, 3)),
        ({"promptTokenCount": 9, "thoughtsTokenCount": 3}, Usage(9, 3, reasoning_tokens=3)),
    ],
)
def test_counts_that_are_not_there_are_none_unless_the_total_says_zero(raw, usage):
    assert read(answer(usageMetadata=raw)).usage == usage


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", "stop"), (1, "stop"), ("MAX_TOKENS", "length"), (2, "length"), ("SAFETY", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"), ("PROHIBITED_CONTENT", "content_filter"), (4, "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"), ("A_NEW_ONE", "error"), ("FINISH_REASON_UNSPECIFIED", None), ([], None),
    ],
)  # fmt: skip
def test_finish_reasons(reason, expected):
    assert read(answer({"text": "a"}, reason=reason)).finish_reason == expected


def test_a_refused_prompt_is_an_answer_without_text():
    for reason in ("SAFETY", "JAILBREAK"):
        found = both({"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 9}})
        assert (found.text, found.finish_reason, found.usage) == ("", "content_filter", Usage(9))
    assert read(answer(promptFeedback={"blockReason": "BLOCK_REASON_UNSPECIFIED"})).finish_reason == "stop"


def test_candidates_without_content():
    for content in ({}, {"content": {}}, {"content": {"parts": None}}):
        found = read({"candidates": [{"finishReason": "MAX_TOKENS"} | content]})
        assert (found.text, found.finish_reason) == ("", "length")


def test_only_the_first_candidate_counts():
    other = {"index": 1, "content": {"parts": [{"text": "Other"}]}, "finishReason": "SAFETY"}
    first = answer({"text": "First"})
    assert read({"candidates": [other, *first["candidates"]]}).text == "First"
    assert both({"candidates": [other]}, first).finish_reason == "stop"


def test_the_usage_of_a_stream_is_the_last_one():
    counts = [{"promptTokenCount": 9, "totalTokenCount": 9}, {"promptTokenCount": 9, "candidatesTokenCount": 4}]
    chunks = [answer({"text": "a"}, reason=None, usageMetadata=count) for count in counts]
    assert both(*chunks, answer({"text": ""}, usageMetadata={})).usage == Usage(9, 4)


def test_counts_stay_known_where_the_last_chunk_has_none():
    chunks = [answer({"text": "a"}, reason=None, usageMetadata={"promptTokenCount": n}) for n in (1, 2, 3)]
    assert streamed("gemini", sse(*chunks, answer())).usage == Usage(3)


def test_an_error_beside_text_is_an_error():
    chunk = answer({"text": "a"}, reason=None)
    with pytest.raises(ProviderUnavailableError):
        streamed("gemini", sse(chunk, chunk | ERROR))
    blocked = chunk | {"promptFeedback": {"blockReason": "SAFETY"}}
    assert streamed("gemini", sse(chunk, blocked)).finish_reason == "content_filter"


def test_tool_calls_have_ids_and_are_sent_back_with_them():
    signed = {**CALL, "thoughtSignature": "c2ln"}
    own = {"functionCall": {"id": "x1", "name": "now"}}
    found = both(answer({"text": "Wait"}, reason=None, responseId="r1"), answer(signed, CALL), answer(own))
    assert found.tool_calls == [
        {"id": "call_r1_0", "name": "weather", "arguments": '{"city":"Köln"}'},
        {"id": "call_r1_1", "name": "weather", "arguments": '{"city":"Köln"}'},
        {"id": "x1", "name": "now", "arguments": "{}"},
    ]
    first = {"functionCall": {"id": "call_r1_0", **CALL["functionCall"]}}
    assert found.replay == [
        {"text": "Wait"},
        first | {"thoughtSignature": "c2ln"},
        {"functionCall": {"id": "call_r1_1", **CALL["functionCall"]}},
        {"functionCall": {"id": "x1", "name": "now", "args": {}}},
    ]


def test_only_parts_that_say_more_than_the_message_are_kept():
    assert both(answer({"text": "Hm", "thought": True}, CALL), answer({"text": "Hello"})).replay == []
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    signed = {"text": "", "thoughtSignature": "c2ln"}
    found = both(*(answer(part) for part in ({"text": "A"}, {"text": "B"}, code, {"text": "C"}, signed)))
    assert (found.text, found.replay) == ("ABC", [{"text": "AB"}, code, {"text": "C"}, signed])


def test_a_character_that_two_chunks_share_is_whole():
    halves = [answer({"text": half}) for half in ("a\ud83d", "\ude00b")]
    assert both(*halves, answer({"text": "", "thoughtSignature": "x"})).replay[0] == {"text": "a😀b"}
    assert both(*halves).text == "a😀b"


def test_arguments_may_come_in_pieces():
    begun = {"name": "cook", "id": "x1", "args": {"far": True}, "willContinue": True}
    pieces = [
        {"jsonPath": "$.to[1].name", "stringValue": "Lasa", "willContinue": True},
        {"jsonPath": "$.to[1].name", "stringValue": "gna"},
        {"jsonPath": "$['a b'][\"c\"]", "numberValue": 2.5},
        {"jsonPath": "$.yes", "boolValue": True},
        {"jsonPath": "$.no", "nullValue": None},
        {"jsonPath": "$.far", "stringValue": "again"},
    ]
    calls = [begun, *({"partialArgs": [piece], "willContinue": True} for piece in pieces), {}]
    expected = {
        "far": "again", "to": [None, {"name": "Lasagna"}], "a b": {"c": 2.5}, "yes": True, "no": None,
    }  # fmt: skip
    assert arguments(*calls) == expected
    assert arguments(begun | {"partialArgs": pieces}, {"willContinue": True}) == expected  # the end cuts it off
    assert arguments(begun | {"partialArgs": pieces}) == expected
    signed = {"functionCall": begun, "thoughtSignature": "c2ln"}
    found = both(answer(signed, reason=None), *[answer({"functionCall": {}})] * 2)
    assert len(found.tool_calls) == 1
    assert found.replay == [
        {"functionCall": {"id": "x1", "name": "cook", "args": {"far": True}}, "thoughtSignature": "c2ln"}
    ]


@pytest.mark.parametrize(
    "path", ["", "$", "x", "$.", "$..a", "$.a[", "$[0]", "$.a[9999999]", "$.a[99999]", "$.list.x", "$" + ".a" * 101]
)
def test_pieces_without_a_place_are_left_out(path):
    begun = {"name": "cook", "args": {"list": [1]}, "willContinue": True}
    made = arguments(begun, {"partialArgs": [{"jsonPath": path, "stringValue": "x"}]})
    assert made["list"] == [1]
    assert "x" not in json.dumps(made)


def test_a_stream_works_while_arguments_come():
    reader = WIRES["gemini"].reader(entry())
    begun = {"functionCall": {"name": "cook", "willContinue": True}}
    assert reader.read("message", json.dumps(answer(begun, reason=None)).encode()).working
    assert not reader.read("message", json.dumps(answer({"text": "a"}, reason=None)).encode()).working


def test_what_gateways_add_to_a_stream_is_passed_by():
    data = b": alive\r\n\r\ndata: \r\n\r\n" + sse(answer({"text": "Hi"})) + b"data: [DONE]\r\n\r\n"
    found = streamed("gemini", data)
    assert (found.text, found.ended) == ("Hi", True)


ERROR = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


def test_errors_inside_answers():
    for data in (sse(ERROR), sse([ERROR]), b"event: error\n" + sse(ERROR), b"event: error\ndata: sorry\n\n"):
        with pytest.raises(ProviderUnavailableError):
            streamed("gemini", data)
    for value in (ERROR, [answer({"text": "a"}, reason=None), ERROR]):
        with pytest.raises(ProviderUnavailableError):
            read(value)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", "[1]", '"x"', '{"usageMetadata":{}}', '{"candidates":[]}'])
def test_what_is_no_answer_is_malformed(body):
    with pytest.raises(MalformedResponseError, match="Some LLM"):
        whole("gemini", body.encode())


@pytest.mark.parametrize("data", ["<html>", "1", "[1]"])
def test_what_is_no_chunk_is_malformed(data):
    with pytest.raises(MalformedResponseError, match="Some LLM"):
        streamed("gemini", f"data: {data}\n\n".encode())


def refused(code, message, **fields):
    return WIRES["gemini"].parse_error(
        entry(), code, {}, json.dumps({"error": {"code": code, "message": message, **fields}}).encode()
    )


def test_errors_are_what_google_means_by_them():
    too_long = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    assert type(refused(400, too_long, status="INVALID_ARGUMENT")) is ContextLengthError
    assert type(refused(400, "Bad schema.", status="INVALID_ARGUMENT")) is InvalidRequestError
    abroad = refused(400, "User location is not supported for the API use.", status="FAILED_PRECONDITION")
    assert type(abroad) is AuthenticationError
    assert type(refused(504, "Late.", status="DEADLINE_EXCEEDED")) is ProviderUnavailableError


def test_a_minutes_quota_is_waited_for_and_a_days_is_not():
    def over(quota):
        details = [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"},
        ]
        message = "You exceeded your current quota, please check your plan and billing details."
        return refused(429, message, status="RESOURCE_EXHAUSTED", details=details)

    minute, day = over("GenerateRequestsPerMinutePerProjectPerModel"), over("GenerateRequestsPerDayPerProjectPerModel")
    assert (type(minute), minute.is_retryable, minute.retry_after) == (RateLimitError, True, 34.4)
    assert (type(day), day.is_retryable) == (RateLimitError, False)


def test_vectors_come_in_the_order_of_the_texts():
    found = WIRES["gemini"].parse_embeddings(entry(), b'{"embeddings":[{"values":[1,2.5]},{"values":[3,4]}]}')
    assert (found.vectors, found.usage) == ([[1.0, 2.5], [3.0, 4.0]], None)
    with pytest.raises(ProviderUnavailableError):
        WIRES["gemini"].parse_embeddings(entry(), json.dumps(ERROR).encode())
    for values in ("[]", "{}", '["x"]', "[[1]]", "[NaN]", "[1e999]", f"[{10**400}]"):
        body = f'{{"embeddings":[{{"values":[1]}},{{"values":{values}}}]}}'
        for bad in (body, "<html>", "{}", '{"embeddings":[]}'):
            with pytest.raises(MalformedResponseError):
                WIRES["gemini"].parse_embeddings(entry(), bad.encode())


def test_the_models_names_are_as_entries_have_them():
    body = b'{"models":[{"name":"models/gemini-2.5-flash"},{"name":"tunedModels/mine"},{}]}'
    assert WIRES["gemini"].parse_listing(entry(), body) == ["gemini-2.5-flash", "tunedModels/mine"]
    with pytest.raises(MalformedResponseError):
        WIRES["gemini"].parse_listing(entry(), b"{}")


def test_each_chunk_brings_its_own_counts_and_a_later_event_without_any_leaves_them():
    def chunk(words, tokens, reason=None):
        counts = {"promptTokenCount": 9, "candidatesTokenCount": tokens, "totalTokenCount": 9 + tokens}
        return answer({"text": words}, reason=reason, usageMetadata=counts)

    pieces = [chunk("a", 1), chunk("b", 2), chunk("c", 3)]

    assert streamed("gemini", sse(*pieces)).usage == Usage(9, 3)
    assert streamed("gemini", sse(*pieces, chunk("d", 4, "STOP"), {"type": "news"})).usage == Usage(9, 4)
