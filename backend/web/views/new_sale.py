"""A sale made on the web. Every button sends the whole form; only RECORD records a sale."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.sales.models import Sale
from backend.shops.exchange_rates import rates_of_the_day, today_of
from backend.shops.models import Role
from backend.web import formats
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.keys import new_key
from backend.web.forms.new_sale import LINES_MAX, Basket, NewSaleForm, reckoned, units_of
from backend.web.selectors.goods import OFFERED_MAX, offered_units
from backend.web.selectors.sale_money import offered_drawers
from backend.web.views.sale_actions import record
from backend.web.wording.money import rates_words

RECORD = "enregistrer"
# A hidden field: the currency that the amounts on the page are in. The chosen currency may be another one by now.
PRICES_IN = "prix_en"


@shop_page(at_least=Role.MANAGER)
def new_sale(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    if request.method != "POST":
        form = _form(request, initial={"key": new_key(), "devise": shop.currency, "mode": "CASH"})
        return _show(request, form, Basket([]))
    basket = Basket.read(request.POST, shop=shop)
    typed = {name: request.POST.get(name, "") for name in _form(request).fields}
    is_changed = _follow_currency(request, basket, typed)
    what, _colon, which = request.POST.get("faire", "").partition(":")
    if what == RECORD and not is_changed:
        return _record(request, basket)
    _change(request, basket, what, which, currency=typed["devise"])
    return _show(request, _form(request, initial=typed), basket, change=_change_due(request, basket, is_changed))


def _form(request: ShopRequest, data: Any = None, initial: dict[str, str] | None = None) -> NewSaleForm:
    shop = request.access.shop
    drawers = offered_drawers(shop=shop, today=today_of(shop, timezone.now()))
    return NewSaleForm(data, initial=initial, shop=shop, rates=rates_of_the_day(shop), drawers=drawers)


def _follow_currency(request: ShopRequest, basket: Basket, typed: dict[str, str]) -> bool:
    """Bring the amounts into the chosen currency if they are in another one; tell whether any was changed.

    The person is told, and sees the new prices before anything is recorded.
    """
    shop = request.access.shop
    source = request.POST.get(PRICES_IN) or shop.currency
    if typed["devise"] not in shop.accepted_currencies:
        typed["devise"] = source if source in shop.accepted_currencies else shop.currency
    target = typed["devise"]
    if source == target:
        return False
    rates = rates_of_the_day(shop)
    has_amounts = bool(basket.lines or typed["remise_vente"] or typed["recu"])
    basket.change_currency(source=source, target=target, rates=rates)
    typed["remise_vente"] = reckoned(typed["remise_vente"], source=source, target=target, rates=rates)
    if not typed["recu_devise"]:
        typed["recu"] = ""
    if has_amounts:
        messages.warning(request, _currency_words(source, target, rates_words(rates, [source, target]), basket))
    return has_amounts


def _currency_words(source: str, target: str, rates: str, basket: Basket) -> str:
    names = {"source": formats.symbol(source), "target": formats.symbol(target), "rates": rates}
    if any(not line.prix for line in basket.lines):
        words = _(
            "La vente passe de %(source)s en %(target)s : un prix sans cours du jour est vidé. Écrivez-le, ou fixez le "
            "cours dans les réglages."
        )
    else:
        words = _(
            "La vente passe de %(source)s en %(target)s : les prix sont recalculés au cours du jour (%(rates)s). "
            "Vérifiez-les."
        )
    return words % names


def _change(request: ShopRequest, basket: Basket, what: str, which: str, *, currency: str) -> None:
    shop = request.access.shop
    if what == "ajouter":
        for unit in units_of(shop, [which]).values():
            basket.add(unit, currency=currency, rates=rates_of_the_day(shop))
    elif what == "retirer":
        basket.remove(which)


def _change_due(request: ShopRequest, basket: Basket, is_changed: bool) -> Decimal | None:
    """Return the change for what the customer gave, if all that it depends on is filled in."""
    form, total = _form(request, request.POST), basket.total() if basket.lines else None
    if is_changed or total is None or not form.is_valid() or not form.receive(total):
        return None
    return form.change


def _record(request: ShopRequest, basket: Basket) -> HttpResponse:
    form = _form(request, request.POST)
    lines = basket.forms(is_judged=True)
    is_sound = all([form.is_valid(), *(line.is_valid() for line in lines)])
    if not lines:
        form.add_error(None, _("Ajoutez au moins un article."))
    elif is_sound and form.receive(basket.total() or Decimal(0)):

        def done(sale: Sale) -> str:
            words = _("Vente enregistrée sous le numéro %(number)s.") % {"number": sale.registration_number}
            return f"{words} {_change_words(form.change, sale.currency)}".strip()

        attempt = record(request, form, form.document([line.line() for line in lines]), done)
        if attempt.document:
            path = reverse("web:sale", kwargs={"sale_id": attempt.document.pk})
            return HttpResponseRedirect(request.access.link(path))
        if attempt.is_over:
            return HttpResponseRedirect(request.access.link(reverse("web:sales")))
    return _show(request, form, basket, is_judged=True)


def _change_words(change: Decimal | None, currency: str) -> str:
    """Return what the cashier hands back: empty if nobody said what was received."""
    if change is None:
        return ""
    if not change:
        return _("Le compte est juste : rien à rendre.")
    return _("Monnaie à rendre : %(amount)s.") % {"amount": formats.money(change, currency)}


def _show(
    request: ShopRequest,
    form: NewSaleForm,
    basket: Basket,
    *,
    is_judged: bool = False,
    change: Decimal | None = None,
) -> HttpResponse:
    text = (form["q"].value() or "").strip()[:64]
    found = offered_units(shop=request.access.shop, text=text)
    chosen = form["devise"].value()
    currency = chosen if chosen in request.access.shop.accepted_currencies else _prices_in(request)
    context = {
        "form": form,
        "lines": basket.forms(is_judged=is_judged),
        "total": basket.total() if basket.lines else None,
        "change_words": _change_words(change, currency),
        "currency": currency,
        "found": found,
        "is_more": len(found) == OFFERED_MAX,
        "text": text,
        "is_full": basket.is_full,
        "lines_max": LINES_MAX,
    }
    return render(request, "web/new_sale.html", context)


def _prices_in(request: ShopRequest) -> str:
    return request.POST.get(PRICES_IN) or request.access.shop.currency
