"""The most that a caller may ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from creative_services.core.content import utf8_length
from creative_services.core.errors import InvalidRequestError

BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most a caller may ask for.

    Characters of all text sent, tokens of output, messages, bytes of each picture that a message holds, and tokens of
    all text, for which four bytes are taken each (None: as many as the characters make). Pictures are no text.
    """

    prompt_chars: int = 2_000_000
    max_tokens: int = 2_000_000
    messages: int = 10_000
    image_bytes: int = 20_000_000
    prompt_tokens: int | None = None

    def check_messages(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """How many characters of these messages are pictures; raises InvalidRequestError where too much is sent."""
        if len(messages) > self.messages:
            raise InvalidRequestError(
                f"`messages` holds {len(messages)} messages. Send at most {self.messages}, or raise MAX_MESSAGES."
            )
        return sum(self._check_picture(index, url) for index, url in _pictures(messages))

    def check_tokens(self, content: Sequence[Any], pictures: int = 0) -> None:
        """Raise InvalidRequestError where all this, without so many characters of pictures, is too many tokens."""
        if self.prompt_tokens is None:
            return
        tokens = -(-(sum(map(utf8_length, content)) - pictures) // BYTES_PER_TOKEN)
        if tokens > self.prompt_tokens:
            raise InvalidRequestError(
                f"The request has about {tokens} tokens, at {BYTES_PER_TOKEN} bytes each. "
                f"Send at most {self.prompt_tokens}, or raise MAX_PROMPT_TOKENS."
            )

    def _check_picture(self, index: int, url: str) -> int:
        size = _decoded_length(url)
        if size > self.image_bytes:
            raise InvalidRequestError(
                f"`messages[{index}].content` holds an image of {size} bytes. "
                f"Send at most {self.image_bytes}, or raise MAX_IMAGE_BYTES."
            )
        return len(url)


def _pictures(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """The URL of each picture that is sent along, with the number of its message."""
    for index, message in enumerate(messages):
        content = message.get("content")
        for part in content if isinstance(content, Sequence) and not isinstance(content, str) else ():
            image = part.get("image_url") if part["type"] == "image_url" else None
            url = image.get("url") if isinstance(image, Mapping) else image
            if isinstance(url, str) and url[:5].lower() == "data:":
                yield index, url


def _decoded_length(url: str) -> int:
    """Bytes of a data URL's content; at most, where it is not written in base64."""
    begin = url.find(",") + 1
    if not url[:begin].lower().endswith(";base64,"):
        return len(url) - begin
    return (len(url) - begin - url[-2:].count("=")) * 3 // 4
