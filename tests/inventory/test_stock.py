"""Stock changes by hand: what they write, and what is refused without writing anything."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from backend.inventory.errors import (
    CountNegative,
    MovementTypeRefused,
    QuantityInvalid,
    ReasonMissing,
    StockRefused,
    StockShort,
    WrongSign,
)
from backend.inventory.models import ArticleUnit, MovementType, StockMovement
from backend.inventory.stock import QUANTITY_MAX, count_stock, move_stock
from backend.shops.models import StockPolicy
from backend.testing import Cast
from tests.invariants import check_stock
from tests.tills import stock_of

pytestmark = pytest.mark.embedded


def move(cast: Cast, quantity: object, movement_type: MovementType, comment: str = "") -> StockMovement:
    return move_stock(
        unit=cast.rice.base_unit,
        quantity=Decimal(quantity),
        movement_type=movement_type,
        author="Alice",
        comment=comment,
        reference="BL-17",
    )


@pytest.mark.parametrize(
    ("quantity", "movement_type", "comment", "after"),
    [
        ("0.001", MovementType.ENTRY, "", "100.001"),
        ("-100", MovementType.EXIT, "", "0"),
        ("5", MovementType.ADJUSTMENT, "retrouvés", "105"),
        ("-99.5", MovementType.ADJUSTMENT, "inondation", "0.5"),
    ],
)
def test_a_movement_explains_the_stock_it_leaves(
    cast: Cast, quantity: str, movement_type: MovementType, comment: str, after: str
) -> None:
    before = ArticleUnit.objects.get(pk=cast.rice.base_unit_id).changed_at
    movement = move(cast, quantity, movement_type, comment)
    movement.refresh_from_db()
    assert (movement.quantity, movement.stock_before, movement.stock_after) == (Decimal(quantity), 100, Decimal(after))
    assert (movement.type, movement.author, movement.reference, movement.comment) == (
        movement_type,
        "Alice",
        "BL-17",
        comment,
    )
    assert movement.shop_id == cast.shop.pk
    assert stock_of(cast.rice) == Decimal(after)
    assert ArticleUnit.objects.get(pk=cast.rice.base_unit_id).changed_at > before
    check_stock()


@pytest.mark.parametrize(
    ("quantity", "movement_type", "comment", "refused"),
    [
        ("-1", MovementType.ENTRY, "", (WrongSign, "Une entrée ajoute du stock : la quantité doit être positive")),
        ("1", MovementType.EXIT, "", (WrongSign, "Une sortie retire du stock : la quantité doit être négative")),
        ("0", MovementType.ENTRY, "", (QuantityInvalid, "Quantité invalide : zéro ne change rien")),
        ("0", MovementType.ADJUSTMENT, "x", (QuantityInvalid, "Quantité invalide : zéro ne change rien")),
        ("1.0001", MovementType.ENTRY, "", (QuantityInvalid, "Quantité invalide : trois décimales au plus")),
        (f"1.{'0' * 40}1", MovementType.ENTRY, "", (QuantityInvalid, "Quantité invalide : trois décimales au plus")),
        (QUANTITY_MAX + 1, MovementType.ENTRY, "", (QuantityInvalid, "Quantité invalide : nombre trop grand")),
        ("1e400", MovementType.ENTRY, "", (QuantityInvalid, "Quantité invalide : nombre trop grand")),
        (QUANTITY_MAX, MovementType.ENTRY, "", (QuantityInvalid, "Quantité invalide : le stock serait trop grand")),
        ("NaN", MovementType.ENTRY, "", (QuantityInvalid, "Quantité invalide : nombre attendu")),
        ("-Infinity", MovementType.EXIT, "", (QuantityInvalid, "Quantité invalide : nombre attendu")),
        ("-1", MovementType.SALE, "", (MovementTypeRefused, "Un mouvement « VENTE » ne se saisit pas à la main")),
        ("5", MovementType.ADJUSTMENT, " ", (ReasonMissing, "Un ajustement doit dire pourquoi")),
        (
            "-100.001",
            MovementType.EXIT,
            "",
            (StockShort, "Stock insuffisant pour Riz 25 kg · PCE (demandé 100.001, disponible 100)"),
        ),
        (
            "-100.5",
            MovementType.ADJUSTMENT,
            "vol",
            (CountNegative, "Un ajustement ne peut pas mettre Riz 25 kg · PCE à -0.5"),
        ),
    ],
)
def test_a_refusal_says_why_and_moves_nothing(
    cast: Cast, quantity: object, movement_type: MovementType, comment: str, refused: tuple[type[StockRefused], str]
) -> None:
    refusal, sentence = refused
    movements = StockMovement.objects.count()
    with pytest.raises(refusal) as caught:
        move(cast, quantity, movement_type, comment)
    assert str(caught.value) == sentence
    assert caught.value.code
    assert (stock_of(cast.rice), StockMovement.objects.count()) == (100, movements)


def test_if_the_shop_accepts_it_an_exit_but_no_adjustment_may_make_stock_negative(cast: Cast) -> None:
    cast.shop.stock_policy = StockPolicy.ACCEPT
    cast.shop.save(update_fields=["stock_policy"])
    assert move(cast, -105, MovementType.EXIT).stock_after == -5
    with pytest.raises(CountNegative):
        move(cast, -1, MovementType.ADJUSTMENT, "vol")
    # A change towards zero is accepted.
    assert move(cast, 3, MovementType.ADJUSTMENT, "retrouvés").stock_after == -2
    assert move(cast, 1, MovementType.ENTRY).stock_after == -1
    check_stock()


def test_texts_too_long_for_their_columns_are_cut(cast: Cast) -> None:
    movement = move(cast, 1, MovementType.ADJUSTMENT, "é" * 400)
    movement.refresh_from_db()
    assert movement.comment == "é" * 300


@pytest.mark.parametrize(("counted", "difference"), [("97.5", "-2.5"), ("101", "1"), ("0", "-100")])
def test_a_count_writes_the_adjustment_to_it(cast: Cast, counted: str, difference: str) -> None:
    movement = count_stock(
        unit=cast.rice.base_unit, counted=Decimal(counted), author="Bob", reason="inventaire d'octobre"
    )
    assert (movement.type, movement.quantity) == (MovementType.ADJUSTMENT, Decimal(difference))
    assert (movement.author, movement.comment) == ("Bob", "inventaire d'octobre")
    assert stock_of(cast.rice) == Decimal(counted)
    check_stock()


def test_a_count_is_compared_with_the_stock_at_the_time_of_writing(cast: Cast) -> None:
    """The caller read the unit before a sale took some."""
    move(cast, -10, MovementType.EXIT)
    assert cast.rice.base_unit.stock == 100
    movement = count_stock(unit=cast.rice.base_unit, counted=Decimal(88), author="Bob", reason="inventaire")
    assert (movement.stock_before, movement.quantity) == (90, -2)


def test_a_count_that_agrees_writes_nothing(cast: Cast) -> None:
    movements = StockMovement.objects.count()
    assert count_stock(unit=cast.rice.base_unit, counted=Decimal("100.000"), author="Bob", reason="inventaire") is None
    assert StockMovement.objects.count() == movements


@pytest.mark.parametrize(
    ("counted", "reason", "refusal"),
    [("-1", "x", QuantityInvalid), ("1.0001", "x", QuantityInvalid), ("99", "", ReasonMissing)],
)
def test_an_impossible_count_is_refused(cast: Cast, counted: str, reason: str, refusal: type[StockRefused]) -> None:
    with pytest.raises(refusal):
        count_stock(unit=cast.rice.base_unit, counted=Decimal(counted), author="Bob", reason=reason)
    assert stock_of(cast.rice) == 100


def test_a_movement_is_never_stamped_before_the_last_one_of_its_unit(cast: Cast) -> None:
    """The clock of the machine that wrote the last one may be ahead."""
    ahead = datetime.now(UTC) + timedelta(seconds=30)
    unit = cast.rice.base_unit
    first = move_stock(unit=unit, quantity=Decimal(1), movement_type=MovementType.ENTRY, author="alice", at=ahead)
    second = move_stock(unit=unit, quantity=Decimal(1), movement_type=MovementType.ENTRY, author="alice")
    assert second.at >= first.at == ahead
