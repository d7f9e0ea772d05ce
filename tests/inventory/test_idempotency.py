"""A form does its work once: sent twice, sent twice at the same moment, or refused and corrected."""

from decimal import Decimal

import pytest
from django.db import transaction

from backend.inventory.errors import StockShort
from backend.inventory.idempotency import AlreadyDone, FormReused, do_once
from backend.inventory.models import MovementType, StockMovement, WorkKey
from backend.inventory.stock import lock_units, move_stock
from backend.testing import Cast
from tests.inventory.test_races import start_together, wait_for_waiters
from tests.tills import stock_of

KEY = "abcdefghijklmnop"


def bring(cast: Cast, quantity: int = 5, key: str = KEY) -> StockMovement:
    kind = MovementType.ENTRY if quantity > 0 else MovementType.EXIT
    return do_once(
        shop=cast.shop,
        key=key,
        form={"quantite": quantity},
        work=lambda: move_stock(unit=cast.rice.base_unit, quantity=Decimal(quantity), movement_type=kind, author="Bob"),
    )


@pytest.mark.embedded
def test_a_repeat_does_nothing_and_says_so(cast: Cast) -> None:
    assert bring(cast).stock_after == 105
    with pytest.raises(AlreadyDone):
        bring(cast)
    with pytest.raises(FormReused):
        bring(cast, 6)
    assert stock_of(cast.rice) == 105
    assert bring(cast, key="another-key").stock_after == 110


@pytest.mark.embedded
def test_a_refusal_leaves_the_key_free(cast: Cast) -> None:
    with pytest.raises(StockShort):
        bring(cast, -101)
    assert not WorkKey.objects.exists()
    assert bring(cast, -100).stock_after == 0


class TestAtTheSameMoment:
    @pytest.fixture
    def cast(self, real_database: None) -> Cast:
        return Cast()

    def test_a_double_click_is_done_once(self, cast: Cast) -> None:
        """The first has written its key and waits for the unit; the second waits for the key."""
        with transaction.atomic():
            lock_units([cast.rice.base_unit_id])
            finish = start_together(lambda: bring(cast), lambda: bring(cast))
            wait_for_waiters(2)
        assert {type(result) for result in finish()} == {StockMovement, AlreadyDone}
        assert stock_of(cast.rice) == 105

    def test_the_second_click_does_the_work_if_the_first_was_refused(self, cast: Cast) -> None:
        with transaction.atomic():
            lock_units([cast.rice.base_unit_id])
            finish = start_together(lambda: bring(cast, -101), lambda: bring(cast, -101))
            wait_for_waiters(2)
        assert [type(result) for result in finish()] == [StockShort, StockShort]
        assert stock_of(cast.rice) == 100
