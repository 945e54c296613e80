"""What calls came to, for those who made them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.timezone import get_default_timezone_name
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.response import Response

from creative_services.adapters.usage import total, usage
from creative_services.adapters.usage_query import UsageError, asked_of, groups_of
from creative_services.adapters.usage_table import Names, sums_of, to_csv
from creative_services.api.policies import is_staff
from creative_services.api.views import CreativeServicesView, OutsideTransactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponseBase
    from rest_framework.request import Request

    from creative_services.adapters.usage import Asked, Group

PARAMETERS = ("from", "to", "by", "tier", "llm", "user", "machine_key", "source", "outcome", "format")
FORMATS = ("json", "csv")
CSV = "text/csv"


class UsageView(OutsideTransactions, CreativeServicesView):  # it adds days up, each in a transaction of its own
    """`GET usage/`: calls, tokens and US dollars in groups; one's own, and for staff everybody's."""

    def get(self, request: Request) -> HttpResponseBase:
        try:
            texts = self._texts(request)
            asked, by = asked_of(texts), groups_of(texts.get("by") or "day")
        except UsageError as error:
            raise ParseError(str(error)) from None
        asked = self._permitted(request, asked)
        groups = usage(asked, by)
        if self._wants_csv(request, texts):
            name = f"usage-{asked.first}-{asked.last}.csv"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return HttpResponse(to_csv(groups, by), content_type=f"{CSV}; charset=utf-8", headers=headers)
        return Response(_body(asked, by, groups))

    def _texts(self, request: Request) -> dict[str, str]:
        unknown = [name for name in request.query_params if name not in PARAMETERS]
        if unknown:
            raise UsageError(f"There is no parameter {unknown[0]!r}; there are {', '.join(PARAMETERS)}.")
        texts = {name: str(value) for name, value in request.query_params.items()}
        if texts.get("format", "json") not in FORMATS:
            raise UsageError(f"`format` must be json or csv, not {texts['format']!r}.")
        return texts

    def _permitted(self, request: Request, asked: Asked) -> Asked:
        if is_staff(request):
            return asked
        if asked.user_id not in {None, request.user.pk}:
            raise PermissionDenied("Only staff may see the usage of others.")
        return replace(asked, user_id=request.user.pk)

    def _wants_csv(self, request: Request, texts: dict[str, str]) -> bool:
        if "format" in texts:
            return texts["format"] == "csv"
        kinds = [kind.partition(";")[0].strip() for kind in request.headers.get("Accept", "").split(",")]
        return CSV in kinds and "application/json" not in kinds


def _body(asked: Asked, by: Sequence[str], groups: Sequence[Group]) -> dict[str, Any]:
    names = Names.of(groups, by)
    return {
        "from": asked.first.isoformat(),
        "to": asked.last.isoformat(),
        "time_zone": get_default_timezone_name(),
        "by": list(by),
        "groups": [_group(group, by, names) for group in groups],
        "total": sums_of(total(groups)),
    }


def _group(group: Group, by: Sequence[str], names: Names) -> dict[str, Any]:
    key = {name: _value(name, value, names) for name, value in zip(by, group.key, strict=True)}
    return key | sums_of(group.sums)


def _value(name: str, value: Any, names: Names) -> Any:
    match name:
        case "day":
            return value.isoformat()
        case "llm":
            return value._asdict()
        case "user":
            return None if value is None else {"id": _id(value), "name": names.users.get(value)}
        case "machine_key":
            return None if value is None else {"id": value, "name": names.machine_keys.get(value)}
        case _:
            return value


def _id(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)
