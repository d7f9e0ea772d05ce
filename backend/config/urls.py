"""The addresses of the site's parts."""

from django.urls import include, path

urlpatterns = [
    path("api/v2/", include("backend.api.urls")),
    path("", include("backend.ops.urls")),
    path("", include("backend.ops.pages.urls")),
    path("admin/", include("backend.ops.admin.urls")),
    path("", include("backend.web.urls")),
]
