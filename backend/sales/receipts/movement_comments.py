"""What a till is told of a movement of stock, in French: as it was typed, or made of the document that moved it."""

from collections.abc import Sequence

from backend.inventory.comments import comment_of
from backend.inventory.models import MovementType, StockMovement
from backend.sales.models import SaleLine
from backend.sentences import FRENCH


def comments_of(movements: Sequence[StockMovement]) -> dict[int, str]:
    """Return the comment of each movement by its id. One query, where any is of a sale."""
    prices = _prices(movements)
    return {movement.pk: comment_of(movement, FRENCH) or _of_document(movement, prices) for movement in movements}


def _prices(movements: Sequence[StockMovement]) -> dict[tuple[int, int], str]:
    """Return what each sold line cost, by document and position. A movement that was given its comment needs none."""
    sales = {one.document_id for one in movements if one.type == MovementType.SALE and not one.comment}
    sales.discard(None)
    if not sales:
        return {}
    lines = SaleLine.objects.filter(document_id__in=sales)
    rows = lines.values_list("document_id", "position", "unit_price", "document__currency")
    return {(document_id, position): f"{price} {currency}" for document_id, position, price, currency in rows}


def _of_document(movement: StockMovement, prices: dict[tuple[int, int], str]) -> str:
    if movement.document_id is None:
        return ""
    words = f"{MovementType(movement.type).label} #{movement.reference}"
    price = prices.get((movement.document_id, movement.line or 0))
    return f"{words} - Prix: {price}" if price else words
