"""The register of a shop's month: every number with its document."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from backend.web.access import ShopRequest, shop_page
from backend.web.forms.register import RegisterForm
from backend.web.selectors import register as selectors


@shop_page
def register(request: ShopRequest) -> HttpResponse:
    shop, today = request.access.shop, timezone.localdate()
    months = selectors.months(shop=shop, today=today)
    form = RegisterForm(request.GET or None, months=months)
    if form.is_bound and not form.is_valid():
        raise Http404
    chosen = form.cleaned_data if form.is_bound else {"mois": None, "numero": None}
    first_day = chosen["mois"] or months[0]
    page = selectors.register_page(shop=shop, first_day=first_day, today=today, after=(chosen["numero"] or 1) - 1)
    shown = RegisterForm({"mois": page.month.value, "numero": chosen["numero"]}, months=months)
    return render(request, "web/register.html", {"page": page, "filter": shown})
