"""The contract's answers about enrolment and token renewal, compared key by key with real ones."""

import json

import pytest

from backend.shops.models import Device
from backend.testing import Cast
from tests.enrolment import TOKEN, code_for, enrol
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded


def test_an_enrolment_returns_what_a_new_device_must_know(cast: Cast, till: Till) -> None:
    till.settle(sale("FAC-20241104-012", line(cast.rice), sequence=1857))
    code = code_for(cast.terminal, replaces=cast.device)

    answer = enrol(code, "serie-neuve", version="3.2.1", modele="Sunmi V2")

    body = answer.json()
    assert answer.status_code == 201
    assert body == {
        "jeton": body["jeton"],
        "terminal": {"id": cast.terminal.pk, "nom": "Terminal MAUI", "numero_serie": "serie-neuve"},
        "boutique": {"id": cast.shop.pk, "nom": "Ma Boutique", "code": "BTQ-009"},
        "sequence": 1857,
        "dernier_numero": "FAC-20241104-012",
        "mode_reponse": "recu",
    }
    assert list(body) == ["jeton", "terminal", "boutique", "sequence", "dernier_numero", "mode_reponse"]
    device = Device.objects.get(serial="serie-neuve")
    assert (device.app_version, device.model) == ("3.2.1", "Sunmi V2")


def test_a_till_that_never_sold_has_no_resume_point(cast: Cast, complete_till: Till) -> None:
    device = complete_till.device
    body = enrol(code_for(device.terminal, replaces=device), device.serial).json()
    assert (body["sequence"], body["dernier_numero"], body["mode_reponse"]) == (None, None, "complete")


def test_a_renewal_returns_only_the_token(token_till: Till) -> None:
    answer = token_till.call("POST", TOKEN)
    assert answer.status_code == 201
    assert list(answer.json()) == ["jeton"]
    # A body is not needed, and ignored.
    assert token_till.call("POST", TOKEN, json.dumps({}).encode()).status_code == 201
