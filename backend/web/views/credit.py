"""The shop's open credits, by sale and by customer, and a customer's payment over several of them."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.db.keyset import BadCursor
from backend.sales.errors import BatchRefused, KeyReused, sentence_of
from backend.sales.models import Sale, SaleKind
from backend.sales.repair.customer_payment import RecordedShare, Share, record_shares, share_out, was_begun
from backend.sentences import reader_language
from backend.shops.exchange_rates import rates_of_the_day, today_of
from backend.shops.models import Role
from backend.web import formats
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.customer_payment import SHARE, CustomerPaymentForm, read_shares, share_text
from backend.web.forms.keys import new_key
from backend.web.selectors import credits as selectors
from backend.web.selectors.sale_money import offered_drawers


@shop_page
def credits_owed(request: ShopRequest) -> HttpResponse:
    """Show the sales of which something is owed, oldest first. `?client=` filters; empty: sales without a customer."""
    shop = request.access.shop
    customer = request.GET.get("client")
    if customer is not None:
        customer = customer[:160]
    cursor = request.GET.get("apres")
    try:
        page = selectors.credits_page(shop=shop, customer=customer, cursor=cursor)
    except BadCursor as error:
        raise Http404 from error
    totals = selectors.owed_by_currency(shop=shop, customer=customer)
    # Sales without a customer's name are not one person's.
    may_pay = bool(customer and totals and request.access.may_manage)
    context = {
        "page": page,
        "customer": customer,
        "is_first_page": not cursor,
        "totals": totals,
        "customers": selectors.owed_by_customer(shop=shop) if customer is None and not cursor else [],
        "form": _form(request, customer or "") if may_pay else None,
    }
    return render(request, "web/credits.html", context)


@shop_page(at_least=Role.MANAGER)
def take_customer_payment(request: ShopRequest) -> HttpResponse:
    """Show how an amount is shared out over the customer's sales; a POST records what was shown."""
    shop, sent = request.access.shop, request.POST if request.method == "POST" else request.GET
    customer = sent.get("client", "")[:160]
    if not customer:
        return HttpResponseRedirect(request.access.link(reverse("web:credits")))
    shares = read_shares(sent.getlist(SHARE)[: selectors.SHARES_MAX]) if request.method == "POST" else []
    # What the first time settled is owed no more: a form that is sent again is not compared with what is owed now.
    is_repeat = bool(shares) and was_begun(shop=shop, key=sent.get("key", "")[:64], shares=shares or [])
    owed_in = sent.get("devise") if is_repeat else None
    form = _form(request, customer, sent if "montant" in sent else None, currency=owed_in)
    planned = None if is_repeat or not form.is_valid() else _plan(request, form)
    if request.method == "POST" and form.is_valid() and _is_confirmed(request, form, shares, planned):
        return HttpResponseRedirect(request.access.link(reverse("web:credits"), client=customer))
    return _show(request, form, customer, planned or [])


def _form(request: ShopRequest, customer: str, data: Any = None, *, currency: str | None = None) -> CustomerPaymentForm:
    """Return the form of a payment in one of the currencies that the customer owes in, or in `currency` alone."""
    shop = request.access.shop
    owed_in = [one.currency for one in selectors.owed_by_currency(shop=shop, customer=customer)]
    return CustomerPaymentForm(
        data,
        initial={"client": customer},
        shop=shop,
        owed_in=[currency] if currency else owed_in,
        rates=rates_of_the_day(shop),
        drawers=offered_drawers(shop=shop, today=today_of(shop, timezone.now())),
    )


def _plan(request: ShopRequest, form: CustomerPaymentForm) -> list[Share]:
    """Return how the amount is shared out now; nothing, with the fault beside its field, if it is too much."""
    given, amount = form.cleaned_data, form.cleaned_data["montant"]
    sales = selectors.oldest_open_sales(shop=request.access.shop, customer=given["client"], currency=given["devise"])
    most = sum((sale.left for sale in sales), Decimal(0))
    if amount <= most:
        return share_out(amount, [(sale.pk, sale.left) for sale in sales])
    names = {"amount": formats.money(most, given["devise"]), "count": len(sales)}
    is_cut = len(sales) == selectors.SHARES_MAX
    too_many = _("Un paiement règle %(count)s ventes au plus à la fois : %(amount)s.")
    form.add_error("montant", (too_many if is_cut else _("C'est plus que ce qui reste dû : %(amount)s.")) % names)
    return []


