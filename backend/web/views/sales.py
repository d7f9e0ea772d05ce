"""The list of a shop's sales, also as a spreadsheet; one sale, and the text that the till sent."""

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.db.keyset import BadCursor
from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.forms.sales import SaleSearch
from backend.web.selectors import sales as selectors
from backend.web.selectors.sale_search import SalesPage, find_sales
from backend.web.sheets import money_columns, sale_columns, writer

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@shop_page
def sales(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    # An empty form is valid and filters nothing.
    chosen = SaleSearch(request.GET, shop=shop)
    page = SalesPage(rows=[], next_cursor=None)
    cursor = request.GET.get("apres")
    if chosen.is_valid():
        try:
            page = find_sales(shop=shop, criteria=chosen.criteria(), cursor=cursor)
        except BadCursor as error:
            raise Http404 from error
    context = {"page": page, "filter": chosen, "is_first_page": not cursor}
    return render(request, "web/sales.html", context)


@shop_page
def sales_csv(request: ShopRequest) -> HttpResponseBase:
    return _export(request, "ventes", "csv")


@shop_page
def sales_xlsx(request: ShopRequest) -> HttpResponseBase:
    return _export(request, "ventes", "xlsx")


@shop_page
def money_csv(request: ShopRequest) -> HttpResponseBase:
    return _export(request, "argent", "csv")


@shop_page
def money_xlsx(request: ShopRequest) -> HttpResponseBase:
    return _export(request, "argent", "xlsx")


def _export(request: ShopRequest, what: str, ending: str) -> HttpResponseBase:
    """Stream the documents of the list with the same filters, or the money of its days and till, oldest first."""
    shop = request.access.shop
    chosen = SaleSearch(request.GET, shop=shop)
    if not chosen.is_valid():
        return render(
            request,
            "web/sales.html",
            {"page": SalesPage(rows=[], next_cursor=None), "filter": chosen, "is_first_page": True},
            status=400,
        )
    sheet, title = (sale_columns, _("Ventes")) if what == "ventes" else (money_columns, _("Argent"))
    rows = sheet.rows(shop=shop, criteria=chosen.criteria())
    if ending == "csv":
        content = writer.stream_csv(columns=sheet.columns(), rows=rows)
    else:
        content = writer.stream_xlsx(title=title, columns=sheet.columns(), rows=rows)
    name = f"{what}-{shop.code}-{timezone.localdate():%Y%m%d}.{ending}"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(content, content_type=CONTENT_TYPES[ending], headers=disposition)


@shop_page
def sale(request: ShopRequest, *, sale_id: int) -> HttpResponse:
    view = sale_or_404(request, sale_id)
    return redirect_to_shop(request, shop_id=view.sale.shop_id) or render(request, "web/sale.html", {"view": view})


@shop_page
def sale_submission(request: ShopRequest, *, sale_id: int) -> HttpResponse:
    """Show the exact text of a sale as the till sent it; with `?fichier=1`, as a file, byte for byte."""
    view = sale_or_404(request, sale_id)
    redirect = redirect_to_shop(request, shop_id=view.sale.shop_id)
    if redirect:
        return redirect
    raw = selectors.raw_submission(view.sale)
    if raw is None:
        raise Http404
    if request.GET.get("fichier"):
        name = f'attachment; filename="vente-{view.sale.pk}.json"'
        return HttpResponse(raw, content_type="application/json", headers={"Content-Disposition": name})
    text = raw.decode()
    shown = text[: selectors.RAW_SHOWN_MAX]
    context = {"view": view, "text": shown, "is_cut": len(shown) < len(text)}
    return render(request, "web/sale_submission.html", context)


def sale_or_404(request: ShopRequest, sale_id: int) -> selectors.SaleView:
    """Return the document if it belongs to one of the person's shops; the caller checks which one."""
    view = selectors.sale_view(sale_id=sale_id, shop_ids=request.access.shop_ids)
    if view is None:
        raise Http404
    return view
