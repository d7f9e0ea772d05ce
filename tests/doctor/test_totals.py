"""Stored totals that differ from the documents: found, and summed again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.doctor.checks import totals as check
from backend.doctor.registry import Scope
from backend.sales.days.day_totals import RULE, totals_of_days
from backend.sales.models import DayTotal, Sale
from backend.sales.money.takings import Takings, takings_by_day
from backend.testing import Cast
from tests.doctor.planted_faults import findings, only_finding, repair, repaired
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

NOW = datetime.now(UTC)


def sold_days_ago(till: Till, number: str, days: int, **fields: Any) -> Sale:
    till.settle(sale(number, line(till.article), date_vente=(NOW - timedelta(days=days)).isoformat(), **fields))
    return Sale.objects.get(number=number)


def look_at(one: Sale, cast: Cast) -> Takings:
    return totals_of_days(shop=cast.shop, days=[one.business_day], now=NOW)[one.business_day]


@pytest.fixture
def kept(cast: Cast, till: Till) -> Sale:
    """Sales on two days in the past in Alice's shop, whose totals are stored."""
    till.article = cast.rice
    split = [{"mode": "CASH", "montant": 1}, {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 1, "taux": 333.33}]
    sold_days_ago(till, "FAC-1", 4, paye=False, paiements=split)
    one = sold_days_ago(till, "FAC-2", 3)
    totals_of_days(shop=cast.shop, days=[one.business_day - timedelta(days=1), one.business_day], now=NOW)
    return one


@pytest.mark.parametrize(
    "wrong",
    [
        lambda figures: figures | {"sale_count": 2},
        lambda figures: figures | {"came_in": [["CDF", "CASH", "1.00", 1]]},
        lambda figures: {"rule": RULE},
    ],
)
def test_a_total_that_the_documents_do_not_explain_is_added_up_anew(kept: Sale, cast: Cast, wrong: Any) -> None:
    assert findings() == {}
    total = DayTotal.objects.get(day=kept.business_day)
    DayTotal.objects.filter(pk=total.pk).update(figures=wrong(total.figures))
    finding = only_finding("kept_totals")
    assert f"boutique BTQ-009, {kept.business_day}" in finding.found
    assert repaired(finding) == {"sales_daytotal": {"added_up_at_marks"}}
    assert look_at(kept, cast) == takings_by_day(shop_id=cast.shop.pk, days=[kept.business_day])[kept.business_day]
    assert DayTotal.objects.get(pk=total.pk).figures == total.figures
    assert findings() == {}


def test_a_document_that_marked_no_day_is_found(kept: Sale, till: Till) -> None:
    """As if its posting had not raised the marks."""
    before = DayTotal.objects.get(day=kept.business_day)
    sold_days_ago(till, "FAC-3", 3)
    assert findings() == {}
    DayTotal.objects.filter(pk=before.pk).update(marks=before.marks)
    assert only_finding("kept_totals").repair is not None


def test_a_total_that_is_no_longer_kept_is_not_looked_at(kept: Sale) -> None:
    DayTotal.objects.filter(day=kept.business_day).update(figures={}, added_up_at_marks=None)
    assert findings() == {}


def test_a_document_that_comes_while_the_doctor_adds_up_is_no_fault(
    kept: Sale, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = iter(["FAC-3"])
    add_up = check.takings_by_day

    def post_then_add_up(**of: Any) -> Any:
        for number in late:
            sold_days_ago(till, number, 3)
        return add_up(**of)

    monkeypatch.setattr(check, "takings_by_day", post_then_add_up)
    assert list(check.kept_totals(Scope())) == []
    assert list(late) == []


def test_a_repair_that_comes_too_late_changes_nothing(kept: Sale, cast: Cast) -> None:
    DayTotal.objects.filter(day=kept.business_day).update(figures={"rule": RULE})
    finding = only_finding("kept_totals")
    DayTotal.objects.filter(day=kept.business_day).update(added_up_at_marks=None)
    look_at(kept, cast)
    before = DayTotal.objects.get(day=kept.business_day)
    assert repair(finding) is None
    assert DayTotal.objects.get(day=kept.business_day).added_up_at_marks == before.added_up_at_marks


def test_one_shop_is_looked_at_alone(kept: Sale, cast: Cast) -> None:
    DayTotal.objects.filter(day=kept.business_day).update(figures={"rule": RULE})
    assert [one.repair for one in check.kept_totals(Scope(shop=cast.other_shop))] == []
    assert len(list(check.kept_totals(Scope(shop=cast.shop)))) == 1
    assert len(list(check.kept_totals(Scope(shop=cast.shop, terminal=cast.terminal)))) == 1
