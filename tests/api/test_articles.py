"""The catalogue as a till reads it: first all of it, then its changes, and no change is missed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.db.change_cursors import OVERLAP, ChangeCursor
from backend.inventory.models import Article, ArticleUnit, UnitLevel
from backend.testing import Cast, add_unit, make_article
from tests.tills import BASE, Till, line, sale

pytestmark = pytest.mark.embedded

ARTICLES = BASE + "articles"


def read(till: Till, query: str = "") -> dict[str, Any]:
    answer = till.get(ARTICLES + query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def walk(till: Till, *, since: str = "", limit: int = 500) -> tuple[list[dict[str, Any]], str]:
    """Follow the pages to the end; return the articles in order, and the last cursor."""
    articles: list[dict[str, Any]] = []
    for _ in range(200):
        page = read(till, f"?limit={limit}" + (f"&depuis={since}" if since else ""))
        codes = [article["code"] for article in page["articles"]]
        assert len(codes) == len(set(codes)) <= limit, "each article once a page"
        articles += page["articles"]
        since = page["curseur"]
        if page["fin"]:
            return articles, since
    pytest.fail("the walk has no end")


def codes(articles: list[dict[str, Any]]) -> list[str]:
    return [article["code"] for article in articles]


def settle(*, hours_ago: float = 24) -> None:
    """Date all changes back, so that the next walk does not repeat them."""
    then = datetime.now(UTC) - timedelta(hours=hours_ago)
    Article.objects.update(changed_at=then)
    ArticleUnit.objects.update(changed_at=then)


def rename(article: Article, name: str, *, at: datetime | None = None) -> None:
    Article.objects.filter(pk=article.pk).update(name=name, changed_at=at or datetime.now(UTC))


def make_catalogue(cast: Cast, count: int) -> list[Article]:
    """Make articles with a unit each, all with one instant of change, as an import does."""
    at = datetime.now(UTC) - timedelta(days=1)
    articles = [Article(shop=cast.shop, code=f"IMP{n:05}", name=f"Importé {n}") for n in range(count)]
    Article.objects.bulk_create(articles)
    articles = list(Article.objects.filter(shop=cast.shop, code__startswith="IMP").order_by("pk"))
    ArticleUnit.objects.bulk_create(
        [ArticleUnit(article=article, shop=cast.shop, level=UnitLevel.PIECE, price=100) for article in articles]
    )
    Article.objects.filter(pk__in=[article.pk for article in articles]).update(changed_at=at)
    ArticleUnit.objects.filter(article__in=articles).update(changed_at=at)
    return articles


def test_the_first_call_gives_everything_and_each_article_once(cast: Cast, till: Till) -> None:
    """Although each has three changes: its own, and those of two units."""
    add_unit(cast.rice, level=UnitLevel.CARTON, stock=7, mark="CTN")
    expected = ["RIZ25", "HUI20"] + [make_article(cast.shop).code for _ in range(5)]
    for limit in (1, 2, 3, 1000):
        articles, _ = walk(till, limit=limit)
        assert sorted(codes(articles)) == sorted(expected)
    [rice] = [article for article in articles if article["code"] == "RIZ25"]
    assert [unit["niveau"] for unit in rice["unites"]] == ["PIECE", "CARTON"]


def test_only_what_changed_comes_later(cast: Cast, till: Till) -> None:
    settle()
    _, cursor = walk(till)
    assert walk(till, since=cursor)[0] == []
    rename(cast.oil, "Huile de palme 20 L")
    [oil], after = walk(till, since=cursor)
    assert (oil["code"], oil["nom"]) == ("HUI20", "Huile de palme 20 L")
    assert walk(till, since=cursor)[0] == [oil], "a cursor may be used again"
    assert codes(walk(till, since=after)[0]) in ([], ["HUI20"])


def test_a_unit_that_changed_brings_its_whole_article(cast: Cast, till: Till) -> None:
    carton = add_unit(cast.rice, level=UnitLevel.CARTON, mark="CTN")
    settle()
    _, cursor = walk(till)
    ArticleUnit.objects.filter(pk=carton.pk).update(price=Decimal("240000.5"), changed_at=datetime.now(UTC))
    [rice], _ = walk(till, since=cursor)
    assert [(unit["marque"], unit["prix"]) for unit in rice["unites"]] == [("PCE", "25000.00"), ("CTN", "240000.50")]


def test_a_sale_and_its_void_bring_the_new_stock(cast: Cast, till: Till) -> None:
    settle()
    _, cursor = walk(till)
    till.settle(sale("FAC-1", line(cast.rice, quantity="2.5")))
    [rice], cursor = walk(till, since=cursor)
    assert (rice["code"], rice["unites"][0]["stock"]) == ("RIZ25", 97.5)
    till.settle({"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": "FAC-1"}})
    [rice], _ = walk(till, since=cursor)
    assert rice["unites"][0]["stock"] == 100


def test_an_article_taken_off_sale_is_inactive(cast: Cast, till: Till) -> None:
    settle()
    _, cursor = walk(till)
    Article.objects.filter(pk=cast.oil.pk).update(is_active=False, changed_at=datetime.now(UTC))
    assert [(one["code"], one["actif"]) for one in walk(till, since=cursor)[0]] == [("HUI20", False)]
    assert {one["code"]: one["actif"] for one in walk(till)[0]} == {"RIZ25": True, "HUI20": False}


def test_an_import_of_one_instant_is_read_to_its_end(cast: Cast, till: Till) -> None:
    _, cursor = walk(till)
    make_catalogue(cast, 700)
    Article.objects.update(changed_at=(now := datetime.now(UTC)))
    ArticleUnit.objects.update(changed_at=now)
    articles, _ = walk(till, since=cursor, limit=97)
    assert len(set(codes(articles))) == 702
    assert len(walk(till, limit=97)[0]) == 702


def test_articles_and_units_of_one_instant_are_read_in_one_walk(cast: Cast, till: Till) -> None:
    """Of some the article changed, of others a unit: no change is lost between two pages."""
    articles = make_catalogue(cast, 20)
    settle()
    _, cursor = walk(till)
    now = datetime.now(UTC)
    Article.objects.filter(pk__in=[article.pk for article in articles[::2]]).update(changed_at=now)
    ArticleUnit.objects.filter(article__in=articles[1::2]).update(changed_at=now)
    for limit in (1, 3, 7, 10, 20):
        came = codes(walk(till, since=cursor, limit=limit)[0])
        assert came == [article.code for article in articles[::2] + articles[1::2]]


def test_a_page_has_the_asked_length_and_500_by_default(cast: Cast, till: Till) -> None:
    make_catalogue(cast, 1100)
    assert [len(read(till, query)["articles"]) for query in ("", "?limit=3", "?limit=1000")] == [500, 3, 1000]


def test_a_page_costs_no_query_per_article(cast: Cast, till: Till) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            read(till, query)
        return len(seen)

    make_catalogue(cast, 1000)
    cursor = read(till, "?limit=1000")["curseur"]
    beginning = ChangeCursor(datetime(2000, 1, 1, tzinfo=UTC), (cast.shop.pk, 0, 0)).as_text()
    read(till)
    assert queries("?limit=1000") == queries("?limit=1") <= 4
    for since in (cursor, beginning):
        assert queries(f"?limit=1000&depuis={since}") == queries(f"?limit=1&depuis={since}") <= 5


def test_what_changes_during_a_walk_is_in_it_or_in_the_next(cast: Cast, till: Till) -> None:
    articles = make_catalogue(cast, 20)
    settle()
    page = read(till, "?limit=8")
    passed, coming = articles[0], articles[15]
    rename(passed, "Changé derrière")
    ArticleUnit.objects.filter(article=coming).update(stock=55, changed_at=datetime.now(UTC))
    rest, cursor = walk(till, since=page["curseur"], limit=8)
    later, _ = walk(till, since=cursor)
    seen = {article["code"]: article for article in [*page["articles"], *rest, *later]}
    assert len(seen) == 22
    assert seen[passed.code]["nom"] == "Changé derrière"
    assert seen[coming.code]["unites"][0]["stock"] == 55


def test_an_article_that_changes_all_the_time_does_not_keep_a_walk_from_ending(cast: Cast, till: Till) -> None:
    articles = make_catalogue(cast, 12)
    settle()
    restless = articles[5]
    _, cursor = walk(till)
    Article.objects.filter(shop=cast.shop).update(changed_at=datetime.now(UTC))
    met = []
    for turn in range(20):
        rename(restless, f"Version {turn}")
        ArticleUnit.objects.filter(article=restless).update(changed_at=datetime.now(UTC))
        page = read(till, f"?limit=3&depuis={cursor}")
        met += [article["nom"] for article in page["articles"] if article["code"] == restless.code]
        cursor = page["curseur"]
        if page["fin"]:
            break
    assert page["fin"]
    assert met[-1] == f"Version {turn}"


def test_a_change_stamped_before_the_end_of_the_last_walk_is_still_seen(cast: Cast, till: Till) -> None:
    """A late commit looks like this: its timestamp is older than what the reader has seen."""
    settle()
    rename(cast.rice, "Riz parfumé")
    _, cursor = walk(till)
    late = datetime.now(UTC) - OVERLAP + timedelta(seconds=30)
    rename(cast.oil, "Huile rouge", at=late)
    assert "Huile rouge" in [article["nom"] for article in walk(till, since=cursor)[0]]


def test_a_first_walk_does_not_repeat_last_weeks_sales(cast: Cast, till: Till) -> None:
    """Units that changed after their articles, but long before the walk, were in it already."""
    settle(hours_ago=100)
    ArticleUnit.objects.update(changed_at=datetime.now(UTC) - timedelta(hours=50))
    _, cursor = walk(till)
    assert walk(till, since=cursor)[0] == []


def test_another_shops_articles_are_not_in_the_catalogue(cast: Cast, till: Till, charlies_till: Till) -> None:
    assert codes(walk(charlies_till)[0]) == [cast.other_article.code]
    assert cast.other_article.code not in codes(walk(till)[0])
    settle()
    _, cursor = walk(till)
    rename(cast.other_article, "Secret")
    assert walk(till, since=cursor)[0] == []


def test_a_cursor_of_another_shop_leaks_nothing_and_starts_a_new_walk(
    cast: Cast, till: Till, charlies_till: Till
) -> None:
    """A moved till still has its old cursor, and needs the whole catalogue of its new shop."""
    settle()
    for cursor in (read(charlies_till, "?limit=1")["curseur"], walk(charlies_till)[1]):
        assert sorted(codes(walk(till, since=cursor)[0])) == ["HUI20", "RIZ25"]
    cursor = walk(till)[1]
    cast.terminal.shop = cast.other_shop
    cast.terminal.save(update_fields=["shop"])
    assert codes(walk(till, since=cursor)[0]) == [cast.other_article.code]


@pytest.mark.parametrize(
    "query",
    [
        "?limit=abc",
        "?limit=0",
        "?limit=-1",
        "?limit=1001",
        "?limit=",
        "?limit=5.0",
        "?limit=%2B5",
        "?limit=99999999999999999999",
        "?depuis=",
        "?depuis=abc",
        "?depuis=" + "A" * 5000,
        "?depuis=%00",
        "?depuis=2024-11-04",
    ],
)
def test_a_wrong_parameter_is_refused_by_name(cast: Cast, till: Till, query: str) -> None:
    assert till.get(f"{ARTICLES}?limit=5").status_code == 200
    answer = till.get(ARTICLES + query)
    assert (answer.status_code, answer.json()["code"]) == (400, "parametre_invalide")
    assert answer.json()["detail"].startswith(query[1:].partition("=")[0] + " : ")


def test_only_cursors_of_this_call_are_accepted(cast: Cast, till: Till) -> None:
    def answer(cursor: ChangeCursor) -> int:
        return till.get(f"{ARTICLES}?depuis={cursor.as_text()}").status_code

    then = datetime(2024, 11, 4, tzinfo=UTC)
    assert answer(ChangeCursor(then, (cast.shop.pk, 2, 7))) == 200
    assert answer(ChangeCursor(then, (cast.shop.pk, 3, 7), then)) == 200
    assert answer(ChangeCursor(then, (cast.shop.pk, 4, 7))) == 400, "no such kind of change"
    assert answer(ChangeCursor(then, (1, 7))) == 400, "one of ventes/changements"


def test_a_cursor_at_the_limits_of_time_is_no_server_error(cast: Cast, till: Till) -> None:
    for at in (datetime(1, 1, 1, tzinfo=UTC), datetime(8999, 1, 1, tzinfo=UTC)):
        for began in (None, datetime(1, 1, 2, tzinfo=UTC), datetime(8999, 1, 1, tzinfo=UTC)):
            for kind in range(4):
                cursor = ChangeCursor(at, (cast.shop.pk, kind, 2**63 - 1), began)
                assert read(till, f"?depuis={cursor.as_text()}")["fin"]


def test_an_article_without_a_base_unit_is_sent_as_it_is(cast: Cast, till: Till) -> None:
    Article.objects.create(shop=cast.shop, code="NU", name="Sans unité")
    [bare] = [article for article in walk(till)[0] if article["code"] == "NU"]
    assert (bare["unite_base"], bare["unites"]) == (None, [])
