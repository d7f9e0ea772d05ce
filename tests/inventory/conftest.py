"""Alice's and Charlie's shops, and an article that is sold in cartons, thousands and pieces."""

from decimal import Decimal

import pytest

from backend.inventory.models import ArticleUnit, UnitLevel
from backend.testing import Cast, add_unit, make_article


class Nails:
    """Nails, 100 pieces; two cartons of 12 thousands each; 3 thousands of 1,000 pieces each."""

    def __init__(self, cast: Cast) -> None:
        self.article = make_article(cast.shop, name="Clous", code="CLOU", stock=100)
        self.piece = self.article.base_unit
        self.thousand = add_unit(self.article, level=UnitLevel.MILLIER, stock=3, mark="MIL", holds=Decimal(1000))
        self.carton = add_unit(self.article, level=UnitLevel.CARTON, stock=2, mark="CTN", holds=Decimal(12))

    def stocks(self) -> list[Decimal]:
        """Return the stock of cartons, thousands and pieces."""
        ids = [self.carton.pk, self.thousand.pk, self.piece.pk]
        stocks = dict(ArticleUnit.objects.filter(pk__in=ids).values_list("pk", "stock"))
        return [stocks[one] for one in ids]


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast


@pytest.fixture
def nails(cast: Cast) -> Nails:
    return Nails(cast)
