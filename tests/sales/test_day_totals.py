"""Kept totals equal the documents, even if one comes late, or while the day is being added up."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from backend.sales.days import day_totals
from backend.sales.days.day_totals import totals_of_days
from backend.sales.models import DayTotal
from backend.sales.money.takings import Takings, takings_by_day
from backend.testing import Cast
from tests.tills import Till, line, sale

NOW = datetime.now(UTC)
YESTERDAY, BEFORE = (NOW - timedelta(days=days) for days in (1, 2))


def dated(number: str, article: Any, when: datetime, **fields: Any) -> dict[str, Any]:
    return sale(number, line(article), date_vente=when.isoformat(), **fields)


def days_of(cast: Cast) -> list[date]:
    return [moment.astimezone(zone_of(cast)).date() for moment in (BEFORE, YESTERDAY, NOW)]


def zone_of(cast: Cast) -> ZoneInfo:
    return ZoneInfo(cast.shop.timezone)


def ask(cast: Cast) -> dict[date, Takings]:
    return totals_of_days(shop=cast.shop, days=days_of(cast), now=NOW)


def truth(cast: Cast) -> dict[date, Takings]:
    found = takings_by_day(shop_id=cast.shop.pk, days=days_of(cast))
    return {day: found.get(day, Takings()) for day in days_of(cast)}


@pytest.fixture
def busy(cast: Cast, till: Till) -> Cast:
    till.settle(
        dated("A", cast.rice, YESTERDAY),
        dated("B", cast.rice, YESTERDAY, paye=False),
        dated("C", cast.oil, BEFORE, paiements=[{"mode": "CASH", "montant": 5000},
                                               {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 5, "taux": 2850}]),
        dated("D", cast.rice, NOW),
        {"type": "retour", "numero_facture": "R", "origine": {"numero_facture": "A"}, "date_vente": NOW.isoformat(),
         "lignes": [{"ligne": 1, "quantite": "0.5"}]},
    )  # fmt: skip
    return cast


@pytest.mark.embedded
def test_they_equal_the_documents_at_the_first_and_the_second_reading(busy: Cast) -> None:
    assert ask(busy) == truth(busy)
    assert DayTotal.objects.count() == 2
    assert ask(busy) == truth(busy)


@pytest.mark.embedded
def test_days_that_are_kept_cost_one_query(busy: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ask(busy)
    with django_assert_num_queries(1):
        totals_of_days(shop=busy.shop, days=days_of(busy)[:2], now=NOW)


@pytest.mark.embedded
def test_a_document_that_comes_late_is_in_them(busy: Cast, till: Till) -> None:
    ask(busy)
    till.settle(dated("E", busy.oil, YESTERDAY))
    assert DayTotal.objects.get(day=days_of(busy)[1]).marks == 3
    found = ask(busy)
    assert found == truth(busy)
    assert found[days_of(busy)[1]].sale_count == 3


@pytest.mark.embedded
def test_a_day_that_was_never_added_up_is_marked_too(busy: Cast) -> None:
    """The late document makes its row: a reader that adds the day up must see the row."""
    assert set(DayTotal.objects.values_list("marks", "added_up_at_marks")) == {(2, None), (1, None)}


def test_a_sale_of_today_marks_nothing(cast: Cast, till: Till) -> None:
    till.settle(dated("D", cast.rice, NOW))
    assert not DayTotal.objects.exists()


def test_a_day_that_has_just_ended_is_not_kept_yet(busy: Cast) -> None:
    just_over = datetime.combine(days_of(busy)[2], datetime.min.time(), tzinfo=zone_of(busy))
    moment = just_over + timedelta(seconds=5)
    found = totals_of_days(shop=busy.shop, days=days_of(busy), now=moment)
    assert found == truth(busy)
    kept = DayTotal.objects.exclude(added_up_at_marks=None).values_list("day", flat=True)
    assert list(kept) == [days_of(busy)[0]]


def test_a_document_that_commits_while_the_day_is_added_up_is_not_missed(
    busy: Cast, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_up = day_totals.takings_by_day
    late = iter([dated("E", busy.oil, YESTERDAY)])

    def add_up_then_post(**of: Any) -> dict[date, Takings]:
        found = add_up(**of)
        for one in late:
            till.settle(one)
        return found

    monkeypatch.setattr(day_totals, "takings_by_day", add_up_then_post)
    ask(busy)
    monkeypatch.undo()
    assert ask(busy) == truth(busy)
    assert ask(busy)[days_of(busy)[1]].came_in["CDF", "CASH"].amount == Decimal(50000)


def test_another_shops_days_are_its_own(busy: Cast) -> None:
    found = totals_of_days(shop=busy.other_shop, days=days_of(busy), now=NOW)
    assert all(takings == Takings() for takings in found.values())
