"""The pages for people."""

from django.urls import path
from django.views.generic import RedirectView

from backend.web.views import batches, dashboard, documentation, front, sales

app_name = "web"

urlpatterns = [
    path("", front.front, name="front"),
    path("connexion/", front.SignIn.as_view(), name="sign_in"),
    path("deconnexion/", front.SignOut.as_view(), name="sign_out"),
    path("commercant/", RedirectView.as_view(pattern_name="web:dashboard"), name="shop"),
    path("commercant/dashboard/", dashboard.dashboard, name="dashboard"),
    path("commercant/ventes/", sales.sales, name="sales"),
    path("commercant/ventes/<int:sale_id>/", sales.sale, name="sale"),
    path("commercant/envois/", batches.batches, name="batches"),
    path("commercant/envois/<uuid:receipt>/", batches.batch, name="batch"),
    path("commercant/a-corriger/", batches.to_correct, name="to_correct"),
    path("docs/", documentation.documentation_index, name="documentation"),
    path("docs/<path:name>", documentation.documentation_page, name="documentation_page"),
]
