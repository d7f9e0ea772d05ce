"""Services that change stock by hand. Sales change it through the posting, which chains movements in the same way.

Every change is a movement that continues its unit's chain, written under the unit's lock.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from django.utils.translation import gettext_noop as _

from backend.inventory.comments import Phrase, french_comment
from backend.inventory.errors import (
    CountNegative,
    MovementTypeRefused,
    QuantityInvalid,
    ReasonMissing,
    StockShort,
    WrongSign,
)
from backend.inventory.fields import QUANTITY_MAX, THOUSANDTH
from backend.inventory.french_numbers import plain_number
from backend.inventory.models import (
    AUTHOR_LENGTH_MAX,
    REASON_LENGTH_MAX,
    ArticleUnit,
    MovementComment,
    MovementType,
    StockMovement,
)
from backend.inventory.transactions import in_transaction
from backend.shops.models import StockPolicy

BY_HAND = frozenset({MovementType.ENTRY, MovementType.EXIT, MovementType.ADJUSTMENT})
CHUNK_ROWS = 500


def move_stock(
    *,
    unit: ArticleUnit,
    quantity: Decimal,
    movement_type: MovementType,
    author: str,
    comment: str | Phrase = "",
    reference: str = "",
    at: datetime | None = None,
) -> StockMovement:
    """Change a unit's stock by `quantity` and write the movement that explains it.

    quantity: signed, at most three places; positive for an ENTREE, negative for a SORTIE, either for an AJUSTEMENT.
    comment: the reason, required for an AJUSTEMENT. Texts are cut to their columns. at: when it happened, if in the
    past; not before the unit's previous movement.
    A SORTIE takes no more than there is if the shop refuses such sales. An AJUSTEMENT never takes stock below zero,
    whatever the shop's policy: it states what was counted. Joins an open transaction, or opens its own.
    Raises QuantityInvalid, MovementTypeRefused, WrongSign, ReasonMissing, StockShort or CountNegative.
    """
    quantity = checked_quantity(quantity)
    check_kind(movement_type, quantity=quantity, comment=comment)
    written: list[StockMovement] = []

    def change() -> StockMovement:
        locked = lock_units([unit.pk])[unit.pk]
        committed = already_committed(written)
        if committed:
            return committed[0]
        check_result(locked, quantity=quantity, movement_type=movement_type)
        movement = write_movement(
            locked,
            quantity=quantity,
            movement_type=movement_type,
            author=author,
            comment=comment,
            reference=reference,
            at=at,
        )
        written.append(movement)
        return movement

    return in_transaction(change, name="move_stock")


def count_stock(*, unit: ArticleUnit, counted: Decimal, author: str, reason: str) -> StockMovement | None:
    """Set a unit's stock to what was counted; return the adjustment, or None if the count agrees.

    The difference is computed under the lock, so a sale posted meanwhile is not undone.
    Raises QuantityInvalid or ReasonMissing.
    """
    counted = checked_quantity(counted, field="counted")
    if counted < 0:
        raise QuantityInvalid(_("un compte ne peut pas être négatif"), field="counted")
    if not reason.strip():
        raise ReasonMissing(field="reason")
    written: list[StockMovement] = []

    def change() -> StockMovement | None:
        locked = lock_units([unit.pk])[unit.pk]
        committed = already_committed(written)
        if committed:
            return committed[0]
        if counted == locked.stock:
            return None
        # Checked against the column too: the difference to a stock far below zero may not fit into it.
        movement = write_movement(
            locked,
            quantity=checked_quantity(counted - locked.stock, field="counted"),
            movement_type=MovementType.ADJUSTMENT,
            author=author,
            comment=reason,
        )
        written.append(movement)
        return movement

    return in_transaction(change, name="count_stock")


def checked_quantity(quantity: Decimal, *, field: str = "quantity") -> Decimal:
    """Return `quantity` with three places; raise QuantityInvalid if the column cannot hold it."""
    if not quantity.is_finite():
        raise QuantityInvalid(_("nombre attendu"), field=field)
    if abs(quantity) > QUANTITY_MAX:
        raise QuantityInvalid(_("nombre trop grand"), field=field)
    stored = quantity.quantize(THOUSANDTH)
    if stored != quantity:
        raise QuantityInvalid(_("trois décimales au plus"), field=field)
    return stored


def check_kind(movement_type: MovementType, *, quantity: Decimal, comment: str | Phrase) -> None:
    if movement_type not in BY_HAND:
        raise MovementTypeRefused(str(movement_type))
    if not quantity:
        raise QuantityInvalid(_("zéro ne change rien"))
    if movement_type == MovementType.ENTRY and quantity < 0:
        raise WrongSign(_("Une entrée ajoute du stock : la quantité doit être positive"))
    if movement_type == MovementType.EXIT and quantity > 0:
        raise WrongSign(_("Une sortie retire du stock : la quantité doit être négative"))
    if movement_type == MovementType.ADJUSTMENT and not french_comment(comment).strip():
        raise ReasonMissing(field="comment")


def check_result(unit: ArticleUnit, *, quantity: Decimal, movement_type: MovementType) -> None:
    """Refuse a movement beyond the stock of a locked unit. A positive one may leave the stock negative."""
    after = unit.stock + quantity
    if abs(after) > QUANTITY_MAX:
        raise QuantityInvalid(_("le stock serait trop grand"))
    if quantity > 0 or after >= 0:
        return
    if movement_type == MovementType.ADJUSTMENT:
        raise CountNegative(str(unit), after=plain_number(after))
    if unit.shop.stock_policy == StockPolicy.REFUSE:
        raise StockShort(str(unit), asked=plain_number(-quantity), available=plain_number(unit.stock))


def lock_units(unit_ids: Iterable[int]) -> dict[int, ArticleUnit]:
    """Lock units in the order of their ids, the order that every transaction uses, and return them by id."""
    units = ArticleUnit.objects.select_for_update().filter(pk__in=sorted(unit_ids)).order_by("pk")
    return {unit.pk: unit for unit in units}


def stamp(unit: ArticleUnit) -> datetime:
    """Return when a movement of a locked unit happens: now, and never before the unit's last change.

    Taken under the lock, so that a unit's movements in the order of their times are its chain. The clock of the machine
    that wrote the last one may be ahead of this one's.
    """
    now = datetime.now(UTC)
    # A new unit has no last change yet.
    return max(now, unit.changed_at) if unit.changed_at else now


def already_committed(written: list[StockMovement]) -> list[StockMovement]:
    """Return the movements of an earlier attempt whose COMMIT succeeded though its answer was lost.

    Called under the unit's lock, which an attempt still holds while it commits. An id alone may be reused after a
    rollback; an id with its instant is not.
    """
    rows = [StockMovement.objects.filter(pk=movement.pk, at=movement.at).first() for movement in written]
    return [row for row in rows if row]


def write_movement(
    unit: ArticleUnit,
    *,
    quantity: Decimal,
    movement_type: MovementType,
    author: str,
    comment: str | Phrase = "",
    reference: str = "",
    at: datetime | None = None,
) -> StockMovement:
    """Write the next movement of a locked unit, which the caller has checked, and its new stock."""
    movement = _next_link(
        unit,
        quantity=quantity,
        movement_type=movement_type,
        author=author,
        comment=comment,
        reference=reference,
        at=at,
    )
    movement.save(force_insert=True)
    keep_phrases([(movement, comment)])
    # Not by save(), which would stamp it with this machine's clock: the next movement may not be earlier than this one.
    unit.changed_at = movement.at
    ArticleUnit.objects.filter(pk=unit.pk).update(stock=unit.stock, changed_at=movement.at)
    return movement


def begin_stock(unit: ArticleUnit, *, quantity: Decimal, author: str, comment: str | Phrase) -> StockMovement:
    """Set the opening stock of a unit that never moved, and return the movement; the caller saves both, in bulk, and
    the comment with `keep_phrases`.

    The unit is locked, or new in this transaction.
    """
    return _next_link(unit, quantity=quantity, movement_type=MovementType.ENTRY, author=author, comment=comment)


def keep_phrases(commented: Iterable[tuple[StockMovement, str | Phrase]]) -> None:
    """Keep which phrase of ours the comment of each movement is, the movements being written."""
    MovementComment.objects.bulk_create(
        [
            MovementComment(movement=movement, shop_id=movement.shop_id, phrase=comment)
            for movement, comment in commented
            if not isinstance(comment, str)
        ],
        batch_size=CHUNK_ROWS,
    )


def _next_link(
    unit: ArticleUnit,
    *,
    quantity: Decimal,
    movement_type: MovementType,
    author: str,
    comment: str | Phrase,
    reference: str = "",
    at: datetime | None = None,
) -> StockMovement:
    before = unit.stock
    unit.stock = before + quantity
    return StockMovement(
        unit=unit,
        shop_id=unit.shop_id,
        type=movement_type,
        quantity=quantity,
        stock_before=before,
        stock_after=unit.stock,
        reference=reference[:100],
        author=author[:AUTHOR_LENGTH_MAX],
        comment=french_comment(comment)[:REASON_LENGTH_MAX],
        at=at or stamp(unit),
    )
