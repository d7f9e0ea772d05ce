"""A sale made on the web. Every button sends the whole form; only RECORD records a sale."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from backend.sales.models import Sale
from backend.shops.models import Role
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.keys import new_key
from backend.web.forms.new_sale import LINES_MAX, Basket, NewSaleForm, units_of
from backend.web.selectors.goods import OFFERED_MAX, offered_units
from backend.web.views.sale_actions import record

RECORD = "enregistrer"


@shop_page(at_least=Role.MANAGER)
def new_sale(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    if request.method != "POST":
        initial = {"key": new_key(), "devise": shop.currency, "mode": "CASH"}
        return _show(request, NewSaleForm(initial=initial, shop=shop), Basket([]))
    basket = Basket.read(request.POST, shop=shop)
    what, _colon, which = request.POST.get("faire", "").partition(":")
    if what == RECORD:
        return _record(request, basket)
    _change(request, basket, what, which)
    typed = {name: request.POST.get(name, "") for name in NewSaleForm.base_fields}
    return _show(request, NewSaleForm(initial=typed, shop=shop), basket)


def _change(request: ShopRequest, basket: Basket, what: str, which: str) -> None:
    shop = request.access.shop
    if what == "ajouter":
        for unit in units_of(shop, [which]).values():
            basket.add(unit, currency=request.POST.get("devise") or shop.currency)
    elif what == "retirer":
        basket.remove(which)


def _record(request: ShopRequest, basket: Basket) -> HttpResponse:
    shop = request.access.shop
    form = NewSaleForm(request.POST, shop=shop)
    lines = basket.forms(is_judged=True)
    is_sound = all([form.is_valid(), *(line.is_valid() for line in lines)])
    if not lines:
        form.add_error(None, _("Ajoutez au moins un article."))
    elif is_sound:
        attempt = record(request, form, form.document([line.line() for line in lines]), _done)
        if attempt.document:
            path = reverse("web:sale", kwargs={"sale_id": attempt.document.pk})
            return HttpResponseRedirect(request.access.link(path))
        if attempt.is_over:
            return HttpResponseRedirect(request.access.link(reverse("web:sales")))
    return _show(request, form, basket, is_judged=True)


def _done(sale: Sale) -> str:
    return _("Vente enregistrée sous le numéro %(number)s.") % {"number": sale.registration_number}


def _show(request: ShopRequest, form: NewSaleForm, basket: Basket, *, is_judged: bool = False) -> HttpResponse:
    text = (form["q"].value() or "").strip()[:64]
    found = offered_units(shop=request.access.shop, text=text)
    context = {
        "form": form,
        "lines": basket.forms(is_judged=is_judged),
        "total": basket.total() if basket.lines else None,
        "currency": form["devise"].value() or request.access.shop.currency,
        "found": found,
        "is_more": len(found) == OFFERED_MAX,
        "text": text,
        "is_full": basket.is_full,
        "lines_max": LINES_MAX,
    }
    return render(request, "web/new_sale.html", context)
