"""Every problem of the API: its status, code and headers, and the refused call that is recorded."""

import json
from typing import Any

import pytest
from django.http import HttpResponse

from backend.api import refused_calls
from backend.api.problems import PROBLEMS
from backend.shops.models import DeviceState, RefusedCall, TerminalState
from backend.testing import Cast, make_device, make_terminal
from tests.tills import BASE, FATES, RECEIPTS, STATE, SYNC, Till, line, sale

PATHS = (
    ("POST", SYNC),
    ("GET", RECEIPTS),
    ("GET", f"{RECEIPTS}/x"),
    ("GET", FATES),
    ("POST", FATES),
    ("GET", STATE),
    ("POST", BASE + "terminaux/jeton"),
)


def assert_problem(answer: HttpResponse, code: str, detail: str | None = None) -> dict[str, Any]:
    status, title, sentence = PROBLEMS[code]
    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert body == body | {
        "type": f"/docs/erreurs#{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail or sentence,
        "error": detail or sentence,
    }
    assert set(body) - {"limites"} == {"type", "title", "status", "detail", "code", "error"}
    assert ("limites" in body) == (code == "lot_trop_grand")
    if status in (429, 503):
        assert 1 <= int(answer["Retry-After"]) <= 60
    return body


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    ("serial", "refusal"),
    [
        (None, ("header_manquant", "Header X-Device-Serial requis")),
        ("  ", ("header_manquant", "Header X-Device-Serial requis")),
        ("inconnu", ("terminal_inconnu", "Terminal non trouvé")),
        ("x" * 65, ("terminal_inconnu", "Terminal non trouvé")),
        ("0A1BADAE951F8473", ("terminal_inconnu", "Terminal non trouvé")),
    ],
)
def test_an_unknown_device_is_refused_everywhere(
    till: Till, method: str, path: str, serial: str | None, refusal: tuple[str, str]
) -> None:
    answer = till.call(method, path, b"[]", X_Device_Serial=serial)
    assert_problem(answer, *refusal)
    assert till.batches() == 0


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_device_in_mode_token_is_refused_without_its_token(
    cast: Cast, token_till: Till, method: str, path: str
) -> None:
    missing = token_till.call(method, path, b"[]", Authorization=None)
    assert_problem(missing, "jeton_manquant")
    assert missing["WWW-Authenticate"] == 'Bearer realm="caisse"'
    for wrong in (f"Bearer {cast.token}x", "Bearer é"):
        refused = token_till.call(method, path, b"[]", Authorization=wrong)
        assert_problem(refused, "jeton_invalide")
        assert refused["WWW-Authenticate"] == 'Bearer realm="caisse"'
    for none in (f"Basic {cast.token}", "Bearer", cast.token):
        assert_problem(token_till.call(method, path, b"[]", Authorization=none), "jeton_manquant")
    assert token_till.batches() == 0


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_till_that_is_disabled_or_belongs_to_no_shop_is_refused(
    cast: Cast, till: Till, method: str, path: str
) -> None:
    homeless = Till(make_device(make_terminal(None)))
    assert_problem(homeless.call(method, path, b"[]"), "terminal_sans_boutique", "Terminal non associé à une boutique")
    cast.device.state = DeviceState.DISABLED
    cast.device.save(update_fields=["state"])
    assert_problem(till.call(method, path, b"[]"), "terminal_desactive")
    cast.terminal.state = TerminalState.DISABLED
    cast.terminal.save(update_fields=["state"])
    second = Till(make_device(cast.terminal))
    assert_problem(second.call(method, path, b"[]"), "terminal_desactive")


def test_a_replaced_device_is_still_accepted(cast: Cast, till: Till) -> None:
    cast.device.state = DeviceState.REPLACED
    cast.device.save(update_fields=["state"])
    assert till.send_sales(sale("A", line(cast.rice))).status_code == 202


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_answers_are_only_json(till: Till, method: str, path: str) -> None:
    assert_problem(till.call(method, path, b"[]", Accept="text/html"), "format_non_disponible")
    for accepted in ("*/*", "application/*;q=0.5", "text/html, application/json"):
        assert till.call(method, path, b"[]", Accept=accepted).status_code != 406


@pytest.mark.parametrize("path", [SYNC, RECEIPTS, f"{RECEIPTS}/x", FATES, STATE])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_a_wrong_method_is_refused_with_the_allowed_ones(till: Till, method: str, path: str) -> None:
    answer = till.call(method, path)
    assert_problem(answer, "methode_non_permise")
    both = {"GET", "POST"}
    expected = {SYNC: {"POST"}, FATES: both, STATE: both}.get(path, {"GET"})
    assert {one.strip() for one in answer["Allow"].split(",")} - {"HEAD", "OPTIONS"} == expected


