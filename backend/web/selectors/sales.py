"""One document with its lines, money, movements and followers, and the bytes that the till sent."""

from dataclasses import dataclass
from decimal import Decimal

from backend.inventory.models import StockMovement
from backend.sales.models import MoneyMovement, Sale, SaleKind, SaleLine
from backend.sales.money.movements import PAYMENTS_DIFFER
from backend.sales.money.owed import owed_for
from backend.sales.receipts.receipt import sales_of
from backend.sales.repair.corrections import corrections_among

# A sale may have half a megabyte: the page shows its beginning, for slow lines; the file has all of it.
RAW_SHOWN_MAX = 16_000


@dataclass(frozen=True)
class SaleView:
    """A document as its page shows it."""

    sale: Sale
    lines: list[SaleLine]
    money: list[MoneyMovement]
    movements: list[StockMovement]
    followers: list[Sale]
    # A void of the repair desk that undid the money where it had moved.
    is_correction: bool = False

    @property
    def differs(self) -> bool:
        """Tell whether the money is not what the document is worth, so that both are shown."""
        return PAYMENTS_DIFFER in self.sale.warnings

    @property
    def moved(self) -> Decimal:
        """What the document's own money is worth in its currency, without a sign."""
        return abs(sum((move.value for move in self.money), Decimal(0)))

    @property
    def gives_back(self) -> bool:
        return self.sale.kind in (SaleKind.VOID, SaleKind.RETURN)

    @property
    def owed(self) -> Decimal:
        if self.sale.kind != SaleKind.SALE:
            return Decimal(0)
        return owed_for(self.sale)

    @property
    def paid_later(self) -> Decimal:
        """What later payments brought in."""
        return sum((each.total for each in self.followers if each.kind == SaleKind.PAYMENT), Decimal(0))

    @property
    def voiding(self) -> Sale | None:
        return next((follower for follower in self.followers if follower.kind == SaleKind.VOID), None)

    @property
    def lines_left(self) -> list[tuple[SaleLine, Decimal]]:
        """Each line with the quantity that has not been returned."""
        return [(line, line.quantity - line.quantity_returned) for line in self.lines]

    @property
    def may_be_voided(self) -> bool:
        return self.sale.kind == SaleKind.SALE and self.sale.voided_at is None

    @property
    def may_be_returned(self) -> bool:
        return self.may_be_voided and any(left for _, left in self.lines_left)

    @property
    def may_be_paid(self) -> bool:
        return self.owed > 0


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
        money=list(sale.money.order_by("position")),
        movements=list(movements),
        followers=list(sale.followers.order_by("pk")),
        is_correction=bool(corrections_among([sale])),
    )


def raw_submission(sale: Sale) -> bytes | None:
    """Return the exact bytes of this sale in its batch; None for a sale without a batch."""
    if sale.batch_id is None or sale.position is None:
        return None
    return sales_of(sale.batch_id)[sale.position - 1]
