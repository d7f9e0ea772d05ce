"""P1 and P2: batches whose bytes are missing or changed, cursors and counters that contradict the outcomes."""

import hashlib
import zlib
from datetime import UTC, datetime

import pytest

from backend.doctor import bodies
from backend.sales.models import Batch, BatchBody, Lane, SaleOutcome
from backend.testing import Cast
from tests.doctor.planted_faults import erase, findings, only_finding, outcome, place_of, repaired, write
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

TWO_SALES = b'[{"numero_facture": "A"}, {"numero_facture": "B"}]'


def plant_batch(
    till: Till, *, body: bytes | None = TWO_SALES, deflated: bytes | None = None, **fields: object
) -> Batch:
    """Store a waiting batch of two sales, as the intake would, with the given values instead of its own."""
    now = datetime.now(UTC)
    batch = Batch.objects.create(**{
        "terminal": till.device.terminal, "shop": till.device.terminal.shop, "device": till.device,
        "sha256": hashlib.sha256(body or b"").hexdigest(), "sale_count": 2, "received_at": now, "moved_at": now,
        **fields,
    })  # fmt: skip
    if body is not None:
        BatchBody.objects.create(batch=batch, shop_id=batch.shop_id, deflated=deflated or zlib.compress(body))
    return batch


def test_a_sound_batch_is_no_finding(busy: Till) -> None:
    plant_batch(busy)
    assert findings() == {}


def test_a_batch_without_its_bytes_is_found(busy: Till) -> None:
    batch = plant_batch(busy, body=None)
    finding = only_finding("batches_have_bytes")
    assert f"lot n° {batch.pk} (reçu {batch.receipt}, caisse « Terminal MAUI »" in finding.found
    assert "arrêtée à ce lot" in finding.means
    assert finding.repair is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"deflated": b"not zlib"}, "ne se décompressent pas"),
        ({"sha256": "0" * 64}, "ne sont plus ceux"),
        ({"body": b'{"numero_facture": "A"}'}, "ne se découpent pas"),
        ({"sale_count": 3}, "font 2 vente(s), 3 étaient annoncées"),
    ],
    ids=["inflated", "hash", "cut", "count"],
)
def test_bytes_that_are_not_the_tills_are_found(busy: Till, fields: dict[str, object], told: str) -> None:
    plant_batch(busy, **fields)
    finding = only_finding("bytes_are_the_tills")
    assert told in finding.found
    assert finding.repair is None


