"""The list of a shop's sales, and one sale."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from backend.web.access import elsewhere, shop_page
from backend.web.forms import SaleFilter
from backend.web.selectors import sales as selectors
from backend.web.selectors.keyset import BadCursor, KeysetPage


@shop_page
def sales(request: HttpRequest) -> HttpResponse:
    shop = request.access.shop
    # A form that was not filled in is valid and filters nothing.
    chosen = SaleFilter(request.GET, shop=shop)
    page = KeysetPage(rows=[], next_cursor=None)
    if chosen.is_valid():
        try:
            page = selectors.sales_page(shop=shop, cursor=request.GET.get("apres"), **chosen.criteria())
        except BadCursor as error:
            raise Http404 from error
    context = {"page": page, "filter": chosen, "is_first_page": not request.GET.get("apres")}
    return render(request, "web/sales.html", context)


@shop_page
def sale(request: HttpRequest, *, sale_id: int) -> HttpResponse:
    view = selectors.sale_view(sale_id=sale_id, shop_ids=request.access.shop_ids)
    if view is None:
        raise Http404
    return elsewhere(request, shop_id=view.sale.shop_id) or render(request, "web/sale.html", {"view": view})
