"""Closing a shop's month: once, when it is over there; a late sale counts in an open month, with a warning."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from backend.sales.days.month_closing import MonthAlreadyClosed, MonthNotOver, close_month
from backend.sales.models import Batch, InvoiceSequence, Sale
from backend.testing import Cast
from tests.invariants import check_invariants
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

NOVEMBER = datetime(2024, 11, 20, 12, tzinfo=UTC)
IN_OCTOBER = {"date_vente": "2024-10-31T10:00:00+01:00"}


def settle_arrived(till: Till, arrived: datetime, *sales: dict) -> list[dict]:
    """Post a batch as if it had arrived at that time; return the entries of its sales."""
    receipt = till.hand_over(*sales)
    Batch.objects.filter(receipt=receipt).update(received_at=arrived)
    till.post_all()
    details = till.receipt(receipt)["details"]
    return sorted(details["creees"] + details["erreurs"], key=lambda entry: entry["index"])


def test_a_late_sale_of_a_closed_month_takes_an_open_months_number_with_a_warning(cast: Cast, till: Till) -> None:
    first, second = settle_arrived(
        till, NOVEMBER, sale("A", line(cast.rice), **IN_OCTOBER), sale("B", line(cast.rice), **IN_OCTOBER)
    )
    assert first["avertissements"] == second["avertissements"] == []

    closed = close_month(shop=cast.shop, year=2024, month=10, author="alice")
    [late] = settle_arrived(till, NOVEMBER, sale("C", line(cast.rice), **IN_OCTOBER))

    assert (closed.last_number, closed.closed_by) == (2, "alice")
    assert second["numero_enregistrement"] == "FAC-BTQ-009-202410-000002"
    assert (late["numero_enregistrement"], late["avertissements"]) == ("FAC-BTQ-009-202411-000001", ["mois_clos"])
    assert str(Sale.objects.get(number="C").till_day) == "2024-10-31"
    assert InvoiceSequence.objects.get(month=10).last_number == 2
    check_invariants()


def test_a_follower_of_a_sale_in_a_closed_month_is_dated_in_an_open_one(cast: Cast, till: Till) -> None:
    settle_arrived(till, NOVEMBER, sale("A", line(cast.rice), **IN_OCTOBER))
    close_month(shop=cast.shop, year=2024, month=10, author="alice")
    void = {"type": "annulation", "numero_facture": "AVO-1", "origine": {"numero_facture": "A"}, **IN_OCTOBER}
    [entry] = settle_arrived(till, NOVEMBER, void)
    assert (entry["status"], entry["avertissements"]) == ("voided", ["mois_clos"])
    assert entry["numero_enregistrement"] == "FAC-BTQ-009-202411-000001"
    check_invariants()


def test_a_month_without_sales_can_be_closed_and_takes_no_number_later(cast: Cast, till: Till) -> None:
    assert close_month(shop=cast.shop, year=2024, month=10, author="alice").last_number == 0
    [late] = settle_arrived(till, NOVEMBER, sale("A", line(cast.rice), **IN_OCTOBER))
    assert late["avertissements"] == ["mois_clos"]
    assert InvoiceSequence.objects.get(month=10).last_number == 0


def test_closing_twice_says_who_closed_it_and_changes_nothing(cast: Cast) -> None:
    first = close_month(shop=cast.shop, year=2024, month=10, author="alice")
    with pytest.raises(MonthAlreadyClosed, match=r"2024-10 was closed by alice on .* with 0 documents"):
        close_month(shop=cast.shop, year=2024, month=10, author="bob")
    stored = InvoiceSequence.objects.get()
    assert (stored.closed_by, stored.closed_at) == ("alice", first.closed_at)


def test_a_closing_that_is_tried_again_after_a_lost_answer_succeeds(cast: Cast) -> None:
    now = datetime(2024, 11, 3, 8, tzinfo=UTC)
    for _ in range(2):
        assert close_month(shop=cast.shop, year=2024, month=10, author="alice", now=now).closed_at == now


def test_closing_a_month_leaves_other_shops_months_open(cast: Cast) -> None:
    close_month(shop=cast.shop, year=2024, month=10, author="alice")
    [entry] = settle_arrived(Till(cast.other_device), NOVEMBER, sale("A", line(cast.other_article), **IN_OCTOBER))
    assert (entry["numero_enregistrement"], entry["avertissements"]) == ("FAC-BTQ-777-202410-000001", [])


@pytest.mark.parametrize(
    ("timezone", "now", "may_close"),
    [
        # Half past midnight of the first in Kinshasa, half past eleven of the last in London.
        ("Africa/Kinshasa", datetime(2024, 10, 31, 23, 30, tzinfo=UTC), True),
        ("UTC", datetime(2024, 10, 31, 23, 30, tzinfo=UTC), False),
        ("UTC", datetime(2024, 11, 1, tzinfo=UTC), True),
        ("America/New_York", datetime(2024, 11, 1, 3, 59, tzinfo=UTC), False),
    ],
)
def test_only_a_month_that_is_over_in_the_shops_timezone_can_be_closed(
    cast: Cast, timezone: str, now: datetime, may_close: bool
) -> None:
    cast.shop.timezone = timezone
    if may_close:
        assert close_month(shop=cast.shop, year=2024, month=10, author="alice", now=now).closed_at == now
    else:
        with pytest.raises(MonthNotOver, match="2024-10 has not ended yet"):
            close_month(shop=cast.shop, year=2024, month=10, author="alice", now=now)
        assert not InvoiceSequence.objects.exists()


def test_december_ends_with_the_year(cast: Cast) -> None:
    new_year = datetime(2024, 12, 31, 23, 0, tzinfo=UTC)
    assert close_month(shop=cast.shop, year=2024, month=12, author="alice", now=new_year).month == 12


def test_the_command_closes_and_says_how_many_documents_the_month_has(cast: Cast, till: Till) -> None:
    settle_arrived(till, NOVEMBER, sale("A", line(cast.rice), **IN_OCTOBER))
    said = io.StringIO()
    call_command("close_month", "2024-10", shop="BTQ-009", by="alice", stdout=said)
    assert said.getvalue() == "2024-10 of BTQ-009 is closed with 1 documents.\n"
    assert InvoiceSequence.objects.get().closed_by == "alice"


@pytest.mark.parametrize(
    ("shop", "month", "sentence"),
    [
        ("BTQ-009", "2024-13", "is not a month"),
        ("BTQ-009", "octobre", "is not a month"),
        ("BTQ-000", "2024-10", "No shop has the code BTQ-000"),
        ("BTQ-009", "2099-10", "has not ended yet"),
    ],
)
def test_the_command_refuses_an_unknown_shop_or_month(cast: Cast, shop: str, month: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("close_month", month, shop=shop)
    assert not InvoiceSequence.objects.exists()
