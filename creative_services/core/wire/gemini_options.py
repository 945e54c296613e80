"""From OpenAI chat form to Gemini's tools, tool config and generation config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import InvalidRequestError
from creative_services.core.options import spell
from creative_services.core.wire.gemini_conversation import refuse

if TYPE_CHECKING:
    from creative_services.core.request import LLMRequest
    from creative_services.core.types import LLMEntry

# Tools that run at Google, given as `{"type": name, ...their settings}`.
_OWN_TOOLS = frozenset({
    "google_search", "google_maps", "url_context", "code_execution", "file_search", "computer_use",
})  # fmt: skip
_WORDS: Mapping[str, str | None] = MappingProxyType(
    {
        "top_p": "topP",
        "presence_penalty": "presencePenalty",
        "frequency_penalty": "frequencyPenalty",
        "seed": "seed",
    }
)
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "any": "ANY"}


def generation_config(entry: LLMEntry, request: LLMRequest) -> dict[str, Any]:
    """The output cap, stop sequences, options and output format of this call."""
    config: dict[str, Any] = {"maxOutputTokens": request.max_tokens or entry.max_tokens}
    if request.stop:
        config["stopSequences"] = list(request.stop)
    config |= spell(request.options, _WORDS if request.tools else {**_WORDS, "parallel_tool_calls": None}, refuse)
    return config | (_output_format(request.response_format) if request.response_format else {})


def _output_format(given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given.get("type")
    if kind == "text":
        return {}
    if kind == "json_object":
        return {"responseMimeType": "application/json"}
    if kind != "json_schema":
        raise refuse(f"`response_format` {str(kind)[:40]}", "Give text, json_object or json_schema.")
    named = given.get("json_schema")
    schema = named.get("schema") if isinstance(named, Mapping) else None
    if not isinstance(schema, Mapping):
        raise InvalidRequestError("`response_format.json_schema.schema` must be an object.")
    return {"responseMimeType": "application/json", "responseJsonSchema": schema}


def tools(given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """All functions as one tool, and Google's own tools."""
    functions: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for index, tool in enumerate(given):
        if tool["type"] in _OWN_TOOLS:
            others.append({tool["type"]: {key: value for key, value in tool.items() if key != "type"}})
        else:
            functions.append(_declaration(tool, f"tools[{index}]"))
    return [{"functionDeclarations": functions}, *others] if functions else others


def _declaration(tool: Mapping[str, Any], where: str) -> dict[str, Any]:
    function = tool.get("function")
    if tool["type"] != "function":
        raise refuse(f"`{where}` of type {tool['type'][:40]}", "Define it as a function.")
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise InvalidRequestError(f"`{where}.function` must be an object with a `name`.")
    optional = {"description": function.get("description"), "parametersJsonSchema": function.get("parameters")}
    return {"name": function["name"]} | {key: value for key, value in optional.items() if value is not None}


def tool_config(request: LLMRequest) -> dict[str, Any] | None:
    """The tool choice in this API's words; None for its own default.

    Strict tools, where the model may choose, are what this API calls validated: calls keep to the schema.
    """
    choice = request.tool_choice
    is_strict = any(
        isinstance(tool.get("function"), Mapping) and tool["function"].get("strict") for tool in request.tools
    )
    if is_strict and (choice is None or choice == "auto"):
        return {"functionCallingConfig": {"mode": "VALIDATED"}}
    if choice is None:
        return None
    if isinstance(choice, str) and choice in _MODES:
        return {"functionCallingConfig": {"mode": _MODES[choice]}}
    function = choice.get("function") if isinstance(choice, Mapping) and choice.get("type") == "function" else None
    if isinstance(function, Mapping) and isinstance(function.get("name"), str):
        return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [function["name"]]}}
    raise refuse("this `tool_choice`", "Give auto, none, required, or a function's name.")
