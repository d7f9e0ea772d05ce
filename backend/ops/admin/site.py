"""Django's administration, for what the operations page does not do. For staff only, through our own sign-in page."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

APPS = {
    "admin": _("Journal"),
    "auth": _("Personnes et droits"),
    "inventory": _("Stock"),
    "ops": _("Exploitation"),
    "sales": _("Ventes"),
    "shops": _("Boutiques et caisses"),
}
# Operators' names for the lists; the columns keep their names in the tables.
LABELS = {
    "Article": _("Articles"),
    "ArticleUnit": _("Unités des articles"),
    "Batch": _("Lots"),
    "DayTotal": _("Totaux des jours"),
    "Device": _("Appareils"),
    "DoctorRun": _("Passages du docteur"),
    "EnrolmentCode": _("Codes d’inscription"),
    "ExchangeRate": _("Cours des devises"),
    "Group": _("Groupes"),
    "Heartbeat": _("Signes de vie"),
    "InvoiceSequence": _("Registres des mois"),
    "RefusedCall": _("Appels refusés"),
    "Lane": _("Files des caisses"),
    "LogEntry": _("Journal de l’administration"),
    "Membership": _("Équipes"),
    "OutcomeHistory": _("Sorts remplacés"),
    "Pause": _("Pauses"),
    "Sale": _("Ventes et documents"),
    "Shop": _("Boutiques"),
    "StockMovement": _("Entrées et sorties"),
    "SweepTurn": _("Tours des rondes"),
    "Terminal": _("Caisses"),
    "TillClosing": _("Clôtures de caisse"),
    "User": _("Personnes"),
}


class OperatorsSite(AdminSite):
    site_title = site_header = _("Administration")
    index_title = _("Ce qui est gardé")
    enable_nav_sidebar = False
    final_catch_all_view = True

    @property
    def site_url(self) -> str:  # type: ignore[override]  # the URLs are not loaded yet when the class is made
        return reverse("operations:overview")

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Answer 404 to a signed-in user who is not staff: a redirect to the sign-in page would loop."""
        guarded = super().admin_view(view, cacheable)

        @wraps(view)
        def for_staff(request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            return guarded(request, *arguments, **options)

        return cast(View, for_staff)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Redirect to our sign-in page, the only one: it counts wrong passwords."""
        if request.user.is_authenticated:
            raise Http404
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))

    def password_change(  # type: ignore[override]  # the stub expects a TemplateResponse
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("web:password_change"))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, object]]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["name"] = APPS.get(app["app_label"], app["name"])
            for model in app["models"]:
                model["name"] = LABELS.get(model["object_name"], model["name"])
        return apps


site = OperatorsSite(name="admin")
