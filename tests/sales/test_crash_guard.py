"""Sales settled as our failure: what is known of them is kept, and what may kill the process is not read."""

from decimal import Decimal
from typing import Any, NoReturn

import pytest

from backend.sales.errors import InternalFailure
from backend.sales.models import Batch, Lane, SaleOutcome
from backend.sales.posting import decision, post_sale
from backend.sales.posting.context import Inspection, PostingContext
from backend.sales.posting.crash_guard import STARTS_MAX, StartKind, count_start
from backend.sales.posting.post_sale import settle_as_failed
from backend.sales.repair.open_entries import open_entries
from backend.testing import Cast
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded


def broken(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("a bug of ours")


@pytest.fixture
def failed(cast: Cast, till: Till, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """FAC-1, whose posting raised."""
    with monkeypatch.context() as patch:
        patch.setattr(decision, "record", broken)
        entry = till.settle_one(sale("FAC-1", line(cast.rice)))
    assert (entry["status"], entry["code"], entry["action"]) == ("failed", "echec_interne", "garder")
    return entry


def test_a_failed_sale_keeps_its_amount_and_its_day(failed: dict[str, Any]) -> None:
    outcome = SaleOutcome.objects.get()
    assert (outcome.amount, outcome.currency) == (Decimal(25000), "CDF")
    assert outcome.business_day is not None


def test_the_same_content_recorded_later_closes_the_entry(cast: Cast, till: Till, failed: dict[str, Any]) -> None:
    assert open_entries(shop_id=cast.shop.pk).count() == 1
    assert till.settle_one(sale("FAC-1", line(cast.rice)))["status"] == "created"
    assert open_entries(shop_id=cast.shop.pk).count() == 0
    # Otherwise the till would keep the sale for ever: it forgets a sale only if every entry of it says `purger`.
    assert [(one["status"], one["action"]) for one in till.look_up_statuses("FAC-1")] == [("created", "purger")]


def test_a_sale_whose_reading_raises_is_settled_with_its_number(
    cast: Cast, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (post_sale, decision):
        monkeypatch.setattr(module, "read_sale", broken)
    entry = till.settle_one(sale("FAC-1", line(cast.rice)))
    assert (entry["status"], entry["numero_facture"]) == ("failed", "FAC-1")


def test_each_attempt_to_settle_a_sale_that_kills_inspects_less_of_it(cast: Cast, till: Till) -> None:
    till.hand_over(sale("FAC-1", line(cast.rice)))
    context = PostingContext(till.device.terminal_id)
    inspections = []
    for _ in range(STARTS_MAX + 4):
        start = count_start(context)
        inspections += [start.inspection] if start.kind is StartKind.CONDEMNED else []
        # Each of them died, long enough ago.
        Lane.objects.update(starts_at=None)
    assert inspections == [Inspection.FULL, Inspection.HEADER, Inspection.NONE]


def test_a_blind_settlement_reads_no_sale_of_the_batch(cast: Cast, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """The poster that begins a batch reads the counters of all its sales: one of those may kill the process."""
    till.hand_over(sale("FAC-1", line(cast.rice), sequence=1), sale("FAC-2", line(cast.rice), sequence=5))
    for name in ("peek", "read_sale", "fingerprint_of_bytes"):
        monkeypatch.setattr(post_sale, name, broken)
    settle_as_failed(PostingContext(till.device.terminal_id), InternalFailure("mort"), inspection=Inspection.NONE)
    assert Batch.objects.get().next_position == 2
    assert SaleOutcome.objects.get().number == ""
