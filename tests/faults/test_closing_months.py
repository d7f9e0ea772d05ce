"""A month that is closed while its sales are being posted: no sale is lost, and no register has a gap."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connections

from backend.localrun.processes import wait_until
from backend.sales.days.month_closing import close_month
from backend.sales.models import InvoiceSequence, Sale
from tests.faults.conftest import Poster, Till, finish
from tests.invariants import check_invariants

LAST_MONTH = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).date()


def late_sale(till: Till, number: str) -> dict:
    return till.sale(number, date_vente=f"{LAST_MONTH}T10:00:00+01:00")


def close(till: Till) -> InvoiceSequence:
    return close_month(shop=till.shop.shop, year=LAST_MONTH.year, month=LAST_MONTH.month, author="alice")


def hold_at(point: str, number: str, hold: Path) -> dict[str, str]:
    hold.touch()
    return {"FAULT": f"wait@{point}", "FAULT_NUMBER": number, "FAULT_FILE": str(hold), "FAULT_TIMES": "1"}


def test_a_month_closed_between_a_document_and_its_number_sends_it_to_an_open_month(
    till: Till, poster: Poster, tmp_path: Path
) -> None:
    till.hand_over(late_sale(till, "A"), late_sale(till, "B"))
    hold = tmp_path / "hold"
    process = poster(till.terminal.pk, **hold_at("outcome", "B", hold))
    assert wait_until(Path(f"{hold}.reached").exists, timeout_s=20)

    closed = close(till)
    hold.unlink()
    process.wait(timeout_s=20)
    finish(poster, till)

    assert closed.last_number == 1
    assert till.statuses() == ["created"] * 2
    first, second = Sale.objects.order_by("pk")
    assert (first.register_month, first.register_number, first.warnings) == (LAST_MONTH.month, 1, [])
    assert (second.register_number, second.warnings) == (1, ["mois_clos"])
    assert second.register_month != LAST_MONTH.month
    assert InvoiceSequence.objects.get(pk=closed.pk).last_number == 1
    check_invariants()


def test_closing_waits_for_the_posting_that_has_its_number_already(till: Till, poster: Poster, tmp_path: Path) -> None:
    till.hand_over(late_sale(till, "A"))
    hold = tmp_path / "hold"
    process = poster(till.terminal.pk, **hold_at("numbered", "A", hold))
    assert wait_until(Path(f"{hold}.reached").exists, timeout_s=20)
    closed: list[InvoiceSequence] = []

    def close_meanwhile() -> None:
        try:
            closed.append(close(till))
        finally:
            connections.close_all()

    closer = threading.Thread(target=close_meanwhile)
    closer.start()
    closer.join(timeout=0.5)
    assert closer.is_alive(), "it closed a month in which a number was being given"
    hold.unlink()
    closer.join(timeout=20)
    process.wait(timeout_s=20)

    assert [one.last_number for one in closed] == [1]
    assert (Sale.objects.get().register_month, Sale.objects.get().warnings) == (LAST_MONTH.month, [])
    check_invariants()


def test_a_slice_that_began_before_the_closing_goes_on_in_an_open_month(
    till: Till, poster: Poster, tmp_path: Path
) -> None:
    till.hand_over(*[late_sale(till, number) for number in ("A", "B", "C")])
    hold = tmp_path / "hold"
    process = poster(till.terminal.pk, **hold_at("committed", "A", hold))
    assert wait_until(Path(f"{hold}.reached").exists, timeout_s=20)

    close(till)
    hold.unlink()
    process.wait(timeout_s=20)
    finish(poster, till)

    assert [sale.warnings for sale in Sale.objects.order_by("pk")] == [[], ["mois_clos"], ["mois_clos"]]
    assert [sale.register_number for sale in Sale.objects.order_by("pk")] == [1, 1, 2]
    check_invariants()
