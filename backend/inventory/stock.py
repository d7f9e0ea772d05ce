"""The one door through which stock changes by hand. Sales go through the posting, which chains them alike."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction

from backend.config.transients import bounded_time
from backend.inventory.models import ArticleUnit, MovementType, StockMovement


def move_stock(
    *,
    unit: ArticleUnit,
    quantity: Decimal,
    movement_type: MovementType,
    author: str,
    comment: str = "",
    reference: str = "",
) -> StockMovement:
    """Change a unit's stock by `quantity` (signed, three places) and write the movement that explains it.

    Locks the unit; joins the transaction around it, or opens its own.
    """
    now = datetime.now(UTC)
    with transaction.atomic(), bounded_time():
        locked = ArticleUnit.objects.select_for_update().get(pk=unit.pk)
        before = locked.stock
        locked.stock = before + quantity
        locked.changed_at = now
        locked.save(update_fields=["stock", "changed_at"])
        return StockMovement.objects.create(
            unit=locked,
            shop_id=locked.shop_id,
            type=movement_type,
            quantity=quantity,
            stock_before=before,
            stock_after=locked.stock,
            reference=reference,
            author=author,
            comment=comment,
            at=now,
        )
