"""Stock movements as a till reads them: those of its shop, newest first, in pages, between two days."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.testing import Cast, add_unit, make_article
from tests.tills import BASE, Till, line, sale

pytestmark = pytest.mark.embedded

MOVEMENTS = BASE + "stock/mouvements"


def read(till: Till, query: str = "") -> dict[str, Any]:
    answer = till.get(MOVEMENTS + query)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["count"] == len(body["mouvements"])
    return body


def walk(till: Till, query: str = "") -> tuple[list[int], int]:
    """Follow `suivant` to the end; return the ids in order, and the number of pages."""
    ids: list[int] = []
    path, pages = MOVEMENTS + query, 0
    while path:
        body = till.get(path).json()
        ids += [movement["id"] for movement in body["mouvements"]]
        path, pages = body["suivant"], pages + 1
        assert pages < 200
    return ids, pages


def add_movements(unit: ArticleUnit, *moments: datetime) -> list[int]:
    """Write an entry of one piece for each instant; return the ids."""
    before = ArticleUnit.objects.values_list("stock", flat=True).get(pk=unit.pk)
    ids = []
    for at in moments:
        movement = StockMovement.objects.create(
            unit=unit, shop_id=unit.shop_id, type=MovementType.ENTRY, quantity=Decimal(1),
            stock_before=before, stock_after=before + 1, author="Alice", at=at,
        )  # fmt: skip
        before += 1
        ids.append(movement.pk)
    ArticleUnit.objects.filter(pk=unit.pk).update(stock=before)
    return ids


def test_the_newest_comes_first(cast: Cast, till: Till) -> None:
    till.settle(
        sale("FAC-1", line(cast.rice, quantity="1.5"), line(cast.rice, quantity=2)), sale("FAC-2", line(cast.oil))
    )
    shown = read(till)["mouvements"][:3]
    assert [(one["reference_document"], one["quantite"], one["stock_avant"], one["stock_apres"]) for one in shown] == [
        ("FAC-2", -1, 100, 99),
        ("FAC-1", -2, 98.5, 96.5),
        ("FAC-1", -1.5, 100, 98.5),
    ]


def test_every_kind_of_movement_is_listed(cast: Cast, till: Till) -> None:
    till.settle(
        sale("FAC-1", line(cast.rice, quantity=3)),
        {
            "type": "retour",
            "numero_facture": "RET-1",
            "origine": {"numero_facture": "FAC-1"},
            "lignes": [{"ligne": 1, "quantite": 1}],
        },
        {"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": "FAC-1"}},
    )
    shown = read(till, f"?article_id={cast.rice.pk}")["mouvements"]
    assert [(one["type_mouvement"], one["quantite"]) for one in shown] == [
        ("ANNULATION", 2),
        ("RETOUR", 1),
        ("VENTE", -3),
        ("ENTREE", 100),
    ]
    assert [one["utilisateur"] for one in shown] == ["Terminal MAUI"] * 3 + ["test"]


def test_filtering_by_article_includes_all_its_units(cast: Cast, till: Till) -> None:
    carton = add_unit(cast.rice, level=UnitLevel.CARTON, stock=7, mark="CTN")
    till.settle(sale("FAC-1", line(cast.oil), line(cast.rice)))
    shown = read(till, f"?article_id={cast.rice.pk}")["mouvements"]
    assert {one["article_code"] for one in shown} == {"RIZ25"}
    assert [one["quantite"] for one in shown] == [-1, 7, 100]
    assert shown[1]["unite_uuid"] == str(carton.uuid)
    bare = Article.objects.create(shop=cast.shop, code="NU", name="Sans unité")
    assert read(till, f"?article_id={bare.pk}")["mouvements"] == []


def test_a_renamed_article_has_its_present_name(cast: Cast, till: Till) -> None:
    Article.objects.filter(pk=cast.rice.pk).update(name="Riz parfumé", code="RIZ-P", is_active=False)
    [entry] = read(till, f"?article_id={cast.rice.pk}")["mouvements"]
    assert (entry["article_nom"], entry["article_code"]) == ("Riz parfumé", "RIZ-P")


def test_another_shops_movements_are_not_listed(cast: Cast, till: Till, charlies_till: Till) -> None:
    ours = read(till)
    assert {one["article_id"] for one in ours["mouvements"]} == {cast.rice.pk, cast.oil.pk}
    theirs = read(charlies_till)
    assert {one["article_id"] for one in theirs["mouvements"]} == {cast.other_article.pk}
    assert (theirs["boutique_id"], theirs["boutique_nom"]) == (cast.other_shop.pk, "Autre Boutique")


def test_an_article_of_another_shop_is_as_unknown_as_one_that_never_existed(cast: Cast, till: Till) -> None:
    assert till.get(f"{MOVEMENTS}?article_id={cast.rice.pk}").status_code == 200
    answers = []
    for article_id in (cast.other_article.pk, 987654321, 2**63 - 1):
        answer = till.get(f"{MOVEMENTS}?article_id={article_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "introuvable")
        answers.append(answer.json()["detail"].replace(str(article_id), "N"))
    assert answers == ["article_id : article N non trouvé dans cette boutique"] * 3


def test_pages_miss_nothing_and_repeat_nothing(cast: Cast, till: Till) -> None:
    """Also with hundreds of one instant, and while others arrive."""
    now = datetime.now(UTC)
    add_movements(cast.rice.base_unit, *[now + timedelta(seconds=1)] * 60, *[now + timedelta(seconds=2)] * 60)
    add_movements(cast.oil.base_unit, *[now + timedelta(seconds=1, microseconds=n % 3) for n in range(60)])
    expected = list(StockMovement.objects.filter(shop=cast.shop).order_by("-at", "-pk").values_list("pk", flat=True))
    assert len(expected) == 182
    for limit in (1, 7, 60, 181, 182, 500):
        ids, pages = walk(till, f"?limit={limit}")
        assert (ids, pages) == (expected, -(-182 // limit))

    first = read(till, "?limit=50")
    add_movements(cast.rice.base_unit, now + timedelta(hours=1))
    second = till.get(first["suivant"]).json()
    shown = [movement["id"] for movement in first["mouvements"] + second["mouvements"]]
    assert shown == expected[:100]


def test_a_page_has_100_by_default_and_500_at_most(cast: Cast, till: Till) -> None:
    add_movements(cast.rice.base_unit, *[datetime.now(UTC)] * 600)
    assert [read(till, query)["count"] for query in ("", "?limit=2", "?limit=500")] == [100, 2, 500]


def test_the_next_page_keeps_the_filters(cast: Cast, till: Till) -> None:
    noon = datetime(2024, 11, 4, 11, tzinfo=UTC)
    wanted = add_movements(cast.rice.base_unit, *[noon + timedelta(minutes=n) for n in range(5)])
    add_movements(cast.oil.base_unit, *[noon + timedelta(minutes=n) for n in range(5)])
    add_movements(cast.rice.base_unit, noon - timedelta(days=1), noon + timedelta(days=1))
    for begin, end in (("2024-11-04", "2024-11-04"), ("2024-11-04T12:00:00+01:00", "2024-11-04T11:04:00Z")):
        query = f"?article_id={cast.rice.pk}&date_debut={quote(begin)}&date_fin={quote(end)}&limit=2"
        assert walk(till, query) == (wanted[::-1], 3)


def test_a_date_is_the_shops_whole_day(cast: Cast, till: Till) -> None:
    """Kinshasa is one hour ahead of UTC: its 4 November begins on the 3rd at 23:00."""
    second, begins = timedelta(microseconds=1), datetime(2024, 11, 3, 23, tzinfo=UTC)
    ends = begins + timedelta(days=1)
    unit = cast.rice.base_unit
    before, first, last, after = add_movements(unit, begins - second, begins, ends - second, ends)
    day = lambda begin, end: walk(till, f"?date_debut={begin}&date_fin={end}")[0]  # noqa: E731
    assert day("2024-11-04", "2024-11-04") == [last, first]
    assert day("2024-11-03", "2024-11-03") == [before]
    assert day("2024-11-03", "2024-11-05") == [after, last, first, before]
    assert walk(till, "?date_fin=2024-11-03")[0] == [before]
    assert walk(till, f"?date_debut=2024-11-05&article_id={cast.rice.pk}")[0][-1] == after


def test_the_day_is_that_of_the_shops_own_timezone(cast: Cast, till: Till) -> None:
    """In Cairo, clocks skipped the first hour of 26 April 2024: that day began at 22:00 UTC and lasted 23 hours."""
    cast.shop.timezone = "Africa/Cairo"
    cast.shop.save(update_fields=["timezone"])
    begins = datetime(2024, 4, 25, 22, tzinfo=UTC)
    moments = [begins - datetime.resolution, begins, begins + timedelta(hours=23) - datetime.resolution]
    ids = add_movements(cast.rice.base_unit, *moments, begins + timedelta(hours=23))
    assert walk(till, "?date_debut=2024-04-26&date_fin=2024-04-26")[0] == [ids[2], ids[1]]


def test_an_instant_counts_to_the_microsecond_in_any_offset(cast: Cast, till: Till) -> None:
    moments = [datetime(2024, 11, 4, 17, 1, 2, n, tzinfo=UTC) for n in (123455, 123456, 123457)]
    ids = add_movements(cast.rice.base_unit, *moments)
    for text in ("2024-11-04T17:01:02.123456Z", "2024-11-04T18:01:02.123456+01:00", "2024-11-04T12:01:02.123456-05:00"):
        assert walk(till, f"?date_debut={quote(text)}&date_fin={quote(text)}")[0] == [ids[1]]
    assert walk(till, "?date_debut=2024-11-04T17:01Z&date_fin=2024-11-04T17:02:00Z")[0] == ids[::-1]
    assert read(till, "?date_debut=1970-01-01&date_fin=2999-12-31")["count"] == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hier",
        "2024",
        "2024-11",
        "20241104",
        "2024-W45-1",
        "04/11/2024",
        "2024-13-01",
        "2024-02-30",
        "0001-01-01",
        "9999-12-31",
        "2024-11-04 ",
        "2024-11-04T18:00:00",
        "2024-11-04T18:00:00 01:00",
        "2024-11-04T25:00:00Z",
        "2024-11-04T18:00:00+99:00",
        "1730739600",
        "２０２４-11-04",
        "2024-11-04\x00",
        "2" * 5000,
    ],
)
def test_a_wrong_date_is_refused_by_name(cast: Cast, till: Till, text: str) -> None:
    for name in ("date_debut", "date_fin"):
        assert till.get(f"{MOVEMENTS}?{name}=2024-11-04").status_code == 200
        answer = till.get(f"{MOVEMENTS}?{name}={quote(text)}")
        assert (answer.status_code, answer.json()["code"]) == (400, "parametre_invalide")
        assert answer.json()["detail"].startswith(f"{name} : une date")


@pytest.mark.parametrize(
    ("begin", "end", "status"),
    [
        ("2024-11-04", "2024-11-04", 200),
        ("2024-11-05", "2024-11-04", 400),
        ("2024-11-04T10:00:00Z", "2024-11-04T10:00:00Z", 200),
        ("2024-11-04T10:00:01Z", "2024-11-04T10:00:00Z", 400),
        ("2024-11-04T22:59:59Z", "2024-11-04", 200),
        ("2024-11-04T23:00:00Z", "2024-11-04", 400),
    ],
)
def test_an_end_before_the_beginning_is_refused(till: Till, begin: str, end: str, status: int) -> None:
    answer = till.get(f"{MOVEMENTS}?date_debut={begin}&date_fin={end}")
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["code"] == "parametre_invalide"
        assert answer.json()["detail"] == "date_debut : date_fin ou avant est attendu"


@pytest.mark.parametrize("name", ["limit", "curseur", "article_id"])
@pytest.mark.parametrize("text", ["abc", "", "0", "-1", "1.5", "1e2", "%2B1", "%D9%A1", "9" * 30, "1%00"])
def test_a_wrong_number_is_refused_by_name(till: Till, name: str, text: str) -> None:
    answer = till.get(f"{MOVEMENTS}?{name}={text}")
    assert (answer.status_code, answer.json()["code"]) == (400, "parametre_invalide")
    assert answer.json()["detail"].startswith(f"{name} : un nombre entier")


def test_a_limit_beyond_the_maximum_is_refused_with_the_maximum(till: Till) -> None:
    assert till.get(f"{MOVEMENTS}?limit=500").status_code == 200
    answer = till.get(f"{MOVEMENTS}?limit=501")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "limit : un nombre entier de 1 à 500 est attendu"


def test_a_cursor_that_names_no_movement_of_this_shop_is_refused(cast: Cast, till: Till) -> None:
    ours = StockMovement.objects.filter(shop=cast.shop).latest("pk").pk
    theirs = StockMovement.objects.filter(shop=cast.other_shop).latest("pk").pk
    assert till.get(f"{MOVEMENTS}?curseur={ours}").status_code == 200
    for cursor in (theirs, 2**63 - 1):
        answer = till.get(f"{MOVEMENTS}?curseur={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "parametre_invalide")
        assert answer.json()["detail"].startswith("curseur : ")


def test_a_page_costs_no_query_per_movement(cast: Cast, till: Till) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            read(till, query)
        return len(seen)

    for level in (UnitLevel.CARTON, UnitLevel.MILLIER):
        add_unit(cast.rice, level=level, stock=5)
    for article in [cast.rice, *(make_article(cast.shop) for _ in range(20))]:
        add_movements(article.base_unit, *[datetime.now(UTC)] * 20)
    read(till)
    newest = StockMovement.objects.filter(shop=cast.shop).latest("pk").pk
    assert queries("?limit=500") == queries("?limit=1") <= 5
    assert queries(f"?limit=500&curseur={newest}") <= 6
    # The article, its units, and one query more for each of three.
    narrow = f"?article_id={cast.rice.pk}&date_debut=2024-01-01&date_fin=2999-01-01"
    assert queries(f"{narrow}&limit=500") == queries(f"{narrow}&limit=1") <= 9
