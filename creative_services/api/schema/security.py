"""How drf-spectacular is told of machine keys; it knows REST framework's own ways itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema


class MachineKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Either of the two headers will do."""

    target_class = "creative_services.api.keys.MachineKeyAuthentication"
    match_subclasses = True
    name = ["machineKey", "machineKeyHeader"]  # noqa: RUF012 - drf-spectacular asks for a list

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "A machine key, as OpenAI's clients send theirs."},
            {
                "type": "apiKey",
                "in": "header",
                "name": "x-api-key",
                "description": "A machine key, as Anthropic's clients send theirs.",
            },
        ]
