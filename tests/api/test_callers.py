"""Authentication of devices: serials, tokens, and the change from an old token to a new one."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.shops.devices import hash_token, issue_token
from backend.shops.models import Device
from backend.testing import Cast
from tests.api.test_problems import assert_problem
from tests.tills import STATE, Till

pytestmark = pytest.mark.embedded


def calls_with(device: Device, token: str) -> int:
    return Till(device, token=token).get(STATE).status_code


def test_a_token_proves_the_device(cast: Cast) -> None:
    assert calls_with(cast.token_device, cast.token) == 200
    assert Till(cast.token_device).get(STATE, Authorization=f"bearer  {cast.token} ").status_code == 200
    assert calls_with(cast.token_device, "faux") == 401


def test_a_token_is_refused_with_another_serial(cast: Cast) -> None:
    other = Device.objects.create(serial="autre", terminal=cast.terminal)
    issue_token(other)
    assert_problem(Till(other, token=cast.token).get(STATE), "jeton_invalide")


def test_only_the_hash_of_a_token_is_kept(cast: Cast) -> None:
    cast.token_device.refresh_from_db()
    assert cast.token_device.token_hash == hash_token(cast.token)
    assert cast.token not in cast.token_device.token_hash


def test_the_old_token_ends_with_the_first_use_of_the_new_one(cast: Cast) -> None:
    device = cast.token_device
    new = issue_token(device)
    assert [calls_with(device, cast.token), calls_with(device, cast.token)] == [200, 200]
    assert [calls_with(device, new), calls_with(device, cast.token), calls_with(device, new)] == [200, 401, 200]


def test_a_token_issued_again_before_its_first_use_takes_the_place_of_the_lost_one(cast: Cast) -> None:
    device = cast.token_device
    lost, new = issue_token(device), issue_token(device)
    assert [calls_with(device, lost), calls_with(device, cast.token), calls_with(device, new)] == [401, 200, 200]


def test_a_device_in_mode_serial_needs_no_token_but_a_wrong_one_is_wrong(cast: Cast) -> None:
    assert calls_with(cast.device, "") == 200
    assert calls_with(cast.device, "quelconque") == 200, "it has none that could be wrong"
    token = issue_token(cast.device)
    assert [calls_with(cast.device, ""), calls_with(cast.device, token)] == [200, 200]
    assert_problem(Till(cast.device, token="faux").get(STATE), "jeton_invalide")


def test_a_device_in_mode_token_without_a_token_is_refused(cast: Cast) -> None:
    bare = Device.objects.create(serial="nu", terminal=cast.terminal)
    assert_problem(Till(bare).get(STATE), "jeton_manquant")
    assert_problem(Till(bare, token="x").get(STATE), "jeton_invalide")


def test_a_device_is_noted_as_seen_once_a_minute(cast: Cast, till: Till) -> None:
    till.get(STATE, X_App_Version="3.2.1")
    device = Device.objects.get(pk=cast.device.pk)
    assert (device.app_version, device.last_ip) == ("3.2.1", "127.0.0.1")
    till.get(STATE, X_App_Version="3.2.1")
    assert Device.objects.get(pk=cast.device.pk).last_seen_at == device.last_seen_at
    till.get(STATE, X_App_Version="3.2.2")
    assert Device.objects.get(pk=cast.device.pk).app_version == "3.2.2"
    earlier = datetime.now(UTC) - timedelta(minutes=2)
    Device.objects.filter(pk=cast.device.pk).update(last_seen_at=earlier)
    till.get(STATE)
    seen = Device.objects.get(pk=cast.device.pk)
    assert seen.last_seen_at > earlier
    assert seen.app_version == "3.2.2", "a call that says no version takes none away"


def test_a_refused_call_does_not_count_as_seen(cast: Cast, token_till: Till) -> None:
    token_till.get(STATE, Authorization=None)
    assert Device.objects.get(pk=cast.token_device.pk).last_seen_at is None


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "n'importe quoi", None),
    ],
)
def test_the_address_is_the_one_that_our_own_proxies_report(
    till: Till, settings: object, proxies: int, forwarded: str, address: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    till.get(STATE, X_Forwarded_For=forwarded)
    assert Device.objects.get(pk=till.device.pk).last_ip == address
