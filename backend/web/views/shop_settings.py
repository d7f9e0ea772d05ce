"""The shop's settings: its exchange rates of the day, and who set them."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from backend.shops.exchange_rates import newest_rates, rates_of_the_day, set_rate
from backend.shops.models import ExchangeRate, Role
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.settings import RatesForm

RATES_SHOWN_MAX = 20


@shop_page(at_least=Role.MANAGER)
def shop_settings(request: ShopRequest) -> HttpResponse:
    """Show the rates, or set them. The same form sent twice sets them once: today's rate is the same already."""
    shop = request.access.shop
    form = RatesForm(request.POST if request.method == "POST" else None, shop=shop, rates=rates_of_the_day(shop))
    if form.is_bound and form.is_valid():
        for foreign, rate in form.given().items():
            set_rate(shop=shop, foreign=foreign, rate=rate, user=request.user)
        messages.success(request, _("Les cours du jour sont gardés."))
        return HttpResponseRedirect(request.access.link(reverse("web:settings")))
    context = {
        "form": form,
        "newest": newest_rates(shop).values(),
        "history": ExchangeRate.objects.filter(shop=shop).order_by("-pk")[:RATES_SHOWN_MAX],
    }
    return render(request, "web/settings.html", context)
