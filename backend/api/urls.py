"""The terminals' calls, and the document that describes them."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from backend.api import views
from backend.api.description import DocumentView

app_name = "api"

OPEN_TO_ALL = {"authentication_classes": (), "permission_classes": (), "throttle_classes": ()}

urlpatterns = [
    path("simple/ventes/sync", views.SyncView.as_view(), name="sync"),
    path("simple/ventes/recus", views.ReceiptListView.as_view(), name="receipts"),
    path("simple/ventes/recus/<str:recu>", views.ReceiptView.as_view(), name="receipt"),
    path("simple/ventes/statut", views.FatesView.as_view(), name="fates"),
    path("simple/etat", views.StateView.as_view(), name="state"),
    path("schema/", DocumentView.as_view(**OPEN_TO_ALL), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema", **OPEN_TO_ALL), name="docs"),
    re_path(r"^[\s\S]*$", views.NowhereView.as_view()),
]
