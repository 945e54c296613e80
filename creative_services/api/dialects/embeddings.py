"""OpenAI's embeddings.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

from base64 import b64encode
from struct import pack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.base import Asked
from creative_services.api.dialects.fields import refusal, sort_out
from creative_services.api.dialects.openai_errors import error_body
from creative_services.core.errors import MalformedResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from creative_services.api.dialects.base import Fault
    from creative_services.core.types import EmbeddingResponse

TAKEN = frozenset({"model", "input", "dimensions", "encoding_format"})
IGNORED = frozenset({"user"})


class Embeddings:
    """`embeddings`; what is asked remembers how vectors are to be written."""

    def read(self, body: dict[str, Any]) -> Asked:
        fields = sort_out(body, TAKEN, {}, IGNORED)
        encode = ENCODINGS.get(str(fields.get("encoding_format", "float")))
        if encode is None:
            raise refusal("encoding_format", f"must be one of: {', '.join(ENCODINGS)}.")
        call = {"texts": _texts(fields.get("input")), "dimensions": fields.get("dimensions")}
        return Asked(fields.get("model", ""), stream=False, call=call, options=encode)

    def whole(self, asked: Asked, response: EmbeddingResponse) -> dict[str, Any]:
        vectors = enumerate(map(asked.options, response.vectors))
        count = response.usage.input_tokens
        return {
            "object": "list",
            "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in vectors],
            "model": response.llm.model,
            "usage": None if count is None else {"prompt_tokens": count, "total_tokens": count},
        }

    def error_body(self, fault: Fault) -> dict[str, Any]:
        return error_body(fault)


def _base64(vector: list[float]) -> str:
    """The vector as 32-bit floats, little-endian."""
    try:
        return b64encode(pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError:
        raise MalformedResponseError("The vector holds a number that 32 bits are too few for.") from None


ENCODINGS: Mapping[str, Callable[[list[float]], Any]] = MappingProxyType({"float": list, "base64": _base64})


def _texts(given: Any) -> str | list[str]:
    """The texts. Tokens mean something to the model only that they were made for, and may not be the row's."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise refusal("input", "must be a string or a list of strings, none of them empty. Send text, not tokens.")
    return texts