@pytest.mark.parametrize("path", [BASE, BASE + "ventes", SYNC + "/", "/api/v2/", "/api/v2/x%0Ay", RECEIPTS + "/a/b"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_refused_with_a_problem(till: Till, method: str, path: str) -> None:
    assert_problem(till.call(method, path), "introuvable")


@pytest.mark.parametrize("path", ["/api/v2/schema/", "/api/v2/docs/"])
def test_the_description_refuses_with_a_problem(till: Till, path: str) -> None:
    answer = till.call("POST", path)
    assert_problem(answer, "methode_non_permise")
    assert_problem(till.get(path, Accept="image/png"), "format_non_disponible")


@pytest.mark.parametrize("path", [SYNC, FATES])
def test_a_body_of_another_type_or_encoding_is_refused(till: Till, path: str) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert_problem(till.call("POST", path, b"[]", content_type=content_type), "type_non_supporte")
    for encoding in ("br", "deflate", "gzip, gzip"):
        assert_problem(till.call("POST", path, b"[]", Content_Encoding=encoding), "type_non_supporte")
    assert till.batches() == 0


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", ""])
def test_a_json_body_may_write_its_type_in_several_ways(cast: Cast, till: Till, content_type: str) -> None:
    body = json.dumps([sale("A", line(cast.rice))]).encode()
    assert till.call("POST", SYNC, body, content_type=content_type).status_code == 202


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        (f"{RECEIPTS}?ouverts=oui", "ouverts : 0 ou 1 est attendu"),
        (f"{RECEIPTS}?curseur=0", "curseur : un nombre entier à partir de 1 est attendu"),
        (f"{RECEIPTS}?curseur=9223372036854775808", "curseur : un nombre entier à partir de 1 est attendu"),
        (f"{RECEIPTS}?curseur=%D9%A1", "curseur : un nombre entier à partir de 1 est attendu"),
        (f"{RECEIPTS}/x?depuis=-1", "depuis : un nombre entier à partir de 0 est attendu"),
        (f"{RECEIPTS}/x?lignes=2", "lignes : 0 ou 1 est attendu"),
        (FATES, "De 1 à 50 numéros de facture sont attendus"),
        (f"{FATES}?" + "&".join(["numero_facture=A"] * 51), "De 1 à 50 numéros de facture sont attendus"),
        (f"{FATES}?" + "&".join(["a"] * 1001), None),
    ],
)
def test_a_wrong_parameter_is_refused(till: Till, path: str, detail: str | None) -> None:
    assert_problem(till.get(path), "parametre_invalide", detail)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_invalide"),
        (b"{", "json_invalide"),
        (b'{"numeros": ["\xff"]}', "json_invalide"),
        (b'{"numeros": ["\\ud800"]}', "json_invalide"),
        (b"[" * 100_000, "parametre_invalide"),
        (b'{"x": ' + b"[" * 100_000, "json_invalide"),
        (b'{"numeros": [' + b"[" * 5000 + b"]" * 5000 + b"]}", None),
        (b"[]", "parametre_invalide"),
        (b"{}", "parametre_invalide"),
        (b'{"numeros": [1]}', "parametre_invalide"),
        (b'{"numeros": []}', "parametre_invalide"),
        (json.dumps({"numeros": ["A"] * 1001}).encode(), "parametre_invalide"),
    ],
)
def test_an_unreadable_status_lookup_is_refused(till: Till, body: bytes, code: str | None) -> None:
    answer = till.call("POST", FATES, body)
    assert answer.status_code == 400
    assert_problem(answer, answer.json()["code"], answer.json()["detail"])
    assert code is None or answer.json()["code"] == code


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "clé", "a\tb"])
def test_an_impossible_idempotency_key_is_refused(cast: Cast, till: Till, key: str) -> None:
    assert_problem(
        till.send_sales(sale("A", line(cast.rice)), Idempotency_Key=key),
        "parametre_invalide",
        "Idempotency-Key : 1 à 200 caractères ASCII visibles",
    )
    assert till.batches() == 0


@pytest.mark.parametrize("name", ["inconnu", "00000000-0000-4000-8000-000000000000", "é", "%00", "{x}"])
def test_a_receipt_that_does_not_exist_is_unknown(till: Till, name: str) -> None:
    assert_problem(till.get(f"{RECEIPTS}/{name}"), "recu_inconnu", "Ce reçu n'existe pas pour cette caisse")


def test_a_till_that_calls_too_often_is_asked_to_slow_down(till: Till, token_till: Till, settings: Any) -> None:
    settings.DEVICE_REQUESTS_PER_MINUTE = 3
    answers = [till.get(STATE) for _ in range(4)]
    # A minute may have begun meanwhile: then the fourth is the first of the next.
    if answers[-1].status_code == 200:
        answers += [till.get(STATE) for _ in range(3)]
    assert_problem(answers[-1], "trop_de_requetes")
    assert token_till.get(STATE).status_code == 200


def test_a_refused_call_is_kept_and_counted(cast: Cast, till: Till) -> None:
    for _ in range(3):
        till.send(b"{}", X_App_Version="3.2.1")
    till.send(b"[]")
    till.get(f"{RECEIPTS}/00000000-0000-4000-8000-000000000000")
    till.get(f"{RECEIPTS}/00000000-0000-4000-8000-000000000001")
    till.call("BREW", STATE)
    till.call("STIR", STATE)

    kept = RefusedCall.objects.order_by("pk").values_list("serial", "call", "code", "status", "count")
    assert list(kept) == [
        (cast.device.serial, "POST ventes/sync", "tableau_attendu", 400, 3),
        (cast.device.serial, "POST ventes/sync", "lot_vide", 400, 1),
        (cast.device.serial, "GET ventes/recus/<str:recu>", "recu_inconnu", 404, 2),
        (cast.device.serial, "? etat", "methode_non_permise", 405, 2),
    ]
    first = RefusedCall.objects.earliest("pk")
    assert (first.app_version, first.ip) == ("3.2.1", "127.0.0.1")
    assert first.detail == "Format invalide: un tableau de ventes est attendu"


def test_invented_serials_do_not_fill_the_disk(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_calls, "REFUSED_CALLS_MAX", 3)
    for number in range(10):
        till.get(STATE, X_Device_Serial=f"inventé-{number}")
    assert RefusedCall.objects.count() <= 4
    till.send(b"{}")
    assert RefusedCall.objects.filter(serial=till.device.serial).exists()


def test_an_accepted_call_leaves_no_refused_call(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice, quantity=1000)))
    assert not RefusedCall.objects.exists()
