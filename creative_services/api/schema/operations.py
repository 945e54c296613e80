"""What each view does, as drf-spectacular is told it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiViewExtension
from drf_spectacular.plumbing import is_jsonschema_compliant
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from creative_services.api.schema.shapes import STRING, Shape, in_version_3_0

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drf_spectacular.openapi import AutoSchema
    from drf_spectacular.utils import Direction
    from rest_framework.views import APIView

EVENTS = "text/event-stream"
JSON = "application/json"
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "x-request-id": "This call's id, in the ledger and in the logs.",
        "x-llm-name": "The LLM that answered.",
        "x-llm-attempts": "How many LLMs were asked.",
        "x-llm-cost": "US dollars in plain digits. Absent where the cost is unknown, and from streams.",
        "x-llm-budget-warning": "The soft budgets that the call may exceed. Absent where there are none.",
    }
)


@dataclass(frozen=True)
class Errors:
    """How one dialect tells errors: the shape of their bodies, and an example for each status."""

    shape: Shape
    examples: Mapping[int, Any]

    def responses(self, statuses: tuple[int, ...]) -> dict[Any, OpenApiResponse]:
        """The responses of these statuses."""
        return {(status, JSON): self._response(status) for status in statuses}

    def _response(self, status: int) -> OpenApiResponse:
        example = OpenApiExample(MEANINGS[status], value=self.examples[status])
        return OpenApiResponse(self.shape, description=MEANINGS[status], examples=[example])


MEANINGS: Mapping[int, str] = MappingProxyType(
    {
        400: "The body cannot be meant, is too long for the model, or is refused for its content.",
        401: "Nobody is authenticated.",
        402: "A budget does not cover the call.",
        403: "The user may not.",
        404: "There is no such LLM.",
        413: "The body is too long.",
        415: "The body is not JSON in UTF-8.",
        429: "Too many requests; Retry-After says when to come again.",
        500: "The model's answer broke off.",
        502: "The provider failed.",
        503: "No LLM can be asked now.",
        504: "No answer came in time.",
    }
)
LOOKING = (401, 403, 429)
ASKING = (400, 401, 402, 403, 404, 413, 415, 429, 502, 503, 504)


@dataclass(frozen=True)
class Operation:
    """One method of a view: its name, what it takes and gives.

    `also` has an example for each media type that it gives beside JSON, `query` and `path` what its address may say.
    """

    name: str
    summary: str
    gives: Shape
    example: Any
    errors: Errors
    statuses: tuple[int, ...] = LOOKING
    takes: Shape | None = None
    asks: Mapping[str, Any] | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    path: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    about: str = ""
    tag: str = "llm"

    def describe(self, method: Any) -> None:
        """Write all of it onto a view's method."""
        asks = self.asks or {}
        extend_schema(
            operation_id=self.name,
            summary=self.summary,
            description=self.about or self.summary,
            tags=[self.tag],
            request={JSON: self.takes} if self.takes else None,
            responses=self._responses(),
            parameters=[*(_answer_headers() if self.takes else ()), *self._address()],
            examples=[OpenApiExample(title, value=body, request_only=True) for title, body in asks.items()],
        )(method)
        method.kwargs["schema"] = type("Schema", (NeedsBody, method.kwargs["schema"]), {})

    def _responses(self) -> dict[Any, OpenApiResponse]:
        whole = OpenApiResponse(self.gives, self.summary, [OpenApiExample("An answer", value=self.example)])
        responses = {(200, JSON): whole}
        for media_type, text in self.also.items():
            example = OpenApiExample("As text", value=text)
            responses[200, media_type] = OpenApiResponse(STRING, self.summary, [example])
        return {**responses, **self.errors.responses(self.statuses)}

    def _address(self) -> list[OpenApiParameter]:
        query = [OpenApiParameter(name, schema, OpenApiParameter.QUERY) for name, schema in self.query.items()]
        return query + [OpenApiParameter(name, schema, OpenApiParameter.PATH) for name, schema in self.path.items()]


def describe(view: str, method: str, operation: Operation) -> None:
    """Tell drf-spectacular what this method of the view at this dotted path does."""

    def view_replacement(self: OpenApiViewExtension) -> type[APIView]:
        # A class of its own, for notes are left on its methods.
        described: type[APIView] = type(self.target.__name__, (self.target,), {})
        return extend_schema_view(**{method: operation.describe})(described)

    members = {"target_class": view, "match_subclasses": True, "view_replacement": view_replacement}
    type("View", (OpenApiViewExtension,), members)  # registers itself


class NeedsBody:
    """Says that a body is needed, also where none of its fields is needed alone."""

    def get_operation(self, *args: Any) -> Any:
        operation = super().get_operation(*args)  # type: ignore[misc]  # of the class it is mixed into
        operation.get("requestBody", {})["required"] = True
        return operation


class ShapeExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Makes a component of each Shape."""

    target_class = "creative_services.api.schema.shapes.Shape"

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        name: str = self.target.name
        return name

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        def written(part: Any) -> Any:
            if isinstance(part, Shape):
                return auto_schema.resolve_serializer(part, direction).ref  # type: ignore[arg-type]  # by this extension
            if isinstance(part, list):
                return [written(item) for item in part]
            if isinstance(part, dict):
                spelled = part if _is_3_1() else in_version_3_0(part)
                return {key: written(value) for key, value in spelled.items()}
            return part

        schema: dict[str, Any] = written(self.target.schema)
        return schema


def _is_3_1() -> bool:
    return bool(is_jsonschema_compliant())  # type: ignore[no-untyped-call]


def _answer_headers() -> list[OpenApiParameter]:
    return [
        OpenApiParameter(name, str, OpenApiParameter.HEADER, response=[200], description=about)
        for name, about in HEADERS.items()
    ]
