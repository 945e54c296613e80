"""Mount them with `path("api/llm/", include("creative_services.urls"))`."""

from django.apps import apps
from django.urls import path

from creative_services.api import views

if apps.is_installed("drf_spectacular"):
    import creative_services.api.schema.extensions  # noqa: F401

app_name = "creative_services"

urlpatterns = [
    path("generate/", views.GenerateView.as_view(), name="generate"),
    path("llms/", views.LLMListView.as_view(), name="llm-list"),
    path("llms/<int:llm_id>/", views.LLMDetailView.as_view(), name="llm-detail"),
    path("tiers/", views.TierListView.as_view(), name="tier-list"),
]
