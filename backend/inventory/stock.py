"""The one door through which stock changes by hand. Sales go through the posting, which chains them alike.

Every change is a movement that continues its unit's chain, written under the unit's lock.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from django.utils.translation import gettext_noop as _

from backend.inventory.errors import (
    CountNegative,
    MovementTypeRefused,
    QuantityInvalid,
    ReasonMissing,
    StockShort,
    WrongSign,
)
from backend.inventory.fields import QUANTITY_MAX, THOUSANDTH
from backend.inventory.models import AUTHOR_LENGTH_MAX, REASON_LENGTH_MAX, ArticleUnit, MovementType, StockMovement
from backend.inventory.numbers import plain_number
from backend.inventory.transactions import in_transaction
from backend.shops.models import StockPolicy

BY_HAND = frozenset({MovementType.ENTRY, MovementType.EXIT, MovementType.ADJUSTMENT})


def move_stock(
    *,
    unit: ArticleUnit,
    quantity: Decimal,
    movement_type: MovementType,
    author: str,
    comment: str = "",
    reference: str = "",
    at: datetime | None = None,
) -> StockMovement:
    """Change a unit's stock by `quantity` and write the movement that explains it.

    quantity: signed, at most three places. ENTREE is above zero, SORTIE below, AJUSTEMENT either, with its reason in
    `comment`. Joins the transaction around it, or opens its own.
    A SORTIE takes no more than there is where the shop refuses such sales. An AJUSTEMENT never takes stock below zero,
    whatever the shop's policy: it states what was counted. Texts are cut to their columns. `at` is when it happened,
    for who tells a shop's past: not before the unit's movement before it.
    Raises QuantityInvalid, MovementTypeRefused, WrongSign, ReasonMissing, StockShort or CountNegative.
    """
    quantity = checked_quantity(quantity)
    check_kind(movement_type, quantity=quantity, comment=comment)
    written: list[StockMovement] = []

    def change() -> StockMovement:
        locked = lock_units([unit.pk])[unit.pk]
        stands = standing(written)
        if stands:
            return stands[0]
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
    """Make a unit's stock what a person counted; return the adjustment, or None where the count agrees.

    The difference is computed under the lock, so a sale that comes meanwhile is not counted away.
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
        stands = standing(written)
        if stands:
            return stands[0]
        if counted == locked.stock:
            return None
        # No further than the column goes: a stock far below zero may be further from the count than that.
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
    """Return `quantity` with three places; raise QuantityInvalid where the column cannot hold it."""
    if not quantity.is_finite():
        raise QuantityInvalid(_("nombre attendu"), field=field)
    if abs(quantity) > QUANTITY_MAX:
        raise QuantityInvalid(_("nombre trop grand"), field=field)
    stored = quantity.quantize(THOUSANDTH)
    if stored != quantity:
        raise QuantityInvalid(_("trois décimales au plus"), field=field)
    return stored


def check_kind(movement_type: MovementType, *, quantity: Decimal, comment: str) -> None:
    if movement_type not in BY_HAND:
        raise MovementTypeRefused(str(movement_type))
    if not quantity:
        raise QuantityInvalid(_("zéro ne change rien"))
    if movement_type == MovementType.ENTRY and quantity < 0:
        raise WrongSign(_("Une entrée ajoute du stock : la quantité doit être positive"))
    if movement_type == MovementType.EXIT and quantity > 0:
        raise WrongSign(_("Une sortie retire du stock : la quantité doit être négative"))
    if movement_type == MovementType.ADJUSTMENT and not comment.strip():
        raise ReasonMissing(field="comment")


def check_result(unit: ArticleUnit, *, quantity: Decimal, movement_type: MovementType) -> None:
    """Refuse what a locked unit has not. One that is below zero already may always be brought nearer to it."""
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
    """Lock units by primary key in the order of their ids, the one order for everyone, and return them as they are."""
    units = ArticleUnit.objects.select_for_update().filter(pk__in=sorted(unit_ids)).order_by("pk")
    return {unit.pk: unit for unit in units}


def standing(written: list[StockMovement]) -> list[StockMovement]:
    """Return what an earlier attempt wrote, if it stands: its COMMIT went through and only the answer was lost.

    Asked under the lock of the unit, which an attempt that is still being committed holds. An id alone may be given
    twice where the first was rolled back; an id and an instant are not.
    """
    rows = [StockMovement.objects.filter(pk=movement.pk, at=movement.at).first() for movement in written]
    return [row for row in rows if row]


def write_movement(
    unit: ArticleUnit,
    *,
    quantity: Decimal,
    movement_type: MovementType,
    author: str,
    comment: str = "",
    reference: str = "",
    at: datetime | None = None,
) -> StockMovement:
    """Move a locked unit, checked by the caller, on to its next link."""
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
    unit.save(update_fields=["stock", "changed_at"])
    return movement


def begin_stock(unit: ArticleUnit, *, quantity: Decimal, author: str, comment: str) -> StockMovement:
    """Give a unit that never moved its first stock, and return the movement; the caller saves both, many at once.

    The unit is locked, or new in this transaction.
    """
    return _next_link(unit, quantity=quantity, movement_type=MovementType.ENTRY, author=author, comment=comment)


def _next_link(
    unit: ArticleUnit,
    *,
    quantity: Decimal,
    movement_type: MovementType,
    author: str,
    comment: str,
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
        comment=comment[:REASON_LENGTH_MAX],
        at=at or datetime.now(UTC),
    )
