"""The routes of OpenAI's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from rest_framework.response import Response

from creative_services.adapters.clients import get_registry
from creative_services.api.dialects.chat import Chat
from creative_services.api.dialects.embeddings import Embeddings
from creative_services.api.naming import TIERS, find
from creative_services.api.policies import allowed_tiers, check_tier
from creative_services.api.views import CallView, CreativeServicesView, WholeCallView
from creative_services.core.llm_registry import rank
from creative_services.core.types import LLMTier

if TYPE_CHECKING:
    from typing import NoReturn

    from rest_framework.request import Request

CHAT = Chat()
US = "creative_services"


class ChatCompletionsView(CallView):
    """`POST v1/chat/completions`."""

    dialect = CHAT


class EmbeddingsView(WholeCallView):
    """`POST v1/embeddings`."""

    dialect = Embeddings()
    asks = "embed"


class ModelListView(CreativeServicesView):
    """`GET v1/models`: what the user may name as `model`: tiers that have an LLM, then LLMs, cheapest first."""

    dialect = CHAT

    def get(self, request: Request) -> Response:
        tiers = allowed_tiers(request.user)
        entries = [entry for entry in rank(get_registry().list_active()) if entry.tier in tiers]
        served = {entry.tier for entry in entries if not entry.unusable}
        models = [_model(tier.value, US) for tier in LLMTier if tier in served]
        models += [_model(entry.name, entry.provider) for entry in entries if entry.name not in TIERS]
        return Response({"object": "list", "data": models})


class ModelView(CreativeServicesView):
    """`GET v1/models/<id>`: a tier, or the LLM that a call with this `model` asks."""

    dialect = CHAT

    def get(self, request: Request, model: str) -> Response:
        if model in TIERS:
            check_tier(request.user, LLMTier(model))
            return Response(_model(model, US))
        entry = find(model, allowed_tiers(request.user))
        check_tier(request.user, entry.tier)
        return Response(_model(model, entry.provider))


class UnknownRouteView(CreativeServicesView):
    """What OpenAI's API has and this one has not: a 404 that its clients can read."""

    dialect = CHAT

    def initial(self, request: Request, *args: Any, **_: Any) -> NoReturn:
        raise Http404


def _model(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}
