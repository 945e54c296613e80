"""This app under `api/llm/`, the floor under `floor/`."""

from django.urls import include, path

from benchmarks.site.floor import FloorView

urlpatterns = [
    path("api/llm/", include("creative_services.urls")),
    path("floor/chat/completions", FloorView.as_view()),
]
