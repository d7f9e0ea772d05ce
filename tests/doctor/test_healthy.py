"""The checks on data, held against a shop in which everything has happened and nothing is wrong."""

import pytest

from backend.ops.doctor.registry import Scope
from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.testing import Cast
from tests.doctor.planting import busy_day, findings
from tests.invariants import check_invariants
from tests.shop_day import fill


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
