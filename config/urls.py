"""Where managers and machines come in."""

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.generic import RedirectView


def healthy(_request: HttpRequest) -> JsonResponse:
    """200 while the web process answers; says nothing else, to nobody in particular."""
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthy),
    path("admin/", admin.site.urls),
    path("", include("sync.api.urls")),
]
