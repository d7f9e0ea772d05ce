"""The shop's stock, the explanation of a unit's stock, and all movements."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from backend.db.keyset import BadCursor, KeysetPage
from backend.inventory.models import Article
from backend.inventory.movements import MovementPage
from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.forms.stock_filters import MovementFilter, PeriodFilter, StockFilter
from backend.web.selectors import stock as selectors
from backend.web.selectors import stock_history

NAMED_ARTICLES_MAX = 12
ID_DIGITS_MAX = 18


@shop_page
def stock(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    chosen = StockFilter(request.GET)
    page: KeysetPage[Article] = KeysetPage(rows=[], next_cursor=None)
    cursor = request.GET.get("apres")
    if chosen.is_valid():
        try:
            page = selectors.stock_page(
                shop=shop, text=chosen.cleaned_data["q"], state=chosen.cleaned_data["etat"], cursor=cursor
            )
        except BadCursor as error:
            raise Http404 from error
    context = {
        "page": page,
        "filter": chosen,
        "is_first_page": not cursor,
        "counts": selectors.stock_counts(shop=shop),
    }
    return render(request, "web/stock.html", context)


@shop_page
def unit(request: ShopRequest, *, article_id: int, unit_id: int) -> HttpResponse:
    """Explain a unit's stock: the sums of its movements, and each of them."""
    article = selectors.article_of_shops(article_id=article_id, shop_ids=request.access.shop_ids)
    units = selectors.units_of(article) if article else []
    found = next((unit for unit in units if unit.pk == unit_id), None)
    if article is None or found is None:
        raise Http404
    redirect = redirect_to_shop(request, shop_id=article.shop_id)
    if redirect:
        return redirect
    chosen = PeriodFilter(request.GET)
    context: dict[str, Any] = {
        "article": article,
        "unit": found,
        "units": units,
        "filter": chosen,
        "page": MovementPage([], None),
    }
    if chosen.is_valid():
        before = _cursor(request)
        try:
            context["page"] = stock_history.unit_history(unit=found, before=before, **chosen.period())
        except BadCursor as error:
            raise Http404 from error
        context["is_first_page"] = before is None
        context["explanation"] = stock_history.explain(unit=found, **chosen.period())
    return render(request, "web/unit.html", context)


@shop_page
def movements(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    chosen = MovementFilter(request.GET)
    context = {"filter": chosen, "page": MovementPage([], None), "is_first_page": True}
    if chosen.is_valid():
        text = chosen.cleaned_data["article"]
        named = selectors.articles_named(shop=shop, text=text, limit=NAMED_ARTICLES_MAX) if text else []
        context["named"] = named
        context["is_unclear"] = len(named) > 1
        # With several articles, the person chooses one; with none, there is nothing to show.
        if not text or len(named) == 1:
            context |= _history(request, chosen, named[0] if named else None)
    return render(request, "web/movements.html", context)


def _history(request: ShopRequest, chosen: MovementFilter, article: Article | None) -> dict[str, object]:
    before = _cursor(request)
    try:
        page = stock_history.shop_history(
            shop=request.access.shop,
            article=article,
            movement_type=chosen.cleaned_data["type"],
            before=before,
            **chosen.period(),
        )
    except BadCursor as error:
        raise Http404 from error
    return {"page": page, "article": article, "is_first_page": before is None}


def _cursor(request: ShopRequest) -> int | None:
    """Return the id of the movement after which the page begins. Raises Http404 for a bad cursor."""
    text = request.GET.get("apres")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS_MAX):
        raise Http404
    return int(text)
