"""The checks on data find nothing in a shop in which everything has happened without a fault."""

import pytest

from backend.doctor.registry import Scope
from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.sales.repair.back_office import record_from_page
from backend.sales.repair.desk import Desk
from backend.testing import Cast
from tests.doctor.planted_faults import busy_day, document, findings, outcome
from tests.invariants import check_invariants
from tests.shop_day import fill
from tests.tills import Till, line, sale


@pytest.mark.embedded
def test_nothing_is_found_in_a_busy_and_healthy_shop(db: None) -> None:
    cast = Cast()
    fill(cast)
    till = busy_day(cast)
    kinds = set(SaleOutcome.objects.values_list("status", flat=True))
    assert kinds >= set(OutcomeStatus) - {OutcomeStatus.FAILED, OutcomeStatus.SET_ASIDE}
    check_invariants(is_settled=False)
    for scope in (Scope(), Scope(shop=cast.shop), Scope(shop=cast.shop, terminal=till.device.terminal)):
        assert findings(scope) == {}


@pytest.mark.embedded
def test_nothing_is_found_in_what_people_decided(busy: Till, cast: Cast) -> None:
    """A sale accepted without stock, one whose article was chosen, a conflict made a sale, one set aside and resent."""
    desk = Desk(shop=cast.shop, user=cast.alice)
    short, conflict, malformed = (
        outcome("FAC-4", "rejected"), outcome("FAC-1", "conflict"), outcome("FAC-5", "rejected"),
    )  # fmt: skip
    busy.settle(sale("FAC-30", line(cast.other_article)), sale("FAC-31", line(cast.oil, quantity=1000)))
    unknown, aside = outcome("FAC-30", "rejected"), outcome("FAC-31", "rejected")
    desk.accept_short_stock(short.batch_id, short.position)
    desk.accept_as_own_sale(conflict.batch_id, conflict.position)
    desk.choose_units(unknown.batch_id, unknown.position, units={0: cast.oil.base_unit.uuid})
    desk.set_aside(malformed.batch_id, malformed.position, reason="essai")
    desk.set_aside(aside.batch_id, aside.position, reason="essai")
    busy.settle(sale("FAC-31", line(cast.oil, quantity=1000)), sale("FAC-30", line(cast.other_article)))
    void = {"type": "annulation", "origine": {"vente_id": document("FAC-20").pk}}
    record_from_page(shop=cast.shop, user=cast.alice, document=void, key="aaaa1111")
    assert set(OutcomeStatus) - set(SaleOutcome.objects.values_list("status", flat=True)) <= {
        OutcomeStatus.FAILED,
        OutcomeStatus.CONFLICT,
    }
    assert findings() == {}
