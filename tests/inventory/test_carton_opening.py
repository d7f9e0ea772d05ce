"""Opening cartons: two movements, both or neither."""

from decimal import Decimal

import pytest

from backend.inventory.carton_opening import open_units
from backend.inventory.errors import ContentUnknown, NothingSmaller, QuantityInvalid, StockRefused, StockShort
from backend.inventory.models import ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.shops.models import StockPolicy
from backend.testing import Cast, add_unit, make_article
from tests.invariants import check_stock
from tests.inventory.conftest import Nails

pytestmark = pytest.mark.embedded


def test_a_carton_becomes_what_it_holds_of_the_next_smaller_unit(nails: Nails) -> None:
    taken, brought = open_units(unit=nails.carton, count=2, author="Bob")
    assert nails.stocks() == [0, 27, 100]
    assert (taken.type, taken.quantity, taken.unit_id) == (MovementType.EXIT, -2, nails.carton.pk)
    assert (brought.type, brought.quantity, brought.unit_id) == (MovementType.ENTRY, 24, nails.thousand.pk)
    assert taken.reference == brought.reference
    assert taken.comment == brought.comment == "Ouverture de 2 CTN : 24 MIL"
    assert {taken.author, brought.author} == {"Bob"}
    again, _ = open_units(unit=nails.thousand, count=1, author="Bob")
    assert nails.stocks() == [0, 26, 1100]
    assert again.reference != taken.reference
    check_stock()


def test_a_level_that_the_article_does_not_have_is_skipped(cast: Cast) -> None:
    article = make_article(cast.shop, stock=1)
    carton = add_unit(article, level=UnitLevel.CARTON, stock=1, holds=Decimal("2.125"))
    _, brought = open_units(unit=carton, count=1, author="Bob")
    assert (brought.unit_id, brought.stock_after) == (article.base_unit_id, Decimal("3.125"))


@pytest.mark.parametrize("count", [0, -1, 1.5, Decimal("1.5"), True, "1"])
def test_only_whole_cartons_are_opened(nails: Nails, count: object) -> None:
    with pytest.raises(QuantityInvalid) as refused:
        open_units(unit=nails.carton, count=count, author="Bob")
    assert str(refused.value) == "Quantité invalide : un nombre entier, un ou plus"
    assert nails.stocks() == [2, 3, 100]


def refused_with(unit: ArticleUnit, count: int, refusal: type[StockRefused]) -> str:
    movements = StockMovement.objects.count()
    with pytest.raises(refusal) as refused:
        open_units(unit=unit, count=count, author="Bob")
    assert StockMovement.objects.count() == movements
    return str(refused.value)


@pytest.mark.parametrize("policy", StockPolicy.values)
def test_nobody_opens_more_cartons_than_there_are(cast: Cast, nails: Nails, policy: str) -> None:
    cast.shop.stock_policy = policy
    cast.shop.save(update_fields=["stock_policy"])
    sentence = "Stock insuffisant pour Clous · CTN (demandé 3, disponible 2)"
    assert refused_with(nails.carton, 3, StockShort) == sentence
    open_units(unit=nails.carton, count=2, author="Bob")


def test_a_carton_of_unknown_content_stays_closed(nails: Nails) -> None:
    ArticleUnit.objects.filter(pk=nails.carton.pk).update(holds=None)
    assert refused_with(nails.carton, 1, ContentUnknown) == "Il faut d'abord dire combien contient Clous · CTN"
    ArticleUnit.objects.filter(pk=nails.carton.pk).update(holds=12)
    open_units(unit=nails.carton, count=1, author="Bob")


def test_a_unit_with_nothing_smaller_cannot_be_opened(cast: Cast, nails: Nails) -> None:
    assert refused_with(nails.piece, 1, NothingSmaller) == "Clous · PCE n'a pas d'unité plus petite"
    alone = make_article(cast.shop)
    ArticleUnit.objects.filter(pk=alone.base_unit_id).update(level=UnitLevel.CARTON, holds=12)
    alone.base_unit.refresh_from_db()
    refused_with(alone.base_unit, 1, NothingSmaller)


def test_a_stock_that_does_not_fit_its_column_is_refused(nails: Nails) -> None:
    ArticleUnit.objects.filter(pk=nails.carton.pk).update(holds=Decimal("99999999999"))
    assert refused_with(nails.carton, 2, QuantityInvalid) == "Quantité invalide : nombre trop grand"
    assert refused_with(nails.carton, 10**20, QuantityInvalid) == "Quantité invalide : nombre trop grand"
    assert nails.stocks() == [2, 3, 100]
