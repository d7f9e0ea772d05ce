"""A new article together with the stock it begins with."""

from decimal import Decimal

from django.db import transaction

from backend.inventory.catalogue import NewUnit, create_article
from backend.inventory.models import Article, MovementType
from backend.inventory.stock import move_stock
from backend.shops.models import Shop

OPENING_COMMENT = "Stock d'ouverture"


def begin_article(
    *, shop: Shop, code: str, name: str, barcode: str | None, base_unit: NewUnit, opening: Decimal | None, author: str
) -> Article:
    """Create an article and bring in the first stock of its unit, inside the transaction of whoever asks: `do_once`.

    Raises what create_article and move_stock raise.
    """
    assert transaction.get_connection().in_atomic_block
    article = create_article(shop=shop, code=code, name=name, barcode=barcode, base_unit=base_unit)
    if opening:
        assert article.base_unit is not None, "it was created with one"
        move_stock(
            unit=article.base_unit,
            quantity=opening,
            movement_type=MovementType.ENTRY,
            author=author,
            comment=OPENING_COMMENT,
        )
    return article
