"""A new device takes a till over. What the old one still sends is accepted for the same till, never recorded twice."""

import pytest

from backend.sales.models import Batch, Sale
from backend.shops.devices import disable_device, enable_device
from backend.shops.models import Device, DeviceState
from backend.testing import Cast
from tests.api.test_problems import assert_problem
from tests.enrolment import code_for, enrol, enrolled
from tests.tills import STATE, Till, line, sale, stock_of

pytestmark = pytest.mark.embedded


def follow(kind: str, number: str, origin: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "numero_facture": number, "origine": {"numero_facture": origin}, **fields}


@pytest.fixture
def old(till: Till) -> Till:
    return till


@pytest.fixture
def new(cast: Cast, old: Till) -> Till:
    """The device that took the till over. Created when a test first uses it, after the sales of `old`."""
    return enrolled(code_for(cast.terminal, replaces=cast.device), "serie-neuve")


@pytest.fixture
def sold_before(cast: Cast, old: Till) -> dict[str, object]:
    entry = old.settle_one(sale("FAC-1", line(cast.rice, quantity=2), sequence=7))
    assert entry["status"] == "created"
    return entry


def test_the_new_device_holds_the_till_and_the_old_one_is_replaced(
    cast: Cast, old: Till, sold_before: dict[str, object], new: Till
) -> None:
    assert new.get(STATE).json()["terminal"] == {
        "id": cast.terminal.pk, "nom": "Terminal MAUI", "numero_serie": "serie-neuve"
    }  # fmt: skip
    replaced = Device.objects.get(pk=old.device.pk)
    assert replaced.state == DeviceState.REPLACED
    assert replaced.replaced_at is not None
    assert new.device.state == DeviceState.ACTIVE
    assert new.look_up_statuses("FAC-1")[0]["id"] == sold_before["id"], "it sees what the till sold before it"


def test_the_tills_sequence_goes_on(cast: Cast, old: Till, sold_before: dict[str, object], new: Till) -> None:
    receipt = new.settle(sale("FAC-2", line(cast.rice), sequence=9))
    assert receipt["trous"] == [{"de": 8, "a": 8}]
    old.settle(sale("FAC-1b", line(cast.rice), sequence=8))
    assert new.get(STATE).json()["trous"] == []


def test_what_the_old_device_sends_later_is_accepted_under_the_same_till(cast: Cast, old: Till, new: Till) -> None:
    entry = old.settle_one(sale("FAC-1", line(cast.rice)))
    assert (entry["status"], entry["avertissements"]) == ("created", ["sans_heure"])
    assert Sale.objects.get(pk=entry["id"]).terminal == new.device.terminal
    assert old.get(STATE).json()["terminal"]["numero_serie"] == old.device.serial


@pytest.mark.parametrize("first", ["old", "new"])
def test_the_same_sale_from_both_devices_is_sold_once(cast: Cast, old: Till, new: Till, first: str) -> None:
    one, other = (old, new) if first == "old" else (new, old)
    created = one.settle_one(sale("FAC-1", line(cast.rice)))
    again = other.settle_one(sale("FAC-1", line(cast.rice)))
    assert (again["status"], again["action"], again["id"]) == ("duplicate", "purger", created["id"])
    assert stock_of(cast.rice) == 99


@pytest.mark.parametrize("first", ["old", "new"])
def test_another_sale_under_the_same_number_is_a_sale_of_its_own_and_says_so(
    cast: Cast, old: Till, new: Till, first: str
) -> None:
    one, other = (old, new) if first == "old" else (new, old)
    assert one.settle_one(sale("FAC-1", line(cast.rice)))["variante"] == 1
    second = sale("FAC-1", line(cast.rice, quantity=5))
    entry = other.settle_one(second)
    assert (entry["status"], entry["variante"]) == ("created", 2)
    assert "numero_reutilise" in entry["avertissements"]
    assert stock_of(cast.rice) == 94
    # Sent again by either device, nothing more is recorded.
    for resend in (second, sale("FAC-1", line(cast.rice))):
        for till in (one, other):
            assert till.settle_one(resend)["status"] == "duplicate"
    assert stock_of(cast.rice) == 94
    # A third content from a device that used the number already is a conflict.
    assert other.settle_one(sale("FAC-1", line(cast.rice, quantity=9)))["status"] == "conflict"
    assert stock_of(cast.rice) == 94


