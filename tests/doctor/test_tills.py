"""Shops and tills that cannot sell or have fallen silent, and what waits: planted, found, repaired where possible."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from backend.doctor.registry import Scope
from backend.sales.models import Batch, Heartbeat, Lane, OutcomeStatus, Pause, SaleOutcome
from backend.sales.posting.crash_guard import STARTS_MAX
from backend.sales.tills.pauses import pause
from backend.shops.devices import disable_device
from backend.shops.models import AuthMode, Device, DeviceState, Shop, Terminal, TerminalState
from backend.testing import Cast, make_device, make_terminal
from tests.doctor.examination import found_by, look, mend, only_these_tables_change
from tests.shop_day import hand_over, post, recorded, sale
from tests.tills import Till

pytestmark = pytest.mark.embedded

CHECKS = (
    "shop_timezones",
    "shop_currencies",
    "long_pauses",
    "orphan_pauses",
    "terminals_without_shop",
    "orphan_devices",
    "unknown_serials",
    "till_clocks",
    "silent_tills",
    "waiting_batches",
    "deadly_sales",
    "long_deferred",
)


def ago(**duration: float) -> datetime:
    return datetime.now(UTC) - timedelta(**duration)


def notes_of(name: str, scope: Scope | None = None) -> list[str]:
    seen = look(name, scope or Scope()).seen
    assert seen.finding_count == 0
    return [finding.found for finding in seen.findings]


def test_a_shop_that_sells_has_nothing_wrong(cast: Cast) -> None:
    post(cast.device, sale(cast.rice))
    assert {name: found_by(name) for name in CHECKS} == {name: [] for name in CHECKS}


def test_a_time_zone_that_nobody_knows_is_found_and_refused_by_forms(cast: Cast) -> None:
    cast.shop.full_clean()
    Shop.objects.filter(pk=cast.shop.pk).update(timezone="Afrique/Kinshasa")
    (found,) = found_by("shop_timezones")
    assert "BTQ-009" in found
    cast.shop.refresh_from_db()
    with pytest.raises(ValidationError, match="fuseau horaire"):
        cast.shop.full_clean()
    # It is no finding of the other shop.
    assert found_by("shop_timezones", Scope(shop=cast.other_shop)) == []


@pytest.mark.parametrize("name", ["", "Africa", "../etc/passwd", "Lune/Mer", "a\0b"])
def test_no_name_of_a_zone_passes_that_cannot_be_read(cast: Cast, name: str) -> None:
    cast.shop.timezone = name
    with pytest.raises(ValidationError):
        cast.shop.clean_fields()


@pytest.mark.parametrize("currencies", ["CDF;USD", "cdf", "CDF,,USD", "FC"])
def test_currencies_that_cannot_be_read_are_found(cast: Cast, currencies: str) -> None:
    Shop.objects.filter(pk=cast.shop.pk).update(currencies=currencies)
    assert "BTQ-009" in found_by("shop_currencies")[0]


def test_a_till_without_a_shop_is_found(cast: Cast) -> None:
    till = make_terminal(None, name="Sans toit")
    make_device(till, serial="sans-toit-01")
    (found,) = found_by("terminals_without_shop")
    assert "Sans toit" in found
    assert "sans-toit-01" in found
    assert found_by("terminals_without_shop", Scope(shop=cast.shop)) == []
    assert len(found_by("terminals_without_shop", Scope(terminal=till))) == 1
    Terminal.objects.filter(pk=till.pk).update(state=TerminalState.DISABLED)
    assert found_by("terminals_without_shop") == []


def test_a_till_that_no_device_calls_for_is_a_note(cast: Cast) -> None:
    assert notes_of("terminals_without_device") == []
    Device.objects.filter(pk=cast.device.pk).update(state=DeviceState.DISABLED)
    assert "Terminal MAUI" in notes_of("terminals_without_device")[0]


def test_a_device_of_a_till_that_is_gone_is_found(cast: Cast) -> None:
    with connection.constraint_checks_disabled():
        Device.objects.filter(pk=cast.device.pk).update(terminal_id=999_999)
        (found,) = found_by("orphan_devices")
        Device.objects.filter(pk=cast.device.pk).update(terminal_id=cast.terminal.pk)
    assert cast.device.serial in found
    assert "999999" in found


def test_a_serial_that_nobody_knows_is_found_with_the_one_it_was_meant_to_be(cast: Cast) -> None:
    stranger = Till(Device(serial="0A1BADAE951F8473"))
    assert stranger.send_sales(sale(cast.rice)).status_code == 404
    (found,) = found_by("unknown_serials")
    assert "« 0A1BADAE951F8473 »" in found
    assert "ressemble à 0a1badae951f8473" in found
    # Once it is enrolled, earlier refusals do not count.
    make_device(cast.terminal, serial="0A1BADAE951F8473")
    assert found_by("unknown_serials") == []


def test_devices_without_a_token_are_a_note(cast: Cast) -> None:
    (found,) = notes_of("serial_mode_devices", Scope(terminal=cast.terminal))
    assert cast.device.serial in found
    assert notes_of("serial_mode_devices", Scope(terminal=cast.token_device.terminal)) == []
    disabled = make_device(make_terminal(cast.shop))
    disable_device(disabled)
    (found,) = notes_of("serial_mode_devices")
    for device in (cast.device, cast.complete_device, cast.other_device):
        assert device.serial in found
    for device in (disabled, cast.token_device):
        assert device.serial not in found
    Device.objects.update(auth_mode=AuthMode.TOKEN)
    assert notes_of("serial_mode_devices") == []


@pytest.mark.parametrize(("skew_s", "expected"), [(301.0, 1), (-7200.0, 1), (299.0, 0), (-10.0, 0)])
def test_a_clock_that_is_off_is_found(cast: Cast, skew_s: float, expected: int) -> None:
    Device.objects.filter(pk=cast.device.pk).update(clock_skew_s=skew_s)
    assert len(found_by("till_clocks")) == expected


def test_a_till_that_fell_silent_with_sales_is_found(cast: Cast) -> None:
    whose = {"shop": cast.shop, "terminal": cast.terminal, "device": cast.device}
    Heartbeat.objects.create(**whose, held_count=12, at=ago(days=5))
    Device.objects.filter(pk=cast.device.pk).update(last_seen_at=ago(days=4))
    (found,) = found_by("silent_tills")
    assert "12 ventes" in found
    assert "depuis 4 jours" in found
    # It has called since, or has reported since that it holds nothing.
    Device.objects.filter(pk=cast.device.pk).update(last_seen_at=ago(hours=1))
    assert found_by("silent_tills") == []
    Device.objects.filter(pk=cast.device.pk).update(last_seen_at=ago(days=4))
    Heartbeat.objects.create(**whose, held_count=0, at=ago(days=4))
    assert found_by("silent_tills") == []


def test_a_forgotten_pause_is_found_where_it_stops_something(cast: Cast) -> None:
    pause(shop=cast.shop, reason="inventaire")
    assert found_by("long_pauses") == []
    Pause.objects.update(since=ago(days=3))
    (found,) = found_by("long_pauses")
    assert "boutique BTQ-009 (inventaire)" in found
    assert len(found_by("long_pauses", Scope(terminal=cast.terminal))) == 1
    assert found_by("long_pauses", Scope(shop=cast.other_shop)) == []


def test_a_pause_of_a_shop_that_is_gone_is_removed(cast: Cast) -> None:
    Pause.objects.create(scope="shop:999999", shop_id=999_999, since=ago(hours=1))
    pause(shop=cast.shop)
    assert "shop:999999" in found_by("orphan_pauses")[0]
    with only_these_tables_change("sales_pause"):
        mend("orphan_pauses")
    assert list(Pause.objects.values_list("shop_id", flat=True)) == [cast.shop.pk]


def test_sales_that_nobody_records_are_found_and_recorded(cast: Cast) -> None:
    late = hand_over(cast.device, sale(cast.rice), sale(cast.oil))
    hand_over(cast.token_device, sale(cast.rice))
    assert found_by("waiting_batches") == []
    Batch.objects.filter(pk=late.pk).update(received_at=ago(hours=3))
    (found,) = found_by("waiting_batches")
    assert "2 ventes en attente dans 1 lot depuis 3 h" in found
    assert str(late.receipt) in found
    assert mend("waiting_batches").repaired_count == 1
    late.refresh_from_db()
    assert late.settled_at is not None
    assert SaleOutcome.objects.filter(batch=late, status=OutcomeStatus.CREATED).count() == 2
    # Another till's batch, which is not late, is left to the workers.
    assert Batch.objects.filter(settled_at=None).count() == 1


def test_a_pause_is_a_reason_to_wait(cast: Cast) -> None:
    late = hand_over(cast.device, sale(cast.rice))
    Batch.objects.filter(pk=late.pk).update(received_at=ago(hours=3))
    assert len(found_by("waiting_batches")) == 1
    pause(terminal=cast.terminal)
    assert found_by("waiting_batches") == []


def test_a_sale_that_kills_who_records_it_is_found(cast: Cast) -> None:
    batch = hand_over(cast.device, sale(cast.rice))
    lane = Lane.objects.filter(pk=cast.terminal.pk)
    lane.update(starts=STARTS_MAX - 1, starts_batch=batch.pk, starts_position=1, starts_at=ago(minutes=1))
    assert found_by("deadly_sales") == []
    lane.update(starts=STARTS_MAX)
    (found,) = found_by("deadly_sales")
    assert str(batch.receipt) in found
    # If posting has gone on since, the sale did not kill it.
    lane.update(starts_position=2)
    assert found_by("deadly_sales") == []


def test_a_document_that_waits_for_its_sale_for_a_week_is_found(cast: Cast) -> None:
    void = {"type": "annulation", "numero_facture": "ANN-1", "origine": {"numero_facture": "FAC-X"}}
    post(cast.device, {**void, "motif": "erreur"})
    assert SaleOutcome.objects.get().status == OutcomeStatus.DEFERRED
    assert found_by("long_deferred") == []
    SaleOutcome.objects.update(at=ago(days=8))
    assert "ANN-1 (attend FAC-X)" in found_by("long_deferred")[0]
    for scope in (Scope(shop=cast.shop), Scope(shop=cast.shop, terminal=cast.terminal)):
        assert len(found_by("long_deferred", scope)) == 1
    for scope in (Scope(shop=cast.other_shop), Scope(terminal=cast.token_device.terminal)):
        assert found_by("long_deferred", scope) == []


def test_looking_changes_nothing(cast: Cast) -> None:
    Batch.objects.filter(pk=hand_over(cast.device, sale(cast.rice)).pk).update(received_at=ago(hours=3))
    Pause.objects.create(scope="shop:999999", shop_id=999_999, since=ago(days=2))
    assert recorded(post(cast.token_device, sale(cast.oil)))
    with only_these_tables_change():
        assert {name for name in CHECKS if found_by(name)} == {"waiting_batches", "orphan_pauses", "long_pauses"}