def _is_confirmed(
    request: ShopRequest, form: CustomerPaymentForm, shares: list[Share] | None, planned: list[Share] | None
) -> bool:
    """Record the shares that the person read, and say what became of them. planned: what they must still be."""
    given, shop = form.cleaned_data, request.access.shop
    if not shares or not given["key"] or not _belong_together(request, given, shares):
        form.add_error(None, _("Ce formulaire est incomplet : relisez le partage, puis recommencez."))
        return False
    if planned is not None and shares != planned:
        form.add_error(None, _("Ce que ce client doit a changé : relisez le partage, puis recommencez."))
        return False
    try:
        recorded = record_shares(
            shop=shop,
            user=request.user,
            shares=shares,
            key=given["key"],
            mode=given["mode"],
            drawer=form.drawer(),
            ip=request.META.get("REMOTE_ADDR"),
        )
    except KeyReused:
        form.add_error(None, _("Ce formulaire a déjà servi, avec d'autres valeurs. Regardez ce qui est enregistré."))
    except BatchRefused as refusal:
        form.add_error(None, str(refusal))
    else:
        _say_what_was_recorded(request, recorded, given["devise"])
        return True
    return False


def _belong_together(request: ShopRequest, given: dict[str, Any], shares: list[Share]) -> bool:
    """Tell whether the shares are of this shop's sales to this very customer, and add up to the amount."""
    sales = Sale.objects.filter(
        pk__in=[share.sale_id for share in shares],
        shop=request.access.shop,
        kind=SaleKind.SALE,
        currency=given["devise"],
    )
    names = [name for (name,) in sales.values_list("customer_name")]
    is_of_customer = len(names) == len(shares) and set(names) == {given["client"]}
    return is_of_customer and sum(share.amount for share in shares) == given["montant"]


def _say_what_was_recorded(request: ShopRequest, recorded: list[RecordedShare], currency: str) -> None:
    numbers = dict(Sale.objects.filter(pk__in=[one.share.sale_id for one in recorded]).values_list("pk", "number"))

    def words(one: RecordedShare) -> str:
        names = {"amount": formats.money(one.share.amount, currency), "number": numbers[one.share.sale_id]}
        return _("%(amount)s sur %(number)s") % names

    done = [one for one in recorded if one.document]
    if done:
        total = formats.money(sum((one.share.amount for one in done), Decimal(0)), currency)
        names = {"amount": total, "shares": _(", ").join(words(one) for one in done)}
        messages.success(request, _("Paiement de %(amount)s enregistré : %(shares)s.") % names)
    for one in recorded:
        if one.refusal:
            names = {"share": words(one), "reason": sentence_of(one.refusal, reader_language())}
            messages.error(request, _("%(share)s n'est pas enregistré : %(reason)s") % names)
        elif not one.document:
            names = {"share": words(one)}
            messages.warning(request, _("%(share)s : c'est gardé, et sera enregistré dès que possible.") % names)


def _show(request: ShopRequest, form: CustomerPaymentForm, customer: str, planned: list[Share]) -> HttpResponse:
    """Show the form, and, if its amount is shared out, what each sale gets."""
    currency = form.cleaned_data.get("devise", "") if form.is_bound else ""
    sales = selectors.oldest_open_sales(shop=request.access.shop, customer=customer, currency=currency)
    by_id = {sale.pk: sale for sale in sales}
    rows = [
        (by_id[share.sale_id], share.amount, by_id[share.sale_id].left - share.amount)
        for share in planned
        if share.sale_id in by_id
    ]
    context = {
        "form": form,
        "customer": customer,
        "currency": currency,
        "rows": rows,
        "shares": [share_text(share) for share in planned],
        "key": new_key(),
        "totals": selectors.owed_by_currency(shop=request.access.shop, customer=customer),
    }
    return render(request, "web/customer_payment.html", context)
