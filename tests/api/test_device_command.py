"""`manage.py device` and `enrol`: a registered device can call; a refusal is explained and changes nothing."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backend.sales.repair.back_office import office_device
from backend.shops.models import Device, DeviceState, EnrolmentCode, Terminal
from backend.testing import Cast, make_device, make_terminal
from tests.enrolment import enrolled
from tests.tills import STATE, Till

pytestmark = pytest.mark.embedded


def run(*arguments: str, command: str = "device") -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def make_code(*arguments: str) -> str:
    """Return the code that `manage.py enrol` prints."""
    output = run("--shop", "BTQ-009", *arguments, command="enrol")
    return re.search(r"^Code, shown once: (.+)$", output, re.MULTILINE)[1]


def test_a_registered_device_calls_with_the_token_that_was_shown(cast: Cast) -> None:
    where = ("--shop", "BTQ-009", "--till", "Caisse neuve")
    token = run("serie-neuve", *where, "--token").rpartition(" ")[2].strip()
    # A repeat registers nothing more.
    run("serie-neuve", *where, "--answer-mode", "complete")
    device = Device.objects.get(serial="serie-neuve")
    answer = Till(device, token=token).get(STATE).json()
    assert (answer["terminal"]["nom"], answer["mode_reponse"]) == ("Caisse neuve", "complete")
    assert Till(device).get(STATE).status_code == 401
    run("serie-neuve", "--state", "disabled")
    assert Till(device, token=token).get(STATE).status_code == 403


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("inconnue",), "name --shop and --till"),
        (("serie", "--shop", "BTQ-000", "--till", "A"), "No shop"),
        (("x" * 65, "--shop", "BTQ-009", "--till", "A"), "64"),
        ((" serie", "--shop", "BTQ-009", "--till", "A"), "sans espace autour"),
        (("", "--shop", "BTQ-009", "--till", "A"), "de 1 à 64"),
        (("bureau-9", "--shop", "BTQ-009", "--till", "A"), "réservé au bureau"),
        (("serie", "--shop", "BTQ-009", "--till", "x" * 121), "120"),
        (("serie", "--shop", "BTQ-009", "--till", "Double"), "more than one till"),
        (("0a1badae951f8473", "--shop", "BTQ-777", "--till", "Terminal MAUI"), "registered already"),
        (("0a1badae951f8473", "--till", "Une autre"), "registered already"),
        (("serie", "--shop", "BTQ-009", "--till", "Terminal MAUI"), "0a1badae951f8473 tient déjà cette caisse"),
        (("0a1badae951f8473", "--till", "Une autre", "--move"), "name --shop and --till"),
        (("0a1badae951f8473", "--shop", "BTQ-000", "--till", "A", "--move"), "No shop"),
        (("0a1badae951f8473", "--shop", "BTQ-009", "--till", "Double", "--move"), "more than one till"),
    ],
)
def test_a_refused_registration_is_explained_and_leaves_no_till_behind(
    cast: Cast, arguments: tuple[str, ...], message: str
) -> None:
    make_terminal(cast.shop, name="Double")
    make_terminal(cast.shop, name="Double")
    before = (Device.objects.count(), Terminal.objects.count())
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert (Device.objects.count(), Terminal.objects.count()) == before
    assert Device.objects.get(serial="0a1badae951f8473").terminal == cast.terminal


def test_a_device_is_moved_to_a_till_of_another_shop_and_keeps_its_token(cast: Cast) -> None:
    serial = cast.token_device.serial
    output = run(serial, "--shop", "BTQ-777", "--till", "Caisse neuve", "--move")
    assert "What it has not sent yet will count for the till it holds now." in output
    state = Till(cast.token_device, token=cast.token).get(STATE).json()
    assert (state["terminal"]["nom"], state["boutique"]["code"]) == ("Caisse neuve", "BTQ-777")


def test_a_till_without_a_shop_gets_one(cast: Cast) -> None:
    device = make_device(make_terminal(None, name="Sans toit"))
    assert Till(device).get(STATE).status_code == 400
    run(device.serial, "--shop", "BTQ-009")
    assert Till(device).get(STATE).json()["boutique"]["code"] == "BTQ-009"


def test_a_till_is_disabled_with_all_its_devices_and_enabled_again(cast: Cast, till: Till) -> None:
    for state, status in (("disabled", 403), ("active", 200)):
        run(till.device.serial, "--till-state", state)
        assert till.get(STATE).status_code == status
    for state, status in (("disabled", 403), ("active", 200)):
        run(till.device.serial, "--state", state)
        assert till.get(STATE).status_code == status


def test_the_shops_office_cannot_be_changed(cast: Cast) -> None:
    device = office_device(cast.shop)
    for arguments in (["--token"], ["--state", "disabled"], ["--shop", "BTQ-009", "--till", "A", "--move"]):
        with pytest.raises(CommandError, match="bureau"):
            run(device.serial, *arguments)
    with pytest.raises(CommandError, match="bureau"):
        run("serie", "--shop", "BTQ-009", "--till", device.terminal.name)
    with pytest.raises(CommandError, match="bureau"):
        make_code("--till", device.terminal.name)
    with pytest.raises(CommandError):
        make_code("--till", device.terminal.name, "--replaces", device.serial)
    assert Device.objects.filter(terminal=device.terminal).count() == 1


def test_a_code_is_printed_with_its_lifetime_and_a_qr_code(cast: Cast) -> None:
    output = run(
        "--shop", "BTQ-009", "--till", "Caisse neuve", "--minutes", "10", "--server", "https://caisse.example/",
        command="enrol",
    )  # fmt: skip
    code = re.search(r"^Code, shown once: (\w{4}) (\w{4})$", output, re.MULTILINE)
    assert f"https://caisse.example/#{code[1]}{code[2]}\n" in output
    life = EnrolmentCode.objects.get().expires_at - datetime.now(UTC)
    assert timedelta(minutes=9) < life <= timedelta(minutes=10)
    assert f"{EnrolmentCode.objects.get().expires_at:%Y-%m-%d %H:%M} UTC" in output
    assert output.count("█") > 200
    assert enrolled(f"{code[1]} {code[2]}", "serie-neuve").get(STATE).json()["terminal"]["nom"] == "Caisse neuve"


def test_a_code_lets_a_new_device_take_over_from_an_old_one(cast: Cast) -> None:
    till = enrolled(make_code("--till", "Terminal MAUI", "--replaces", cast.device.serial), "serie-neuve")
    assert till.get(STATE).json()["terminal"]["id"] == cast.terminal.pk
    assert Device.objects.get(pk=cast.device.pk).state == DeviceState.REPLACED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shop", "BTQ-000", "--till", "A"), "No shop"),
        (("--shop", "BTQ-009", "--till", "Double"), "more than one till"),
        (("--shop", "BTQ-009", "--till", "x" * 121), "120"),
        (("--shop", "BTQ-009", "--till", ""), "vide"),
        (("--shop", "BTQ-009", "--till", "A", "--minutes", "0"), "between 1 and 10080"),
        (("--shop", "BTQ-009", "--till", "A", "--minutes", "10081"), "between 1 and 10080"),
        (("--shop", "BTQ-009", "--till", "A", "--replaces", "0a1badae951f8473"), "no till called A"),
        (("--shop", "BTQ-009", "--till", "Terminal MAUI"), "0a1badae951f8473 tient déjà cette caisse"),
        (("--shop", "BTQ-009", "--till", "Terminal MAUI", "--replaces", "inconnu"), "No device"),
        (("--shop", "BTQ-009", "--till", "Caisse 2", "--replaces", "0a1badae951f8473"), "pas de cette caisse"),
    ],
)
def test_a_refused_code_is_explained_and_leaves_no_till_behind(
    cast: Cast, arguments: tuple[str, ...], message: str
) -> None:
    make_terminal(cast.shop, name="Double")
    make_terminal(cast.shop, name="Double")
    make_terminal(cast.shop, name="Caisse 2")
    before = Terminal.objects.count()
    with pytest.raises(CommandError, match=message):
        run(*arguments, command="enrol")
    assert (Terminal.objects.count(), EnrolmentCode.objects.count()) == (before, 0)


def test_a_code_is_not_made_with_a_secret_key_that_the_server_does_not_have(cast: Cast, settings: Any) -> None:
    settings.SECRET_KEY_IS_KEPT = False
    with pytest.raises(CommandError, match="SECRET_KEY"):
        make_code("--till", "Caisse neuve")
