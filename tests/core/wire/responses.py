"""Answers of the Responses API, whole and streamed, as the tests write them."""

from __future__ import annotations

import json

from .answers import streamed, whole

WIRE = "openai_responses"


def message(*parts, **fields):
    content = [{"type": "output_text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"type": "message", "id": "m1", "role": "assistant", "content": content, **fields}


def response(*output, **fields):
    known = {"id": "resp_1", "object": "response", "model": "m-1", "status": "completed", "error": None}
    return {**known, "output": list(output), "usage": None, **fields}


def answer(*output, **fields):
    return whole(WIRE, json.dumps(response(*output, **fields)).encode())


def event(kind, **fields):
    value = {"type": kind, **fields}
    return f"event: {kind}\ndata: {json.dumps(value)}\n\n".encode()


def delta(kind, text, output=0, **fields):
    return event(f"response.{kind}.delta", delta=text, output_index=output, **fields)


def done(item, output=0):
    return event("response.output_item.done", item=item, output_index=output)


def end(*output, kind="completed", **fields):
    return event(f"response.{kind}", response=response(*output, status=kind, **fields))


CREATED = event("response.created", response=response(status="in_progress"))


def stream(*events):
    return streamed(WIRE, CREATED, *events)
