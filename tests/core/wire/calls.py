"""Calls that use everything a call can hold, in the form callers write them."""

from __future__ import annotations

import json

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP6DwABBQECz6AuzQAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather somewhere.", "parameters": SCHEMA},
}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
HELLO = {"role": "user", "content": "Grüß dich"}


def called(*cities):
    """An assistant's turn that calls the tool once for each city, and the results."""
    calls = [
        {
            "id": f"call_{city}",
            "type": "function",
            "function": {"name": "weather", "arguments": json.dumps({"city": city})},
        }
        for city in cities
    ]
    results = [{"role": "tool", "tool_call_id": f"call_{city}", "content": f"Rain in {city}"} for city in cities]
    return [HELLO, {"role": "assistant", "content": None, "tool_calls": calls}, *results]


def showing(kind, value):
    return [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": kind, kind: value}]}]


CALLS = {
    "a prompt": {},
    "a system prompt": {"system": "Be brief."},
    "a system turn": {"messages": [{"role": "system", "content": "Be brief."}, HELLO]},
    "several turns": {"messages": [HELLO, {"role": "assistant", "content": "Servus"}, HELLO]},
    "text in parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
    "a cap": {"max_tokens": 17},
    "a stop sequence": {"stop": ("END",)},
    "a temperature": {"temperature": 0.5},
    "tools": {"tools": [WEATHER, CLOCK]},
    "a tool that may be chosen": {"tools": [WEATHER], "tool_choice": "auto"},
    "no tool": {"tools": [WEATHER], "tool_choice": "none"},
    "some tool": {"tools": [WEATHER], "tool_choice": "required"},
    "this tool": {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
    "a call and its result": {"messages": called("Linz"), "tools": [WEATHER]},
    "parallel calls": {"messages": called("Linz", "Graz"), "tools": [WEATHER]},
    "an image": {"messages": showing("image_url", {"url": f"data:image/png;base64,{PIXEL}"})},
    "an image elsewhere": {"messages": showing("image_url", {"url": "https://acme.example/cat.png"})},
    "a document": {
        "messages": showing("file", {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"})
    },
    "JSON": {"response_format": {"type": "json_object"}},
    "JSON of a schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}
    },
}
