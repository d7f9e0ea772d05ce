"""The list of a shop's documents, and one document with all that belongs to it."""

import datetime
from dataclasses import dataclass

from backend.inventory.models import StockMovement
from backend.sales.models import Sale, SaleLine, SalePayment
from backend.shops.models import Shop
from backend.web.selectors.keyset import KeysetPage, newest_first

PAGE_SALES_MAX = 50


@dataclass(frozen=True)
class SaleView:
    """A document as its page shows it."""

    sale: Sale
    lines: list[SaleLine]
    payments: list[SalePayment]
    movements: list[StockMovement]
    followers: list[Sale]


def sales_page(
    *, shop: Shop, day: datetime.date | None = None, terminal_id: int | None = None, cursor: str | None = None
) -> KeysetPage[Sale]:
    """Return a page of the shop's documents, of one day or one till if asked, newest business day first.

    Raises BadCursor.
    """
    sales = Sale.objects.filter(shop=shop).select_related("terminal")
    if day is not None:
        sales = sales.filter(business_day=day)
    if terminal_id is not None:
        sales = sales.filter(terminal_id=terminal_id)
    return newest_first(sales, by="business_day", cursor=cursor, size=PAGE_SALES_MAX)


def sale_view(*, sale_id: int, shop_ids: list[int]) -> SaleView | None:
    """Return the document if it belongs to one of these shops, else None."""
    sale = (
        Sale.objects.filter(pk=sale_id, shop_id__in=shop_ids)
        .select_related("shop", "terminal", "device", "batch", "origin")
        .first()
    )
    if sale is None:
        return None
    movements = StockMovement.objects.filter(document=sale).select_related("unit__article").order_by("pk")
    return SaleView(
        sale=sale,
        lines=list(sale.lines.order_by("position")),
        payments=list(sale.payments.order_by("position")) if sale.has_payments else [],
        movements=list(movements),
        followers=list(sale.followers.order_by("pk")),
    )
