"""The register: 1, 2, 3… in each shop's month, by the business day, and none in a month that is closed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.sales.models import Batch, InvoiceSequence, Sale
from backend.testing import Cast, make_device, make_terminal
from tests.invariants import check_invariants
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

KINSHASA = ZoneInfo("Africa/Kinshasa")


def settle_arrived(till: Till, arrived: datetime, *sales: dict[str, Any]) -> list[dict[str, Any]]:
    """Post a batch as if it had arrived at that time; return the entries of its sales."""
    receipt = till.hand_over(*sales)
    Batch.objects.filter(receipt=receipt).update(received_at=arrived)
    till.post_all()
    details = till.receipt(receipt)["details"]
    return sorted(details["creees"] + details["erreurs"], key=lambda entry: entry["index"])


def numbers(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["numero_enregistrement"] for entry in entries]


NOVEMBER = datetime(2024, 11, 20, 12, tzinfo=UTC)


def test_the_first_sale_of_a_second_month_is_number_one(cast: Cast, till: Till) -> None:
    days = ("2024-10-31T10:00:00+01:00", "2024-11-01T10:00:00+01:00", "2024-10-31T11:00:00+01:00", "2024-11-02")
    sales = [sale(f"FAC-{at}", line(cast.rice), date_vente=day) for at, day in enumerate(days)]

    entries = settle_arrived(till, NOVEMBER, *sales)

    assert numbers(entries) == [
        "FAC-BTQ-009-202410-000001",
        "FAC-BTQ-009-202411-000001",
        "FAC-BTQ-009-202410-000002",
        "FAC-BTQ-009-202411-000002",
    ]
    check_invariants()


def test_every_shop_has_a_register_of_its_own(cast: Cast, till: Till) -> None:
    charlies = Till(cast.other_device)
    [hers] = settle_arrived(till, NOVEMBER, sale("FAC-1", line(cast.rice)))
    [his] = settle_arrived(charlies, NOVEMBER, sale("FAC-1", line(cast.other_article)))
    assert hers["numero_enregistrement"] == "FAC-BTQ-009-202411-000001"
    assert his["numero_enregistrement"] == "FAC-BTQ-777-202411-000001"


def test_two_tills_share_their_shops_register(cast: Cast, till: Till) -> None:
    second = Till(make_device(make_terminal(cast.shop)))
    entries = settle_arrived(till, NOVEMBER, sale("FAC-1", line(cast.rice)))
    entries += settle_arrived(second, NOVEMBER, sale("FAC-1", line(cast.rice)))
    assert numbers(entries) == ["FAC-BTQ-009-202411-000001", "FAC-BTQ-009-202411-000002"]


def test_a_refused_sale_takes_no_number(cast: Cast, till: Till) -> None:
    entries = settle_arrived(
        till,
        NOVEMBER,
        sale("A", line(cast.rice)),
        sale("B", line(cast.rice, quantity=500)),
        sale("A", line(cast.rice)),
        sale("C", line(cast.rice)),
    )
    assert [entry["status"] for entry in entries] == ["created", "rejected", "duplicate", "created"]
    assert numbers([entries[0], entries[3]]) == ["FAC-BTQ-009-202411-000001", "FAC-BTQ-009-202411-000002"]


def close(cast: Cast, year: int, month: int) -> None:
    InvoiceSequence.objects.update_or_create(
        shop_id=cast.shop.pk, year=year, month=month, defaults={"closed_at": datetime.now(UTC)}
    )


def test_a_closed_month_takes_no_number_and_the_day_of_arrival_counts(cast: Cast, till: Till) -> None:
    in_october = {"date_vente": "2024-10-31T10:00:00+01:00"}
    [before] = settle_arrived(till, NOVEMBER, sale("A", line(cast.rice), **in_october))
    close(cast, 2024, 10)

    entries = settle_arrived(
        till, NOVEMBER, sale("B", line(cast.rice), **in_october), sale("C", line(cast.rice), **in_october)
    )

    assert before["avertissements"] == []
    assert [entry["avertissements"] for entry in entries] == [["mois_clos"], ["mois_clos"]]
    assert numbers([before, *entries]) == [
        "FAC-BTQ-009-202410-000001",
        "FAC-BTQ-009-202411-000001",
        "FAC-BTQ-009-202411-000002",
    ]
    days = Sale.objects.order_by("pk").values_list("business_day", flat=True)
    assert [str(day) for day in days] == ["2024-10-31", "2024-11-20", "2024-11-20"]
    assert Sale.objects.get(number="B").sold_at == datetime(2024, 10, 31, 9, tzinfo=UTC)
    check_invariants()


def test_when_the_month_of_arrival_is_closed_too_the_next_one_counts(cast: Cast, till: Till) -> None:
    close(cast, 2024, 10)
    close(cast, 2024, 11)
    [entry] = settle_arrived(till, NOVEMBER, sale("A", line(cast.rice), date_vente="2024-10-31"))
    assert (entry["numero_enregistrement"], entry["avertissements"]) == (
        "FAC-BTQ-009-202412-000001",
        ["sans_heure", "mois_clos"],
    )


@pytest.mark.parametrize(
    ("sent", "day", "warnings"),
    [
        ("2024-11-04T17:42:10+01:00", "2024-11-04", []),
        ("2024-11-04T23:30:00Z", "2024-11-05", []),
        ("2024-11-04T23:30:00", "2024-11-04", ["heure_sans_fuseau"]),
        ("2024-11-04", "2024-11-04", ["sans_heure"]),
        (None, "2024-11-20", ["sans_heure"]),
        ("2024-10-11T12:00:00+01:00", "2024-10-11", []),
        ("2024-10-10T12:00:00+01:00", "2024-11-20", ["horloge"]),
        ("2024-11-21T12:00:00+01:00", "2024-11-21", []),
        ("2024-11-22T12:00:00+01:00", "2024-11-20", ["horloge"]),
        ("1970-01-01T00:00:00Z", "2024-11-20", ["horloge"]),
        ("9999-12-31T23:59:59-12:00", "2024-11-20", ["horloge"]),
    ],
)
def test_the_business_day_follows_the_tills_clock_where_it_is_plausible(
    cast: Cast, till: Till, sent: str | None, day: str, warnings: list[str]
) -> None:
    [entry] = settle_arrived(till, NOVEMBER, sale("A", line(cast.rice), date_vente=sent))
    document = Sale.objects.get()
    assert (str(document.business_day), entry["avertissements"]) == (day, warnings)
    assert document.sold_at_text == (sent or "")
    if sent and sent.startswith(("1970", "9999")):
        assert document.sold_at is None


def test_a_batch_that_arrives_at_night_counts_for_the_shops_own_day(cast: Cast, till: Till) -> None:
    """23:30 in UTC is half past midnight in Kinshasa."""
    [entry] = settle_arrived(till, datetime(2024, 11, 30, 23, 30, tzinfo=UTC), sale("A", line(cast.rice)))
    assert entry["numero_enregistrement"] == "FAC-BTQ-009-202412-000001"


def test_a_sale_without_a_date_counts_for_today(cast: Cast, till: Till) -> None:
    before = datetime.now(KINSHASA)
    till.settle_one(sale("A", line(cast.rice)))
    assert Sale.objects.get().business_day in (before.date(), (before + timedelta(minutes=1)).date())
