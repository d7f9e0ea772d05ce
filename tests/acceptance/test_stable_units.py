"""A unit is identified by its uuid: whatever is renamed after a sale, its void restores the same units exactly.

Through the API, as tills do it: a system that found units by their mark lost stock at exactly this.
"""

from decimal import Decimal
from typing import Any

import pytest

from backend.inventory.catalogue import change_article, change_unit
from backend.inventory.models import Article, ArticleUnit, StockMovement, UnitLevel
from backend.sales.models import SaleLine
from backend.testing import Cast, add_unit, make_article
from tests.invariants import check_invariants
from tests.tills import Till

pytestmark = pytest.mark.embedded

STOCKS = {"CARTON": Decimal("7"), "MILLIER": Decimal("2.125"), "PIECE": Decimal("1000.5")}
MARKS = {"CARTON": "CTN", "MILLIER": "MIL", "PIECE": "PCE"}
SOLD = {"CARTON": Decimal("2"), "MILLIER": Decimal("0.375"), "PIECE": Decimal("12.1")}


class NailShop:
    """Alice's shop, nails in three units with a stock each, and a till that sells them by `unite_uuid`."""

    def __init__(self, cast: Cast) -> None:
        self.shop = cast.shop
        self.till = Till(cast.device)
        self.article = make_article(cast.shop, name="Clous de 10", code="CLOU10", stock=STOCKS["PIECE"])
        self.units = {"PIECE": self.article.base_unit}
        for level in (UnitLevel.MILLIER, UnitLevel.CARTON):
            self.units[str(level)] = add_unit(self.article, level=level, mark=MARKS[level], stock=STOCKS[level])

    def stocks(self) -> dict[str, Decimal]:
        return dict(ArticleUnit.objects.filter(article=self.article).values_list("level", "stock"))

    def sell(self) -> dict[str, Any]:
        """Sell in three units; return the receipt's entry."""
        lines = [
            {"unite_uuid": str(self.units[level].uuid), "quantite": str(quantity), "prix_unitaire": 100}
            for level, quantity in SOLD.items()
        ]
        return self.till.settle_one({"numero_facture": "FAC-1", "lignes": lines})

    def rename_everything(self) -> None:
        """As the merchant does: the article, its code, and every mark, twice, so that each bore another's for a while.

        Then it is taken off sale.
        """
        for marks in ({"CARTON": "PCE", "MILLIER": "CTN", "PIECE": "MIL"}, dict.fromkeys(MARKS, "DZ")):
            for level, mark in marks.items():
                change_unit(shop=self.shop, unit_uuid=self.units[level].uuid, changes={"mark": mark})
        changes = {"name": "Pointes", "code": "POINTE", "is_active": False}
        change_article(shop=self.shop, article_uuid=self.article.uuid, changes=changes)

    def void(self) -> dict[str, Any]:
        origin = {"numero_facture": "FAC-1"}
        return self.till.settle_one({"type": "annulation", "numero_facture": "AVO-1", "origine": origin})

    def bring_back(self, number: str, *lines: tuple[int, str]) -> dict[str, Any]:
        return self.till.settle_one(
            {
                "type": "retour",
                "numero_facture": number,
                "origine": {"numero_facture": "FAC-1"},
                "lignes": [{"ligne": line, "quantite": quantity} for line, quantity in lines],
            }
        )

    def movements(self) -> dict[str, list[tuple[str, Decimal]]]:
        """Return each unit's movements since it was filled: (type, quantity), in their order."""
        found: dict[str, list[tuple[str, Decimal]]] = {level: [] for level in MARKS}
        rows = StockMovement.objects.filter(unit__article=self.article).exclude(type="ENTREE").order_by("pk")
        for level, movement_type, quantity in rows.values_list("unit__level", "type", "quantity"):
            found[level].append((movement_type, quantity))
        return found


@pytest.fixture
def nails(db: None) -> NailShop:
    return NailShop(Cast())


def test_a_void_after_everything_was_renamed_restores_the_stock_exactly(nails: NailShop) -> None:
    created = nails.sell()
    assert created["status"] == "created"
    assert nails.stocks() == {level: STOCKS[level] - SOLD[level] for level in STOCKS}
    entry_as_sold = created["lignes"]

    nails.rename_everything()
    voided = nails.void()

    assert (voided["status"], voided["action"], voided["lignes_count"]) == ("voided", "purger", 3)
    assert nails.stocks() == STOCKS
    uuids = [str(nails.units[level].uuid) for level in SOLD]
    assert [line["unite_uuid"] for line in voided["lignes"]] == [line["unite_uuid"] for line in entry_as_sold] == uuids
    for level, quantity in SOLD.items():
        assert nails.movements()[level] == [("VENTE", -quantity), ("ANNULATION", quantity)]
    check_invariants()


def test_the_sale_and_its_void_keep_the_names_of_the_day_of_the_sale(nails: NailShop) -> None:
    sale_id = nails.sell()["id"]
    nails.rename_everything()
    void_id = nails.void()["id"]
    assert set(Article.objects.filter(pk=nails.article.pk).values_list("name", "code", "is_active")) == {
        ("Pointes", "POINTE", False)
    }
    assert set(ArticleUnit.objects.filter(article=nails.article).values_list("mark", flat=True)) == {"DZ"}
    for document_id in (sale_id, void_id):
        lines = SaleLine.objects.filter(document_id=document_id)
        assert dict(lines.values_list("unit__level", "unit_mark")) == MARKS
        assert set(lines.values_list("article_name", flat=True)) == {"Clous de 10"}


def test_a_void_after_a_partial_return_brings_back_only_the_rest(nails: NailShop) -> None:
    nails.sell()
    assert nails.bring_back("RET-1", (1, "1"), (3, "12.1"))["status"] == "returned"
    nails.rename_everything()
    assert nails.bring_back("RET-2", (2, "0.125"))["status"] == "returned"
    voided = nails.void()
    assert (voided["status"], voided["lignes_count"]) == ("voided", 2)
    assert nails.stocks() == STOCKS
    assert nails.movements() == {
        "CARTON": [("VENTE", Decimal(-2)), ("RETOUR", Decimal(1)), ("ANNULATION", Decimal(1))],
        "MILLIER": [
            ("VENTE", Decimal("-0.375")),
            ("RETOUR", Decimal("0.125")),
            ("ANNULATION", Decimal("0.25")),
        ],
        "PIECE": [("VENTE", Decimal("-12.1")), ("RETOUR", Decimal("12.1"))],
    }
    again = nails.bring_back("RET-3", (1, "1"))
    assert (again["status"], again["code"]) == ("rejected", "deja_annulee")
    check_invariants()


def test_a_unit_that_was_added_since_gets_nothing_of_an_old_sale(nails: NailShop) -> None:
    """The void of a sold piece restores the piece, although `article_id` now means another base unit."""
    line = {"article_id": nails.article.pk, "quantite": 5, "prix_unitaire": 100}
    assert nails.till.settle_one({"numero_facture": "FAC-1", "lignes": [line]})["status"] == "created"
    changes = {"base_unit": nails.units["CARTON"].uuid}
    change_article(shop=nails.shop, article_uuid=nails.article.uuid, changes=changes)
    assert nails.void()["status"] == "voided"
    assert nails.stocks() == STOCKS
    check_invariants()
