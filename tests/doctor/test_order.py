"""P9: sales that took effect out of their till's order, and two batches begun at one till."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.sales.models import Batch
from backend.sales.repair.retry import retry_outcome
from backend.testing import Cast
from tests.doctor.planted_faults import findings, only_finding, outcome, write
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

HIDDEN = {"settled_at": "2026-01-01 00:00:00"}


def hand_over(till: Till, *sales: dict[str, object], age: timedelta = timedelta(0)) -> Batch:
    """Hand over a batch that was accepted `age` ago, and do not post it."""
    batch = Batch.objects.get(receipt=till.hand_over(*sales))
    write("sales_batch", f"id = {batch.pk}", received_at=(datetime.now(UTC) - age).replace(tzinfo=None).isoformat(" "))
    return batch


def post_second_first(till: Till, cast: Cast, *, age: timedelta) -> None:
    """Post the later of two batches before the batch that was accepted `age` ago."""
    till.post_all()
    first = hand_over(till, sale("FAC-31", line(cast.oil)), age=age)
    write("sales_batch", f"id = {first.pk}", **HIDDEN)
    hand_over(till, sale("FAC-32", line(cast.oil)))
    till.post_all()
    write("sales_batch", f"id = {first.pk}", settled_at=None)
    till.post_all()


def test_a_batch_posted_after_a_later_one_is_found(busy: Till, cast: Cast) -> None:
    post_second_first(busy, cast, age=timedelta(hours=1))
    finding = only_finding("documents_follow_their_batches")
    assert "vente FAC-31" in finding.found
    assert "est enregistrée après vente FAC-32" in finding.found
    assert finding.repair is None


def test_two_posts_at_the_same_time_have_no_order(busy: Till, cast: Cast) -> None:
    """A batch that committed late was not visible when the next batch was begun."""
    post_second_first(busy, cast, age=timedelta(seconds=1))
    assert findings() == {}


def test_a_sale_posted_before_the_one_above_it_is_found(busy: Till, cast: Cast) -> None:
    busy.post_all()
    batch = hand_over(busy, sale("FAC-31", line(cast.oil)), sale("FAC-32", line(cast.oil)))
    for cursor in (2, 1):
        write("sales_batch", f"id = {batch.pk}", next_position=cursor, settled_at=None)
        busy.post_next()
    write("sales_batch", f"id = {batch.pk}", next_position=3, **HIDDEN)
    assert "vente FAC-31" in only_finding("documents_follow_their_batches").found


def test_what_was_tried_again_later_is_no_finding(busy: Till, cast: Cast) -> None:
    refused = outcome("FAC-4", "rejected")
    write("sales_batch", f"id = {refused.batch_id}", received_at="2026-01-01 00:00:00")
    write("inventory_articleunit", f"id = {cast.rice.base_unit_id}", stock=2000)
    retry_outcome(batch_id=refused.batch_id, position=refused.position, author="alice", reason="compté")
    assert outcome("FAC-4", "created")
    # It was recorded with the goods that were added by hand, and nothing else is wrong.
    assert set(findings()) == {"movements_make_one_chain", "stock_is_the_sum_of_movements"}


def test_tills_are_in_no_order_among_themselves(busy: Till, cast: Cast) -> None:
    other = Till(cast.token_device, token=cast.token)
    hand_over(other, sale("FAC-31", line(cast.oil)), age=timedelta(hours=1))
    hand_over(busy, sale("FAC-32", line(cast.oil)))
    busy.post_all()
    other.post_all()
    assert findings() == {}


def test_two_batches_begun_at_one_till_are_found(busy: Till, cast: Cast) -> None:
    """FAC-21 still waits behind FAC-20."""
    begun = Batch.objects.get(settled_at=None)
    write("sales_batch", f"id = {begun.pk}", **HIDDEN)
    hand_over(busy, sale("FAC-31", line(cast.oil)), sale("FAC-32", line(cast.oil)))
    busy.post_next()
    write("sales_batch", f"id = {begun.pk}", settled_at=None)
    finding = only_finding("one_batch_is_begun")
    assert "caisse « Terminal MAUI » (n° " in finding.found
    assert "2 lots commencés" in finding.found
