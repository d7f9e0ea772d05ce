"""Today in one shop."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from backend.sales.heard import hear
from backend.shops.models import Terminal
from backend.web.access import shop_page
from backend.web.selectors import dashboard as selectors
from backend.web.selectors.tills import completeness, tills


@shop_page
def dashboard(request: HttpRequest) -> HttpResponse:
    shop = request.access.shop
    # The active time zone is the shop's: its day, not the server's.
    today = timezone.localdate()
    shop_tills = tills(shop=shop)
    context = {
        "today": today,
        "takings": selectors.takings_of_day(shop=shop, day=today),
        "to_correct": selectors.to_correct(shop=shop, today=today),
        "waiting": selectors.waiting(shop=shop),
        "completeness": completeness(hear(Terminal.objects.filter(shop=shop))),
        "tills": shop_tills,
        "pauses": selectors.pauses(shop=shop, terminal_ids=[till.terminal.pk for till in shop_tills]),
    }
    return render(request, "web/dashboard.html", context)
