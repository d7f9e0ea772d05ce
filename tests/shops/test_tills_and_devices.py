"""Changes of tills and devices, and their refusals: one device holds a till, and a till keeps its shop."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from backend.shops.devices import (
    disable_device,
    enable_device,
    move_device,
)
from backend.shops.enrolment import LIFE_MAX, code_payload, create_enrolment_code
from backend.shops.errors import NoHardware, NotOfThisTill, ShopsRefused, TillIsHeld, TillKeepsItsShop
from backend.shops.models import Device, DeviceState, EnrolmentCode, Terminal
from backend.shops.terminals import assign_shop, create_till, disable_till
from backend.testing import Cast, make_device, make_shop, make_terminal

embedded = pytest.mark.embedded


@embedded
def test_a_code_lives_for_a_week_at_most(cast: Cast) -> None:
    terminal = make_terminal(cast.shop)
    for life in (timedelta(0), -timedelta(minutes=1), LIFE_MAX + timedelta(seconds=1)):
        with pytest.raises(ValueError, match="7 days"):
            create_enrolment_code(terminal=terminal, life=life)
    code = create_enrolment_code(terminal=terminal, life=LIFE_MAX, created_by=cast.alice)
    kept = EnrolmentCode.objects.get()
    assert (kept.created_by, kept.expires_at) == (cast.alice, code.expires_at)
    assert code.text.replace(" ", "") == code.spaced.replace(" ", "")


@embedded
def test_codes_have_no_letter_that_looks_like_another(cast: Cast) -> None:
    terminal = make_terminal(cast.shop)
    drawn = "".join(create_enrolment_code(terminal=terminal).text for _ in range(100))
    assert set(drawn) & set("ILOU") == set()
    assert len(set(drawn)) == 32
    assert EnrolmentCode.objects.values("code_hash").distinct().count() == 100


@embedded
def test_a_qr_carries_the_servers_address_and_the_code(cast: Cast) -> None:
    code = create_enrolment_code(terminal=make_terminal(cast.shop))
    for url in ("https://caisse.example", "https://caisse.example/"):
        assert code_payload(code, server_url=url) == f"https://caisse.example/#{code.text}"


@embedded
def test_a_till_that_is_held_is_taken_only_by_replacing_its_device(cast: Cast) -> None:
    with pytest.raises(TillIsHeld, match=cast.device.serial):
        create_enrolment_code(terminal=cast.terminal)
    with pytest.raises(NotOfThisTill):
        create_enrolment_code(terminal=cast.terminal, replaces=cast.other_device)
    assert create_enrolment_code(terminal=cast.terminal, replaces=cast.device)
    disable_device(cast.device)
    assert create_enrolment_code(terminal=cast.terminal)


@embedded
def test_a_device_is_moved_only_to_a_till_without_a_device(cast: Cast) -> None:
    with pytest.raises(TillIsHeld):
        move_device(cast.device, terminal=cast.other_terminal)
    assert Device.objects.get(pk=cast.device.pk).terminal == cast.terminal
    disable_device(cast.other_device)
    move_device(cast.device, terminal=cast.other_terminal)
    move_device(cast.device, terminal=cast.other_terminal)
    assert Device.objects.get(pk=cast.device.pk).terminal == cast.other_terminal


@embedded
def test_a_replaced_device_holds_the_till_it_is_moved_to_and_a_disabled_one_stays_disabled(cast: Cast) -> None:
    replaced = make_device(cast.terminal)
    Device.objects.filter(pk=replaced.pk).update(state=DeviceState.REPLACED, replaced_at=datetime.now(UTC))
    replaced.refresh_from_db()
    move_device(replaced, terminal=make_terminal(cast.shop))
    moved = Device.objects.get(pk=replaced.pk)
    assert (moved.state, moved.replaced_at) == (DeviceState.ACTIVE, None)
    disable_device(moved)
    move_device(moved, terminal=make_terminal(cast.shop))
    assert Device.objects.get(pk=moved.pk).state == DeviceState.DISABLED
    enable_device(moved)
    assert Device.objects.get(pk=moved.pk).state == DeviceState.ACTIVE


@embedded
def test_the_shops_office_is_held_by_no_hardware(cast: Cast) -> None:
    office = Terminal.objects.create(shop=cast.shop, name="Bureau", is_office=True)
    device = make_device(office)
    refused = (
        lambda: create_enrolment_code(terminal=office),
        lambda: create_enrolment_code(terminal=office, replaces=device),
        lambda: move_device(cast.device, terminal=office),
        lambda: move_device(device, terminal=make_terminal(cast.shop)),
        lambda: disable_device(device),
        lambda: disable_till(office),
    )
    for attempt in refused:
        with pytest.raises(ShopsRefused) as error:
            attempt()
        assert isinstance(error.value, NoHardware | NotOfThisTill)
    device.refresh_from_db()
    office.refresh_from_db()
    assert (device.terminal, device.state, office.state) == (office, "active", "active")
    assert not EnrolmentCode.objects.exists()


@pytest.mark.usefixtures("real_database")
def test_of_two_shops_that_claim_a_till_at_once_one_gets_it() -> None:
    for _ in range(5):
        terminal = create_till(shop=None, name="Caisse neuve")
        shops = [make_shop() for _ in range(3)]
        gate = threading.Barrier(3)

        def claim(shop: object, gate: threading.Barrier = gate, pk: int = terminal.pk) -> bool:
            mine = Terminal.objects.get(pk=pk)
            gate.wait()
            try:
                assign_shop(mine, shop=shop)
            except TillKeepsItsShop:
                return False
            finally:
                connections.close_all()
            return True

        with ThreadPoolExecutor(3) as pool:
            assert sorted(pool.map(claim, shops)) == [False, False, True]


@pytest.mark.usefixtures("real_database")
def test_of_two_devices_moved_to_a_till_at_once_one_holds_it() -> None:
    shop = make_shop()
    for _ in range(5):
        terminal = make_terminal(shop)
        devices = [make_device(make_terminal(shop)) for _ in range(3)]
        gate = threading.Barrier(3)

        def move(device: Device, gate: threading.Barrier = gate, terminal: Terminal = terminal) -> bool:
            gate.wait()
            try:
                move_device(device, terminal=terminal)
            except TillIsHeld:
                return False
            finally:
                connections.close_all()
            return True

        with ThreadPoolExecutor(3) as pool:
            assert sorted(pool.map(move, devices)) == [False, False, True]
        assert Device.objects.filter(terminal=terminal).count() == 1
