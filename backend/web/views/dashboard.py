"""A shop's day: the takings, whether they are complete, what needs a decision, and low stock."""

import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

from backend.sales.days.day_totals import totals_of_days
from backend.sales.tills.status import load_till_statuses
from backend.shops.models import Shop, Terminal
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.dashboard import DayChoice
from backend.web.selectors import dashboard as selectors
from backend.web.selectors import day_details
from backend.web.selectors.tills import completeness, till_of


@shop_page
def dashboard(request: ShopRequest) -> HttpResponse:
    # The active timezone is the shop's, so `today` is the shop's day.
    now, today = timezone.now(), timezone.localdate()
    chosen = DayChoice(request.GET, today=today)
    shop, day = request.access.shop, chosen.day
    is_today = day == today
    if request.htmx:
        # The figures poll for their day. When that day is over, the whole page is reloaded, with its heading.
        if not is_today:
            return HttpResponseClientRefresh()
        return render(request, "web/parts/day_figures.html", _figures(shop, [day], day=day, today=today, now=now))
    context = _figures(shop, day_details.days_until(day), day=day, today=today, now=now)
    context |= {
        "choice": chosen,
        "day_before": day - datetime.timedelta(days=1),
        "day_after": None if is_today else day + datetime.timedelta(days=1),
        "days": day_details.chart_of_days(context["totals"], shop=shop),
        "hours": day_details.hours_of_day(shop=shop, day=day),
        "best": day_details.best_articles(shop=shop, day=day),
        "low_stock": day_details.low_stock(shop=shop) if is_today else None,
    }
    return render(request, "web/dashboard.html", context)


def _figures(
    shop: Shop, days: list[datetime.date], *, day: datetime.date, today: datetime.date, now: datetime.datetime
) -> dict[str, Any]:
    # The statuses are read before the figures: a sale that they count as posted is then in the figures.
    statuses = load_till_statuses(Terminal.objects.filter(shop=shop))
    terminal_ids = [till.terminal.pk for till in statuses]
    known = completeness(statuses)
    totals = totals_of_days(shop=shop, days=days, now=now)
    waiting_since = [till.waiting_since for till in statuses if till.waiting_since]
    return {
        "day": day,
        "is_today": day == today,
        "completeness": known,
        "totals": totals,
        "takings": selectors.takings_shown(totals[day], shop=shop, day=day),
        "aside": selectors.not_in_figures(shop=shop, day=day, today=today, terminal_ids=terminal_ids),
        "waiting": selectors.Waiting(sum(till.waiting_count for till in statuses), min(waiting_since, default=None)),
        "tills": [till_of(till) for till in statuses if not till.terminal.is_office],
        "pauses": selectors.pauses(shop=shop, terminal_ids=terminal_ids),
    }
