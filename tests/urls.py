"""URLs of the tests' project: the admin, and this app where a project would mount it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/llm/", include("creative_services.urls")),
]
