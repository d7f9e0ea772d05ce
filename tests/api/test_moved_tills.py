"""A till keeps its shop; a device may move to another till. Neither shows a shop what another shop sold."""

import pytest

from backend.sales.models import Batch
from backend.shops.devices import move_device
from backend.shops.errors import TillKeepsItsShop
from backend.shops.models import Device, Terminal
from backend.shops.terminals import assign_shop
from backend.testing import Cast, make_device, make_terminal
from tests.api.test_problems import assert_problem
from tests.tills import BASE, RECEIPTS, STATE, Till, line, sale

pytestmark = pytest.mark.embedded

CHANGES = BASE + "ventes/changements"


def assert_it_sees_nothing(till: Till, *receipts: str) -> None:
    for receipt in receipts:
        assert_problem(till.get(f"{RECEIPTS}/{receipt}"), "recu_inconnu")
    for query in ("", "?ouverts=1"):
        assert till.get(RECEIPTS + query).json()["recus"] == []
    assert [one["status"] for one in till.look_up_statuses("FAC-1", "FAC-2")] == ["unknown", "unknown"]
    assert till.get(CHANGES).json()["ventes"] == []
    state = till.get(STATE).json()
    assert state["a_corriger"] == 0


@pytest.fixture
def receipts(cast: Cast, till: Till) -> list[str]:
    """The till's sales in Alice's shop: one recorded, one refused, one waiting."""
    settled = till.settle(sale("FAC-1", line(cast.rice)), sale("FAC-3", line(cast.rice, quantity=1000)))
    return [settled["recu"], till.hand_over(sale("FAC-2", line(cast.rice)), Idempotency_Key="cle-1")]


def test_a_till_is_never_moved_to_another_shop(cast: Cast, till: Till, receipts: list[str]) -> None:
    with pytest.raises(TillKeepsItsShop):
        assign_shop(cast.terminal, shop=cast.other_shop)
    assert Terminal.objects.get(pk=cast.terminal.pk).shop == cast.shop
    assign_shop(cast.terminal, shop=cast.shop)
    assert till.receipt(receipts[0])["boutique"] == {"id": cast.shop.pk, "nom": "Ma Boutique", "code": "BTQ-009"}


def test_a_till_without_a_shop_gets_one_and_its_devices_are_accepted_from_then_on(cast: Cast) -> None:
    terminal = make_terminal(None)
    till = Till(make_device(terminal))
    assert_problem(till.send_sales(sale("FAC-1", line(cast.rice))), "terminal_sans_boutique")
    assign_shop(terminal, shop=cast.shop)
    assert till.settle_one(sale("FAC-1", line(cast.rice)))["status"] == "created"


def test_a_moved_device_sees_nothing_of_the_till_it_left(cast: Cast, till: Till, receipts: list[str]) -> None:
    move_device(Device.objects.get(pk=cast.device.pk), terminal=make_terminal(cast.other_shop))

    assert_it_sees_nothing(till, *receipts)
    assert till.get(STATE).json()["boutique"]["code"] == "BTQ-777"
    successor = Till(make_device(cast.terminal))
    assert successor.receipt(receipts[0])["boutique"]["code"] == "BTQ-009"
    # What was accepted is posted where it was sold.
    successor.post_all()
    assert [one["status"] for one in successor.look_up_statuses("FAC-2")] == ["created"]


def test_unsent_sales_of_a_moved_device_are_posted_in_its_new_shop(cast: Cast, till: Till, receipts: list[str]) -> None:
    device = Device.objects.get(pk=cast.device.pk)
    move_device(device, terminal=make_terminal(cast.other_shop))
    till = Till(device)
    receipt = till.hand_over(sale("FAC-2", line(cast.rice)), Idempotency_Key="cle-1")
    assert receipt not in receipts, "the key was the other till's"
    till.post_all()
    [refused] = till.receipt(receipt)["details"]["erreurs"]
    assert refused["code"] == "article_inconnu"
    assert till.settle_one(sale("FAC-1", line(cast.other_article)))["status"] == "created"


def test_a_till_whose_row_was_changed_by_hand_sees_nothing_of_the_shop_it_was_in(
    cast: Cast, till: Till, receipts: list[str]
) -> None:
    Terminal.objects.filter(pk=cast.terminal.pk).update(shop=cast.other_shop)
    assert_it_sees_nothing(till, *receipts)
    # A key that the till used there still finds that shop's batch, with that shop's name.
    again = till.send_sales(sale("FAC-2", line(cast.rice)), Idempotency_Key="cle-1").json()
    assert (again["recu"], again["boutique"]["code"]) == (receipts[1], "BTQ-009")
    assert Batch.objects.get(receipt=again["recu"]).shop == cast.shop
