"""`manage.py device`: what it registers can call, and what it cannot do it says, leaving nothing behind."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backend.shops.models import Device, Terminal
from backend.testing import Cast, make_terminal
from tests.tills import STATE, Till

pytestmark = pytest.mark.embedded


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("device", *arguments, stdout=out)
    return out.getvalue()


def test_a_registered_device_calls_with_the_token_that_was_shown(cast: Cast) -> None:
    where = ("--shop", "BTQ-009", "--till", "Caisse neuve")
    token = run("serie-neuve", *where, "--token").rpartition(" ")[2].strip()
    # Said again it registers nothing more.
    run("serie-neuve", *where, "--answer-mode", "complete")
    device = Device.objects.get(serial="serie-neuve")
    answer = Till(device, token=token).get(STATE).json()
    assert (answer["terminal"]["nom"], answer["mode_reponse"]) == ("Caisse neuve", "complete")
    assert Till(device).get(STATE).status_code == 401
    run("serie-neuve", "--state", "disabled")
    assert Till(device, token=token).get(STATE).status_code == 403


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("inconnue",), "name --shop and --till"),
        (("serie", "--shop", "BTQ-000", "--till", "A"), "No shop"),
        (("x" * 65, "--shop", "BTQ-009", "--till", "A"), "64"),
        ((" serie", "--shop", "BTQ-009", "--till", "A"), "spaces around"),
        (("", "--shop", "BTQ-009", "--till", "A"), "vide"),
        (("serie", "--shop", "BTQ-009", "--till", "x" * 121), "120"),
        (("serie", "--shop", "BTQ-009", "--till", "Double"), "more than one till"),
        (("0a1badae951f8473", "--shop", "BTQ-777", "--till", "Terminal MAUI"), "registered already"),
        (("0a1badae951f8473", "--till", "Une autre"), "registered already"),
    ],
)
def test_what_cannot_be_registered_is_said_and_leaves_no_till_behind(
    cast: Cast, arguments: tuple[str, ...], said: str
) -> None:
    make_terminal(cast.shop, name="Double")
    make_terminal(cast.shop, name="Double")
    before = (Device.objects.count(), Terminal.objects.count())
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert (Device.objects.count(), Terminal.objects.count()) == before
