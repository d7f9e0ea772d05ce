"""Opening cartons: turns some of a unit into what they hold of the next smaller unit."""

import secrets
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_noop as _

from backend.inventory.comments import Comment
from backend.inventory.errors import ContentUnknown, NothingSmaller, QuantityInvalid, StockShort
from backend.inventory.french_numbers import plain_number
from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.inventory.stock import already_committed, checked_quantity, lock_units, write_movement
from backend.inventory.transactions import in_transaction

# From the largest to the smallest.
LEVELS = (UnitLevel.CARTON, UnitLevel.MILLIER, UnitLevel.PIECE)


def open_units(
    *, unit: ArticleUnit, count: int, author: str, at: datetime | None = None
) -> tuple[StockMovement, StockMovement]:
    """Take out `count` of a unit and bring in what they hold of the article's next smaller unit.

    Returns the SORTIE and the ENTREE, which share one reference. Refused beyond the stock, whatever the shop's policy.
    at: when it happened, if in the past.
    Raises QuantityInvalid, NothingSmaller, ContentUnknown or StockShort.
    """
    # True is an int, but not a count.
    if not isinstance(count, int) or isinstance(count, bool) or count <= 0:
        raise QuantityInvalid(_("un nombre entier, un ou plus"), field="count")
    reference = f"OUV-{secrets.token_hex(5)}"
    written: list[StockMovement] = []

    def change() -> tuple[StockMovement, StockMovement]:
        larger, smaller = _lock_pair(unit)
        committed = already_committed(written)
        if committed:
            first, second = committed
            return first, second
        written[:] = _open(larger, smaller, count=count, author=author, reference=reference, at=at)
        first, second = written
        return first, second

    return in_transaction(change, name="open_units")


def next_smaller(unit: ArticleUnit) -> ArticleUnit | None:
    """Return the unit that `unit` is opened into: the largest smaller unit of its article."""
    below = LEVELS[LEVELS.index(UnitLevel(unit.level)) + 1 :]
    siblings = {other.level: other for other in ArticleUnit.objects.filter(article_id=unit.article_id, level__in=below)}
    return next((siblings[level] for level in below if level in siblings), None)


def _lock_pair(unit: ArticleUnit) -> tuple[ArticleUnit, ArticleUnit]:
    """Lock a unit and the next smaller one.

    The article is locked first: nobody can then add a level between the two, which would change what the larger one
    holds.
    """
    assert transaction.get_connection().in_atomic_block
    Article.objects.select_for_update().get(pk=unit.article_id)
    smaller = next_smaller(unit)
    if smaller is None:
        raise NothingSmaller(str(unit))
    locked = lock_units([unit.pk, smaller.pk])
    return locked[unit.pk], locked[smaller.pk]


def _open(
    larger: ArticleUnit,
    smaller: ArticleUnit,
    *,
    count: int,
    author: str,
    reference: str,
    at: datetime | None,
) -> tuple[StockMovement, StockMovement]:
    if not larger.holds:
        raise ContentUnknown(str(larger))
    taken = checked_quantity(Decimal(count), field="count")
    if taken > larger.stock:
        available = plain_number(larger.stock)
        raise StockShort(str(larger), asked=plain_number(taken), available=available, field="count")
    brought = checked_quantity(count * larger.holds, field="count")
    checked_quantity(smaller.stock + brought, field="count")
    comment = Comment.OPENED(
        count=count,
        larger=larger.mark or larger.level,
        brought=plain_number(brought),
        smaller=smaller.mark or smaller.level,
    )
    return (
        write_movement(
            larger, quantity=-taken, movement_type=MovementType.EXIT, author=author, comment=comment,
            reference=reference, at=at,
        ),
        write_movement(
            smaller, quantity=brought, movement_type=MovementType.ENTRY, author=author, comment=comment,
            reference=reference, at=at,
        ),
    )  # fmt: skip