def test_of_old_settled_batches_a_sample_is_read(busy: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Batch.objects.filter(settled_at__isnull=False).order_by("pk").first()
    write("sales_batch", f"id = {old.pk}", sha256="0" * 64)
    monkeypatch.setattr(bodies, "NEWEST_MAX", 2)
    monkeypatch.setattr(bodies, "SAMPLE_MAX", 0)
    assert findings() == {}
    monkeypatch.setattr(bodies, "SAMPLE_MAX", 100)
    only_finding("bytes_are_the_tills")
    # Waiting batches are always read.
    monkeypatch.setattr(bodies, "SAMPLE_MAX", 0)
    write("sales_batch", f"id = {old.pk}", settled_at=None)
    assert "bytes_are_the_tills" in findings()


def test_a_till_that_waits_without_a_lane_is_given_one(busy: Till, cast: Cast) -> None:
    waiting = Till(cast.token_device, token=cast.token)
    waiting.hand_over(sale("FAC-1", line(cast.rice)))
    erase("sales_lane", f"terminal_id = {cast.token_device.terminal_id}")
    changed = repaired(only_finding("waiting_tills_have_lanes"))
    assert set(changed) == {"sales_lane"}
    waiting.post_all()
    assert waiting.outcomes() == ["created"]


def test_a_settled_batch_that_is_not_noted_as_settled_is_settled(busy: Till) -> None:
    busy.post_all()
    batch = Batch.objects.filter(settled_at__isnull=False).order_by("pk").first()
    write("sales_batch", f"id = {batch.pk}", settled_at=None)
    finding = only_finding("outcomes_end_at_the_cursor")
    assert "pas noté comme traité" in finding.found
    assert repaired(finding) == {"sales_batch": {"settled_at", "version"}}
    batch.refresh_from_db()
    assert batch.settled_at == batch.moved_at


def test_sales_behind_a_batch_wrongly_noted_as_settled_are_taken_up_again(busy: Till) -> None:
    batch = Batch.objects.get(settled_at=None)
    write("sales_batch", f"id = {batch.pk}", settled_at="2026-01-01 00:00:00")
    finding = only_finding("outcomes_end_at_the_cursor")
    assert "noté comme traité à la vente 2 sur 2" in finding.found
    assert repaired(finding) == {"sales_batch": {"settled_at", "version"}}
    busy.post_all()
    assert busy.look_up_statuses("FAC-21")[0]["status"] == "created"
    assert findings() == {}


@pytest.mark.parametrize("cursor", [0, 1, 5, 12, 99])
def test_a_cursor_that_left_its_outcomes_is_put_back(busy: Till, cursor: int) -> None:
    """At 0 to 5 the till is stuck: each posting meets an outcome that exists already."""
    batch = Batch.objects.get(sale_count=10)
    write("sales_batch", f"id = {batch.pk}", next_position=cursor)
    assert repaired(only_finding("outcomes_end_at_the_cursor")) == {"sales_batch": {"next_position", "version"}}


def test_sales_that_a_cursor_jumped_are_taken_up_again(busy: Till) -> None:
    batch = Batch.objects.get(settled_at=None)
    write("sales_batch", f"id = {batch.pk}", next_position=3, settled_at="2026-01-01 00:00:00")
    finding = only_finding("outcomes_end_at_the_cursor")
    assert "pas de résultat pour les ventes 2, qui sont passées" in finding.found
    assert "(FAC-21)" in finding.means
    assert repaired(finding) == {"sales_batch": {"next_position", "settled_at", "version"}}
    busy.post_all()
    assert busy.look_up_statuses("FAC-21")[0]["status"] == "created"
    assert findings() == {}


def test_an_outcome_that_is_gone_is_found_and_names_its_sale(busy: Till) -> None:
    refused = SaleOutcome.objects.get(number="FAC-5")
    erase("sales_saleoutcome", place_of(refused))
    write("sales_batch", f"id = {refused.batch_id}", error_count=refused.batch.error_count - 1)
    finding = only_finding("outcomes_end_at_the_cursor")
    assert "pas de résultat pour les ventes 7," in finding.found
    assert "(FAC-5)" in finding.means
    assert finding.repair is None


def test_a_cursor_is_not_put_before_what_is_recorded(busy: Till) -> None:
    """The outcome of a recorded sale is missing: posting it again would meet its own document."""
    last = outcome("AVO-1", "voided")
    erase("sales_saleoutcome", place_of(last))
    write("sales_batch", f"id = {last.batch_id}", created_count=last.batch.created_count - 1)
    beside = {"documents_have_successes"}
    assert only_finding("outcomes_end_at_the_cursor", beside=beside).repair is None


@pytest.mark.parametrize("column", ["created_count", "error_count", "duplicate_count"])
def test_wrong_counters_are_counted_again(busy: Till, column: str) -> None:
    batch = Batch.objects.get(sale_count=10)
    write("sales_batch", f"id = {batch.pk}", **{column: 77})
    finding = only_finding("counters_match_outcomes")
    assert f"77 au lieu de {getattr(batch, column)} ({column})" in finding.found
    assert repaired(finding) == {"sales_batch": {column, "version"}}


def test_counters_of_a_batch_without_outcomes_are_counted_again(busy: Till) -> None:
    plant_batch(busy, error_count=1)
    assert repaired(only_finding("counters_match_outcomes")) == {"sales_batch": {"error_count", "version"}}


def test_a_version_behind_its_outcomes_is_raised(busy: Till) -> None:
    refused = SaleOutcome.objects.get(number="FAC-5")
    write("sales_saleoutcome", place_of(refused), version=88)
    assert repaired(only_finding("versions_cover_outcomes")) == {"sales_batch": {"version"}}
    assert Batch.objects.get(pk=refused.batch_id).version == 89


def test_a_repair_waits_for_nothing_that_is_gone(busy: Till) -> None:
    """The till's lane is lost between check and repair: nothing is written without it."""
    batch = Batch.objects.get(sale_count=10)
    write("sales_batch", f"id = {batch.pk}", created_count=77)
    finding = only_finding("counters_match_outcomes")
    Lane.objects.filter(pk=batch.terminal_id).delete()
    assert finding.repair.act() is None
    assert Batch.objects.get(pk=batch.pk).created_count == 77
