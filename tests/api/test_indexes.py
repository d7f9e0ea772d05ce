"""The reading calls on long tables: the cost of a page must not grow with the rows before or after it.

Counts the rows that the database reads from tables and indexes; SQLite does not count them.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from backend.db.change_cursors import ChangeCursor
from backend.inventory.change_feed import ARTICLE, FIRST_WALK, UNIT
from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.sales.models import Batch, SaleOutcome
from backend.testing import Cast, add_unit, make_article
from tests.tills import BASE, Till

NOON = datetime(2024, 11, 4, 11, tzinfo=UTC)
ROWS = 3000
PAGE = 50
# Rows read per row shown: its change and the next, of either kind, in the index and the table; its article and unit.
ROWS_PER_SHOWN_MAX = 12


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


@pytest.fixture(params=[True, False], ids=["of one instant", "a second apart"])
def moments(request: pytest.FixtureRequest) -> list[datetime]:
    return [NOON if request.param else NOON + timedelta(seconds=n) for n in range(ROWS)]


def analyze(*tables: str) -> None:
    """Update the optimizer's statistics, as the server does by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {', '.join(tables)}")
        cursor.fetchall()


def rows_taken() -> int:
    with connection.cursor() as cursor:
        # Rows that the index itself skips are counted apart.
        cursor.execute(
            "SHOW SESSION STATUS WHERE variable_name LIKE 'Handler_read%' OR variable_name = 'Handler_icp_attempts'"
        )
        return sum(int(count) for name, count in cursor.fetchall() if not name.endswith("_deleted"))


def check_cost(till: Till, path: str, *, shown: int = PAGE) -> None:
    # Reading the status reads rows too, the same number each time.
    own = rows_taken()
    own = rows_taken() - own
    before = rows_taken()
    answer = till.get(BASE + path)
    taken = rows_taken() - before - own
    assert answer.status_code == 200, answer.content
    [rows] = [value for value in answer.json().values() if isinstance(value, list)]
    assert len(rows) == shown
    assert taken <= shown * ROWS_PER_SHOWN_MAX, f"{taken} rows for {shown} shown: {path}"


def make_articles(cast: Cast, moments: list[datetime]) -> list[Article]:
    """Fill the catalogue of the shop, and a little of another: with one shop, the optimizer easily skips the index."""
    for shop, count in ((cast.other_shop, PAGE), (cast.shop, ROWS)):
        Article.objects.bulk_create(Article(shop=shop, code=f"IMP{n:05}", name=f"Importé {n}") for n in range(count))
    articles = list(Article.objects.filter(code__startswith="IMP").order_by("pk"))
    stamps = moments[:PAGE] + moments
    for article, at in zip(articles, stamps, strict=True):
        article.changed_at = at
    units = [ArticleUnit(article=article, shop_id=article.shop_id, level=UnitLevel.PIECE) for article in articles]
    ArticleUnit.objects.bulk_create(units)
    units = list(ArticleUnit.objects.filter(article__code__startswith="IMP").order_by("pk"))
    for unit, at in zip(units, stamps, strict=True):
        unit.changed_at = at
    Article.objects.bulk_update(articles, ["changed_at"], batch_size=2000)
    ArticleUnit.objects.bulk_update(units, ["changed_at"], batch_size=2000)
    analyze("inventory_article", "inventory_articleunit")
    return list(Article.objects.filter(shop=cast.shop, code__startswith="IMP").order_by("pk"))


def test_a_page_of_the_catalogue(cast: Cast, moments: list[datetime]) -> None:
    till = Till(cast.device)
    articles = make_articles(cast, moments)
    check_cost(till, f"articles?limit={PAGE}")
    for at in (100, ROWS // 2, ROWS - 2 * PAGE):
        article, unit = articles[at], articles[at].units.get()
        for kind, key in ((FIRST_WALK, article.pk), (ARTICLE, article.pk), (UNIT, unit.pk)):
            cursor = ChangeCursor(moments[at], (cast.shop.pk, kind, key), NOON)
            # Changes are a second apart; an article and its unit change together: a page shows half as many.
            is_paired = kind != FIRST_WALK and moments[0] != moments[1]
            shown = PAGE // 2 + (kind == ARTICLE) if is_paired else PAGE
            check_cost(till, f"articles?limit={PAGE}&depuis={cursor.as_text()}", shown=shown)


def make_movements(units: list[ArticleUnit], moments: list[datetime]) -> list[StockMovement]:
    return StockMovement.objects.bulk_create(
        StockMovement(
            unit=unit, shop_id=unit.shop_id, type=MovementType.ENTRY, quantity=1, stock_before=0, stock_after=1, at=at
        )
        for n, at in enumerate(moments)
        for unit in [units[n % len(units)]]
    )


def test_a_page_of_movements(cast: Cast, moments: list[datetime]) -> None:
    till = Till(cast.device)
    add_unit(cast.rice, level=UnitLevel.CARTON)
    add_unit(cast.rice, level=UnitLevel.MILLIER)
    rice = list(cast.rice.units.all())
    make_movements([make_article(cast.other_shop).base_unit], moments[:PAGE])
    make_movements([make_article(cast.shop).base_unit for _ in range(5)], moments)
    written = make_movements(rice, moments)
    analyze("inventory_stockmovement", "inventory_articleunit", "inventory_article")
    for path in (f"stock/mouvements?limit={PAGE}", f"stock/mouvements?limit={PAGE}&article_id={cast.rice.pk}"):
        check_cost(till, path)
        check_cost(till, f"{path}&date_fin=2024-11-04")
        for at in (ROWS - 1, ROWS // 2, 3 * PAGE):
            check_cost(till, f"{path}&curseur={written[at].pk}")
            check_cost(till, f"{path}&date_debut=2024-11-04&date_fin=2024-11-05&curseur={written[at].pk}")


def test_a_page_of_changes(cast: Cast, moments: list[datetime]) -> None:
    till = Till(cast.device)
    for device, halves in (
        (cast.token_device, [moments[:PAGE]]),
        (cast.device, [moments[: ROWS // 2], moments[ROWS // 2 :]]),
        (cast.other_device, [moments[:PAGE]]),
    ):
        for half in halves:
            batch = Batch.objects.create(
                terminal=device.terminal, shop=device.terminal.shop, device=device, sha256="0" * 64,
                sale_count=len(half), received_at=NOON, moved_at=NOON,
            )  # fmt: skip
            SaleOutcome.objects.bulk_create(
                SaleOutcome(
                    batch=batch, position=position, shop_id=batch.shop_id, terminal_id=batch.terminal_id,
                    status="rejected", code="article_inconnu", version=position, at=at,
                )
                for position, at in enumerate(half, start=1)
            )  # fmt: skip
    analyze("sales_saleoutcome", "sales_batch")
    check_cost(till, "ventes/changements", shown=500)
    outcomes = SaleOutcome.objects.filter(terminal=cast.terminal).order_by("at", "batch_id", "position")
    for at in (100, ROWS // 2, ROWS - 1000):
        outcome = outcomes[at]
        cursor = ChangeCursor(outcome.at, (outcome.batch_id, outcome.position), NOON)
        check_cost(till, f"ventes/changements?depuis={cursor.as_text()}", shown=500)
