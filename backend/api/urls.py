"""The terminals' calls, and the document that describes them."""

from django.urls import path, re_path

from backend.api.views.catalogue import ArticlesView, MovementsView
from backend.api.views.changes import ChangesView
from backend.api.views.description import DescriptionView, DocumentView
from backend.api.views.receipts import ReceiptListView, ReceiptView, StatusLookupView
from backend.api.views.reconciliation import ReconciliationView
from backend.api.views.state import StateView
from backend.api.views.sync import SyncView
from backend.api.views.terminals import EnrolmentView, TokenView
from backend.api.views.unknown_address import UnknownAddressView

app_name = "api"

urlpatterns = [
    path("simple/ventes/sync", SyncView.as_view(), name="sync"),
    path("simple/ventes/recus", ReceiptListView.as_view(), name="receipts"),
    path("simple/ventes/recus/<str:recu>", ReceiptView.as_view(), name="receipt"),
    path("simple/ventes/statut", StatusLookupView.as_view(), name="fates"),
    path("simple/ventes/changements", ChangesView.as_view(), name="changes"),
    path("simple/stock/mouvements", MovementsView.as_view(), name="movements"),
    path("simple/articles", ArticlesView.as_view(), name="articles"),
    path("simple/ventes/rapprochement", ReconciliationView.as_view(), name="reconciliation"),
    path("simple/etat", StateView.as_view(), name="state"),
    path("simple/terminaux/enrolement", EnrolmentView.as_view(), name="enrolment"),
    path("simple/terminaux/jeton", TokenView.as_view(), name="token"),
    path("schema/", DocumentView.as_view(), name="schema"),
    path("docs/", DescriptionView.as_view(), name="docs"),
    re_path(r"^[\s\S]*$", UnknownAddressView.as_view()),
]
