"""The batches that the tills sent, and one batch with the outcome of each sale."""

import uuid
from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.shortcuts import render

from backend.db.keyset import BadCursor, KeysetPage
from backend.sales.models import Batch
from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.forms.lists import BatchFilter, OutcomeFilter
from backend.web.selectors import batches as selectors


@shop_page
def batches(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    chosen = BatchFilter(request.GET, shop=shop)
    page: KeysetPage[Batch] = KeysetPage(rows=[], next_cursor=None)
    if chosen.is_valid():
        try:
            page = selectors.batches_page(shop=shop, cursor=request.GET.get("apres"), **chosen.criteria())
        except BadCursor as error:
            raise Http404 from error
    context = {
        "page": page,
        "filter": chosen,
        "is_first_page": not request.GET.get("apres"),
        "after": request.GET.get("apres"),
        "is_live": any(batch.settled_at is None for batch in page.rows),
        "state": selectors.state_of(page.rows),
    }
    return _whole_or_part(request, "web/batches.html", "web/parts/batches_live.html", context)


@shop_page
def batch(request: ShopRequest, *, receipt: uuid.UUID) -> HttpResponse:
    found = selectors.batch_of_shops(receipt=receipt, shop_ids=request.access.shop_ids)
    if found is None:
        raise Http404
    chosen = OutcomeFilter(request.GET)
    if not chosen.is_valid():
        raise Http404
    page = selectors.outcomes_page(batch=found, **chosen.criteria())
    # Neither recorded now nor before: refused, in conflict, deferred, failed or set aside.
    other_count = found.error_count - found.duplicate_count
    context = {
        "batch": found,
        "page": page,
        "other_count": other_count,
        "state": selectors.state_of([found]),
        **chosen.criteria(),
    }
    redirect = redirect_to_shop(request, shop_id=found.shop_id)
    return redirect or _whole_or_part(request, "web/batch.html", "web/parts/batch_live.html", context)


def _whole_or_part(request: ShopRequest, page: str, part: str, context: dict[str, object]) -> HttpResponse:
    """Answer with the page; to its polling every few seconds, with the live part, or nothing if it has not changed.

    The part sends the state that it shows (`vu`), and polls only while a batch in it is unsettled.
    """
    if not request.htmx:
        return render(request, page, context)
    if request.GET.get("vu") == context["state"]:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, part, context)
