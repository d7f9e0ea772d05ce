"""The closings of the tills' days, a day closed by hand, and the closing of a month."""

import datetime
from decimal import Decimal

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.db.keyset import BadCursor, KeysetPage
from backend.sales.days.day_closing import close_day_by_hand
from backend.sales.days.day_report import CASHIER_LENGTH_MAX
from backend.sales.days.month_closing import MonthAlreadyClosed, MonthNotOver
from backend.sales.days.month_closing import close_month as close_month_of_shop
from backend.sales.errors import FieldInvalid
from backend.sales.models import TillClosing
from backend.sales.money.movements import CASH
from backend.shops.models import Role
from backend.shops.terminals import shop_id_of, shop_of
from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.forms.closings import ClosingForm
from backend.web.forms.dashboard import DayChoice
from backend.web.forms.keys import new_key
from backend.web.forms.lists import SaleFilter
from backend.web.selectors import closings as selectors
from backend.web.selectors import drawers
from backend.web.selectors import register as register_selectors
from backend.web.selectors.drawers import TillDay
from backend.web.selectors.till_details import till_of_shops


@shop_page
def closings(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    # Filtered by a day and a till, as sales are.
    chosen = SaleFilter(request.GET, shop=shop)
    page: KeysetPage = KeysetPage(rows=[], next_cursor=None)
    if chosen.is_valid():
        try:
            page = selectors.closings_page(shop=shop, cursor=request.GET.get("apres"), **chosen.criteria())
        except BadCursor as error:
            raise Http404 from error
    today = timezone.localdate()
    context = {
        "page": page,
        "rows": [selectors.row_of(closing) for closing in page.rows],
        "filter": chosen,
        "is_first_page": not request.GET.get("apres"),
        "left_open": selectors.tills_left_open(shop=shop, day=today),
        "today": today,
        "month_to_close": register_selectors.last_open_month(shop=shop, today=today),
    }
    return render(request, "web/closings.html", context)


@shop_page
def closing(request: ShopRequest, *, closing_id: int) -> HttpResponse:
    found = selectors.closing_of_shops(closing_id=closing_id, shop_ids=request.access.shop_ids)
    if found is None:
        raise Http404
    redirect = redirect_to_shop(request, shop_id=found.shop_id)
    return redirect or render(request, "web/closing.html", {"view": selectors.closing_view(found)})


@shop_page
def closing_drawer(request: ShopRequest, *, closing_id: int) -> HttpResponse:
    """Explain the drawer that a closing compared."""
    found = selectors.closing_of_shops(closing_id=closing_id, shop_ids=request.access.shop_ids)
    if found is None:
        raise Http404
    redirect = redirect_to_shop(request, shop_id=found.shop_id)
    if redirect:
        return redirect
    till_day = TillDay(found.shop, found.terminal, found.day, found.cashier)
    return _explain(request, till_day, found)


@shop_page
def till_drawer(request: ShopRequest, *, terminal_id: int) -> HttpResponse:
    """Explain the money of a till's day, of all its cashiers or of one; today unless the address names a day."""
    terminal = till_of_shops(terminal_id=terminal_id, shop_ids=request.access.shop_ids)
    if terminal is None:
        raise Http404
    redirect = redirect_to_shop(request, shop_id=shop_id_of(terminal))
    if redirect:
        return redirect
    chosen = DayChoice(request.GET, today=timezone.localdate())
    cashier = request.GET.get("caissier", "")[:CASHIER_LENGTH_MAX]
    till_day = TillDay(shop_of(terminal), terminal, chosen.day, cashier)
    others = {"cashiers": drawers.cashiers_of(till_day), "closings": drawers.closings_of(till_day)}
    return _explain(request, till_day, None, choice=chosen, **others)


def _explain(request: ShopRequest, till_day: TillDay, closing: TillClosing | None, **more: object) -> HttpResponse:
    cursor = request.GET.get("apres")
    explanation = drawers.explain_drawer(till_day, closing)
    # The movements of one currency and mode at a time; of the shop's cash unless the address names others.
    key = (request.GET.get("devise", ""), request.GET.get("mode", CASH))
    if key not in explanation.keys:
        key = next(iter(explanation.keys), (till_day.shop.currency, CASH))
    opening = next((sheet.opening for sheet in explanation.cash if key == (sheet.currency, CASH)), Decimal(0))
    try:
        page = drawers.moves_page(till_day, closing, key=key, opening=opening, cursor=cursor)
    except BadCursor as error:
        raise Http404 from error
    shown = {
        "terminal": till_day.terminal,
        "day": till_day.day,
        "cashier": till_day.cashier,
        "closing": closing,
        "explanation": explanation,
        "page": page,
        "currency": key[0],
        "mode": key[1],
        "is_first_page": not cursor,
    }
    return render(request, "web/drawer.html", {**shown, **more})


@shop_page(at_least=Role.MANAGER)
def close_day(request: ShopRequest) -> HttpResponse:
    """Close a till's day by hand: compared, stored and shown as if the till had sent it."""
    today = timezone.localdate()
    initial = {
        "caisse": request.GET.get("caisse"),
        "jour": request.GET.get("jour") or today,
        "key": new_key(),
    }
    form = ClosingForm(request.POST or None, initial=initial, shop=request.access.shop, today=today)
    if request.method != "POST" or not form.is_valid():
        return render(request, "web/close_day.html", {"form": form})
    given = form.cleaned_data
    try:
        found = close_day_by_hand(
            terminal=given["caisse"], day=given["jour"], drawer=form.drawer(), user=request.user, key=given["key"]
        )
    except FieldInvalid as error:
        form.add_error(None, str(error))
        return render(request, "web/close_day.html", {"form": form})
    messages.success(request, _("La journée est comparée à ce qui est enregistré. Voici le résultat."))
    return HttpResponseRedirect(request.access.link(reverse("web:closing", kwargs={"closing_id": found.pk})))


@shop_page(at_least=Role.OWNER)
def close_month(request: ShopRequest, *, year: int, month: int) -> HttpResponse:
    """Ask for confirmation, and close the month's register: it takes no more numbers, and cannot be reopened."""
    first_day = _first_day(year, month)
    shop = request.access.shop
    if request.method != "POST":
        found = register_selectors.month_to_close(shop=shop, first_day=first_day, today=timezone.localdate())
        return render(request, "web/close_month.html", {"month": found})
    author = request.user.get_full_name() or request.user.get_username()
    try:
        closed = close_month_of_shop(shop=shop, year=year, month=month, author=author)
    except MonthNotOver:
        messages.error(request, _("Ce mois n'est pas encore fini : il ne peut pas être clôturé."))
    except MonthAlreadyClosed as refusal:
        messages.warning(request, _closed_before(refusal))
    else:
        words = _("Mois clôturé : son registre a %(count)s documents et n'en prendra plus.")
        messages.success(request, words % {"count": closed.last_number})
    return HttpResponseRedirect(request.access.link(reverse("web:register"), mois=f"{year}-{month:02}"))


def _closed_before(refusal: MonthAlreadyClosed) -> str:
    author = refusal.sequence.closed_by
    if not author:
        return _("Ce mois était déjà clôturé.")
    return _("Ce mois était déjà clôturé par %(author)s.") % {"author": author}


def _first_day(year: int, month: int) -> datetime.date:
    first_day = register_selectors.month_of(year, month)
    if first_day is None:
        raise Http404
    return first_day