def test_the_new_device_voids_and_takes_back_what_the_old_one_sold(
    cast: Cast, old: Till, sold_before: dict[str, object], new: Till
) -> None:
    returned = new.settle_one(follow("retour", "RET-1", "FAC-1", lignes=[{"ligne": 1, "quantite": 1}]))
    assert returned["status"] == "returned"
    assert stock_of(cast.rice) == 99
    assert new.settle_one(follow("annulation", "AVO-1", "FAC-1"))["status"] == "voided"
    assert stock_of(cast.rice) == 100
    # The old device voids it too, under its own number, or sends the same void.
    assert old.settle_one(follow("annulation", "AVO-OLD", "FAC-1"))["code"] == "deja_annulee"
    assert old.settle_one(follow("annulation", "AVO-1", "FAC-1"))["status"] == "duplicate"
    assert stock_of(cast.rice) == 100


def test_a_number_that_both_devices_used_means_the_callers_own_sale(cast: Cast, old: Till, new: Till) -> None:
    old.settle_one(sale("FAC-1", line(cast.rice, quantity=2)))
    new.settle_one(sale("FAC-1", line(cast.rice, quantity=5)))
    assert new.settle_one(follow("annulation", "AVO-1", "FAC-1"))["montant_total"] == "125000.00"
    assert stock_of(cast.rice) == 98
    assert old.settle_one(follow("annulation", "AVO-OLD", "FAC-1"))["montant_total"] == "50000.00"
    assert stock_of(cast.rice) == 100


def test_a_void_waits_for_the_sale_that_the_old_device_has_not_sent_yet(cast: Cast, old: Till, new: Till) -> None:
    receipt = new.hand_over(follow("annulation", "AVO-1", "FAC-1"))
    new.post_all()
    assert new.receipt(receipt)["details"]["erreurs"][0]["status"] == "deferred"
    old.settle_one(sale("FAC-1", line(cast.rice)))
    assert new.receipt(receipt)["details"]["creees"][0]["status"] == "voided"
    assert stock_of(cast.rice) == 100


def test_a_replaced_device_that_repeats_its_code_gets_a_token_and_not_the_till(cast: Cast) -> None:
    code = code_for(cast.terminal, replaces=cast.device)
    first = enrolled(code, "premier")
    enrolled(code_for(cast.terminal, replaces=first.device), "second")
    assert enrolled(code, "premier").get(STATE).status_code == 200
    assert Device.objects.get(serial="premier").state == DeviceState.REPLACED
    assert Device.objects.get(serial="second").state == DeviceState.ACTIVE


def test_a_replaced_device_takes_its_till_back_with_a_new_code(cast: Cast, old: Till, new: Till) -> None:
    enrolled(code_for(cast.terminal, replaces=new.device), old.device.serial)
    back = Device.objects.get(pk=old.device.pk)
    assert (back.state, back.replaced_at) == (DeviceState.ACTIVE, None)
    assert Device.objects.get(pk=new.device.pk).state == DeviceState.REPLACED


@pytest.mark.parametrize("names_it", [True, False])
def test_a_disabled_device_stays_refused_and_comes_back_only_as_replaced(cast: Cast, old: Till, names_it: bool) -> None:
    disable_device(cast.device)
    enrolled(code_for(cast.terminal, **({"replaces": cast.device} if names_it else {})), "serie-neuve")
    assert_problem(old.get(STATE), "terminal_desactive")
    enable_device(Device.objects.get(pk=cast.device.pk))
    assert old.get(STATE).status_code == 200
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.REPLACED
    assert old.hand_over(sale("FAC-1", line(cast.rice)))
    assert Batch.objects.get().terminal == cast.terminal


def test_a_device_that_left_the_till_meanwhile_is_not_changed(cast: Cast) -> None:
    code = code_for(cast.terminal, replaces=cast.device)
    Device.objects.filter(pk=cast.device.pk).update(terminal=cast.other_terminal)
    assert enrol(code, "serie-neuve").status_code == 201
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.ACTIVE
