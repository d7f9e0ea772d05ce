"""The goods of the demo's grocery, beside the articles of the examples: some sold by weight, some in cartons too."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from backend.inventory.models import Article, ArticleUnit, UnitLevel
from backend.shops.models import Shop

VAT_RATE = 16
# Fixed, so that the articles have the same uuids at every load, and the simulated tills send the same bytes.
NAMESPACE = uuid.UUID("5a3f0c52-7d0e-4a53-9a34-3c1c5d1f0b9e")


class UnitName(NamedTuple):
    """A unit by its article's code and its level."""

    code: str
    level: UnitLevel

    @property
    def uuid(self) -> uuid.UUID:
        return uuid.uuid5(NAMESPACE, f"{self.code}/{self.level.value}")


@dataclass(frozen=True, slots=True)
class Carton:
    mark: str
    holds: int
    price: int


@dataclass(frozen=True, slots=True)
class Goods:
    """An article, how customers buy it, and how it is delivered. Prices in CDF, tax included."""

    code: str
    name: str
    mark: str
    price: int
    # Its weight among the goods when a basket is filled.
    popularity: int
    # The largest quantity in an ordinary basket; for weighed goods, kilograms.
    most: int
    # Below this its stock is low.
    threshold: int
    # The stock at the end, and the size of a delivery.
    left: int
    parcel: int = 10
    carton: Carton | None = None
    is_weighed: bool = False

    @property
    def piece(self) -> UnitName:
        return UnitName(self.code, UnitLevel.PIECE)

    @property
    def box(self) -> UnitName:
        return UnitName(self.code, UnitLevel.CARTON)

    @property
    def is_scarce(self) -> bool:
        return self.left < self.threshold


GOODS = (
    Goods("RIZ01", "Riz au détail", "KG", 3200, 16, 5, 20, 40, 25, Carton("SAC", 25, 72000), is_weighed=True),
    Goods("SUC01", "Sucre au détail", "KG", 3600, 12, 3, 10, 25, 25, is_weighed=True),
    Goods("FAM01", "Farine de maïs", "KG", 2400, 14, 5, 20, 30, 25, Carton("SAC", 25, 54000), is_weighed=True),
    Goods("HAR01", "Haricots", "KG", 4500, 8, 3, 10, 20, 20, is_weighed=True),
    Goods("FAB01", "Farine de blé 1 kg", "PQT", 3500, 7, 2, 10, 25, 10),
    Goods("HUI01", "Huile végétale 1 L", "BT", 7000, 11, 2, 12, 20, 12, Carton("CTN", 12, 80000)),
    Goods("SEL01", "Sel 1 kg", "PQT", 1200, 7, 2, 10, 30, 20),
    Goods("LAI01", "Lait en poudre 400 g", "BTE", 11500, 5, 1, 10, 4, 1),
    Goods("THE01", "Thé, 25 sachets", "BTE", 2800, 5, 1, 6, 18, 12),
    Goods("CAF01", "Café soluble 50 g", "BTE", 4200, 4, 1, 6, 14, 12),
    Goods("SPA01", "Spaghetti 500 g", "PQT", 2200, 12, 4, 20, 30, 20, Carton("CTN", 20, 41000)),
    Goods("SAR01", "Sardines 125 g", "BTE", 2500, 9, 3, 24, 9, 1),
    Goods("TOM01", "Tomate concentrée 70 g", "BTE", 900, 14, 4, 25, 40, 50, Carton("CTN", 50, 41000)),
    Goods("EAU15", "Eau 1,5 L", "BT", 1500, 15, 4, 18, 60, 6, Carton("PQT", 6, 8400)),
    Goods("SAT01", "Savon de toilette", "PCE", 1300, 8, 3, 12, 36, 24),
    Goods("LES01", "Lessive 500 g", "SCH", 3000, 6, 2, 10, 20, 12),
    Goods("BOU01", "Bougies", "PQT", 1800, 5, 2, 10, 20, 10),
    Goods("ALL01", "Allumettes", "BTE", 200, 8, 3, 20, 50, 50),
)


def units_of(goods: Goods) -> list[tuple[UnitName, str, int, int | None, int | None]]:
    """Return each unit with its mark, price, content and low-stock threshold."""
    units: list[tuple[UnitName, str, int, int | None, int | None]] = [
        (goods.piece, goods.mark, goods.price, None, goods.threshold)
    ]
    if goods.carton:
        units.append((goods.box, goods.carton.mark, goods.carton.price, goods.carton.holds, None))
    return units


@transaction.atomic
def load_goods(shop: Shop) -> None:
    """Create the articles that the shop does not have, with nothing in stock."""
    known = set(Article.objects.filter(shop=shop).values_list("code", flat=True))
    for goods in GOODS:
        if goods.code in known:
            continue
        identity = uuid.uuid5(NAMESPACE, goods.code)
        article = Article.objects.create(shop=shop, code=goods.code, name=goods.name, uuid=identity)
        for name, mark, price, holds, threshold in units_of(goods):
            unit = ArticleUnit.objects.create(
                article=article,
                shop=shop,
                uuid=name.uuid,
                level=name.level,
                mark=mark,
                price=price,
                vat_rate=VAT_RATE,
                holds=None if holds is None else Decimal(holds),
                low_stock_threshold=None if threshold is None else Decimal(threshold),
            )
            if name.level == UnitLevel.PIECE:
                article.base_unit = unit
        article.save(update_fields=["base_unit"])
