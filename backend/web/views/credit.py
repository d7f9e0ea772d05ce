"""The shop's open credits, by sale and by customer."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from backend.db.keyset import BadCursor
from backend.web.access import ShopRequest, shop_page
from backend.web.selectors import credits as selectors


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
    context = {
        "page": page,
        "customer": customer,
        "is_first_page": not cursor,
        "totals": selectors.owed_by_currency(shop=shop, customer=customer),
        "customers": selectors.owed_by_customer(shop=shop) if customer is None and not cursor else [],
    }
    return render(request, "web/credits.html", context)
