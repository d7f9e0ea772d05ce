"""The paper of a document: a page to print, and PDF files for A4 sheets or a receipt roll."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.papers.pdf import SHEETS, write_pdf
from backend.web.selectors.papers import paper_of
from backend.web.views.sales import sale_or_404


@shop_page
def invoice(request: ShopRequest, *, sale_id: int) -> HttpResponse:
    view = sale_or_404(request, sale_id)
    redirect = redirect_to_shop(request, shop_id=view.sale.shop_id)
    return redirect or render(request, "web/invoice.html", {"view": view, "paper": paper_of(view)})


@shop_page
def invoice_pdf(request: ShopRequest, *, sale_id: int, size: str) -> HttpResponse:
    sheet = SHEETS.get(size)
    if sheet is None:
        raise Http404
    view = sale_or_404(request, sale_id)
    redirect = redirect_to_shop(request, shop_id=view.sale.shop_id)
    if redirect:
        return redirect
    name = f'inline; filename="{view.sale.registration_number or view.sale.pk}.pdf"'
    content = write_pdf(paper_of(view), sheet)
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})
