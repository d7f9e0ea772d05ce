"""Actions on a sale: void it, return lines, take a payment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.sales.errors import BatchRefused, KeyReused, sentence_of
from backend.sales.models import Sale
from backend.sales.money.movements import CASH
from backend.sales.repair.back_office import RefusedAtOnce, record_or_refuse, was_handed_over
from backend.sentences import reader_language
from backend.shops.exchange_rates import rates_of_the_day, today_of
from backend.shops.models import Role, Shop
from backend.web import formats
from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.forms.keys import KeyedForm, new_key
from backend.web.forms.sale_actions import PaymentForm, ReturnForm, UndoForm, VoidForm
from backend.web.forms.sales import money_modes
from backend.web.selectors.sale_money import SaleMoney, offered_drawers, sale_money
from backend.web.selectors.sales import SaleView
from backend.web.views.sales import sale_or_404
from backend.web.wording.money import Way, money_words


@dataclass(frozen=True)
class Attempt:
    """The result of recording a form. `is_over`: the person has a message; otherwise the form is shown again."""

    is_over: bool
    document: Sale | None = None


@shop_page(at_least=Role.MANAGER)
def void_sale(request: ShopRequest, *, sale_id: int) -> HttpResponse:
    view = sale_or_404(request, sale_id)
    money = sale_money(view.sale, view.followers)
    form = VoidForm(
        request.POST or None,
        initial={**_initial_values(view, money), "devise": view.sale.currency},
        money=money,
        is_repeat=_is_repeat(request),
        **_choices(view),
    )

    def done(document: Sale) -> str:
        return _given_back(document, _("La vente est annulée : ce qu'elle avait pris est revenu en stock."))

    return redirect_to_shop(request, shop_id=view.sale.shop_id) or _carry_out(
        request, view, form, template="web/void_sale.html", is_possible=view.may_be_voided, done=done
    )


@shop_page(at_least=Role.MANAGER)
def return_lines(request: ShopRequest, *, sale_id: int) -> HttpResponse:
    view = sale_or_404(request, sale_id)
    money, is_repeat = sale_money(view.sale, view.followers), _is_repeat(request)
    # A form sent again finds less left than when it was shown: it is validated as it was the first time.
    lines_left = [(line, line.quantity) for line in view.lines] if is_repeat else view.lines_left
    form = ReturnForm(
        request.POST or None,
        initial={**_initial_values(view, money), "mode": _mode_to_give_back_in(money)},
        lines_left=lines_left,
        money=money,
        is_repeat=is_repeat,
        **_choices(view),
    )

    def done(document: Sale) -> str:
        amount = formats.money(document.total, document.currency)
        words = _("Retour enregistré pour %(amount)s : les articles sont revenus en stock.") % {"amount": amount}
        return _given_back(document, words)

    return redirect_to_shop(request, shop_id=view.sale.shop_id) or _carry_out(
        request, view, form, template="web/return_lines.html", is_possible=view.may_be_returned, done=done
    )


@shop_page(at_least=Role.MANAGER)
def take_payment(request: ShopRequest, *, sale_id: int) -> HttpResponse:
    view = sale_or_404(request, sale_id)
    owed = view.sale.total if _is_repeat(request) else view.owed
    initial = {"key": new_key(), "devise": view.sale.currency}
    form = PaymentForm(request.POST or None, initial=initial, sale=view.sale, owed=owed, **_choices(view))

    def done(document: Sale) -> str:
        amount = formats.money(document.total, document.currency)
        return _("Paiement de %(amount)s enregistré.") % {"amount": amount}

    return redirect_to_shop(request, shop_id=view.sale.shop_id) or _carry_out(
        request, view, form, template="web/take_payment.html", is_possible=view.may_be_paid, done=done
    )


def _initial_values(view: SaleView, money: SaleMoney) -> dict[str, str]:
    return {"key": new_key(), "mode": "", "tiroir": money.drawer(today=_today(view.sale.shop))}


def _mode_to_give_back_in(money: SaleMoney) -> str:
    """Return the mode that a return's form proposes: empty, the sale's, if it was paid in one; else one to be seen."""
    if money.only_mode or not money.ways:
        return ""
    mode = money.sale.payment_mode.upper()
    return mode if mode in dict(money_modes()) else CASH


def _choices(view: SaleView) -> dict[str, Any]:
    """Return what the shop offers to forms that move money: its rates of the day, and its drawers."""
    shop = view.sale.shop
    return {"rates": rates_of_the_day(shop), "drawers": offered_drawers(shop=shop, today=_today(shop))}


def _today(shop: Shop) -> date:
    return today_of(shop, timezone.now())


def _given_back(document: Sale, words: str) -> str:
    """Add to a message what money is to be handed to the customer."""
    refunds = document.money.filter(amount__lt=0).order_by("position")
    ways = money_words(Way(one.mode, one.currency, -one.amount) for one in refunds)
    if not ways:
        return words
    to_hand_back = _("Argent à rendre au client : %(amounts)s.") % {"amounts": ways}
    return f"{words} {to_hand_back}"


def _is_repeat(request: ShopRequest) -> bool:
    return request.method == "POST" and was_handed_over(shop=request.access.shop, key=request.POST.get("key", "")[:64])


def _carry_out(
    request: ShopRequest,
    view: SaleView,
    form: UndoForm | PaymentForm,
    *,
    template: str,
    is_possible: bool,
    done: Callable[[Sale], str],
) -> HttpResponse:
    """Show the form, or record it and go back to the sale; a refusal is shown above the form."""
    back = HttpResponseRedirect(request.access.link(reverse("web:sale", kwargs={"sale_id": view.sale.pk})))
    if not is_possible and not _is_repeat(request):
        messages.warning(request, _("Il n'y a plus rien à faire de ce genre sur cette vente."))
        return back
    if request.method == "POST" and form.is_valid() and record(request, form, form.document(), done).is_over:
        return back
    return render(request, template, {"view": view, "form": form})


def record(request: ShopRequest, form: KeyedForm, document: dict, done: Callable[[Sale], str]) -> Attempt:
    """Record a form's document and give the person a message.

    A refusal is shown above the form, which gets a new key: what is typed next is another document.
    """
    key, ip = form.cleaned_data["key"], request.META.get("REMOTE_ADDR")
    try:
        recorded = record_or_refuse(shop=request.access.shop, user=request.user, document=document, key=key, ip=ip)
    except KeyReused:
        form.add_error(None, _("Ce formulaire a déjà servi, avec d'autres valeurs. Regardez ce qui est enregistré."))
    except BatchRefused as refusal:
        form.add_error(None, str(refusal))
    except RefusedAtOnce as refusal:
        form.add_error(None, sentence_of(refusal.outcome, reader_language()))
    else:
        if recorded is None:
            messages.warning(request, _("C'est gardé, et sera enregistré dès que possible."))
        else:
            messages.success(request, done(recorded))
        return Attempt(is_over=True, document=recorded)
    assert isinstance(form.data, QueryDict)
    data = form.data.copy()
    data["key"] = new_key()
    form.data = data
    return Attempt(is_over=False)
