"""Mount them with `path("api/llm/", include("creative_services.urls"))`."""

from django.apps import apps
from django.urls import path

from creative_services.api import dialect_views, openai_views, usage, views

if apps.is_installed("drf_spectacular"):
    import creative_services.api.schema.extensions  # noqa: F401

app_name = "creative_services"

urlpatterns = [
    # First what is asked for most: Django tries one after the other.
    path("v1/chat/completions", openai_views.ChatCompletionsView.as_view(), name="chat-completions"),
    path("generate/", views.GenerateView.as_view(), name="generate"),
    path("llms/", views.LLMListView.as_view(), name="llm-list"),
    path("llms/<int:llm_id>/", views.LLMDetailView.as_view(), name="llm-detail"),
    path("tiers/", views.TierListView.as_view(), name="tier-list"),
    path("usage/", usage.UsageView.as_view(), name="usage"),
    path("v1/embeddings", openai_views.EmbeddingsView.as_view(), name="embeddings"),
    path("v1/models", openai_views.ModelListView.as_view(), name="model-list"),
    path("v1/models/<path:model>", openai_views.ModelView.as_view(), name="model-detail"),
    path("v1/responses", dialect_views.ResponsesView.as_view(), name="responses"),
    path("v1/messages", dialect_views.MessagesView.as_view(), name="messages"),
    path("v1/<path:rest>", openai_views.UnknownRouteView.as_view(), name="unknown-route"),
]
