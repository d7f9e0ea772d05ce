"""Enrolment by a one-time code: which devices are enrolled, which are refused and why, and what is stored."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from backend.sales.models import Heartbeat
from backend.shops import enrolment
from backend.shops.devices import disable_device, enable_device, hash_token, move_device
from backend.shops.models import AuthMode, Device, DeviceState, EnrolmentCode, EnrolmentGuess, RefusedCall
from backend.shops.terminals import assign_shop, disable_till, enable_till
from backend.testing import Cast, make_shop, make_terminal
from tests.api.test_problems import assert_problem
from tests.enrolment import ENROLMENT, code_for, enrol, enrol_in_thread, enrol_raw, enrolled
from tests.tills import STATE, Till, line, sale

UNKNOWN = "ZZZZ-ZZZZ"
embedded = pytest.mark.embedded


@embedded
def test_a_new_tills_first_device_enrols_with_its_code(cast: Cast) -> None:
    terminal = make_terminal(cast.shop, name="Caisse neuve")
    till = enrolled(code_for(terminal), "serie-neuve")
    assert till.get(STATE).json()["terminal"]["nom"] == "Caisse neuve"
    assert_problem(till.get(STATE, Authorization=None), "jeton_manquant")
    device = Device.objects.get(serial="serie-neuve")
    assert (device.terminal, device.state, device.auth_mode) == (terminal, DeviceState.ACTIVE, AuthMode.TOKEN)


@embedded
@pytest.mark.parametrize("written", ["{}", "{} ", "  {lower}\n", "{a}-{b}", "{a} {b}", "{a}\u00a0{b}", "{a}.{b}"])
def test_a_code_may_be_typed_in_any_case_and_with_spaces(cast: Cast, written: str) -> None:
    code = code_for(make_terminal(cast.shop))
    typed = written.format(code, lower=code.lower(), a=code[:4], b=code[4:])
    assert enrol(typed, "serie-neuve").status_code == 201


@embedded
def test_letters_that_look_alike_are_read_as_those_of_a_code(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter("01VK01VK")
    monkeypatch.setattr(enrolment.secrets, "choice", lambda alphabet: next(drawn))
    assert code_for(make_terminal(cast.shop)) == "01VK01VK"
    assert enrol("oiuk olvk", "serie-neuve").status_code == 201


@embedded
def test_what_a_device_says_of_itself_is_kept(cast: Cast) -> None:
    code = code_for(make_terminal(cast.shop))
    enrol(code, "  serie-neuve ", version="3.2.1" + "x" * 40, modele="Sunmi V2")
    device = Device.objects.get(serial="serie-neuve")
    assert (device.app_version, device.model) == ("3.2.1" + "x" * 27, "Sunmi V2")
    # A repeat without them, or with unprintable ones, changes nothing.
    for fields in ({}, {"version": None, "modele": None}, {"version": "\u0007", "modele": "a\nb"}):
        assert enrol(code, "serie-neuve", **fields).status_code == 201
    device.refresh_from_db()
    assert (device.app_version, device.model) == ("3.2.1" + "x" * 27, "Sunmi V2")


@embedded
def test_a_repeat_after_a_lost_answer_returns_a_new_token_and_voids_the_lost_one(cast: Cast) -> None:
    code = code_for(make_terminal(cast.shop))
    lost, till = enrolled(code, "serie-neuve"), enrolled(code, "serie-neuve")
    assert_problem(lost.get(STATE), "jeton_invalide")
    assert till.get(STATE).status_code == 200
    # A token in use is valid until the first use of the next one.
    again = enrolled(code, "serie-neuve")
    assert [one.get(STATE).status_code for one in (till, again, till, again)] == [200, 200, 401, 200]
    assert Device.objects.filter(serial="serie-neuve").count() == 1


@embedded
def test_a_code_enrols_one_device(cast: Cast) -> None:
    code = code_for(make_terminal(cast.shop))
    assert enrol(code, "serie-neuve").status_code == 201
    assert_problem(enrol(code, "une-autre"), "code_expire")
    assert not Device.objects.filter(serial="une-autre").exists()


@embedded
def test_a_code_that_was_never_made_is_unknown(cast: Cast) -> None:
    code_for(make_terminal(cast.shop))
    for typed in (UNKNOWN, "", "K7Q4", "K7Q49XTD9", "é" * 8, "@" * 8, "٣" * 8):
        assert_problem(enrol(typed, "serie-neuve"), "code_inconnu")
    assert not Device.objects.filter(serial="serie-neuve").exists()


@embedded
def test_a_code_expires_also_for_the_device_that_used_it(cast: Cast) -> None:
    code = code_for(make_terminal(cast.shop), life=timedelta(minutes=10))
    assert enrol(code, "serie-neuve").status_code == 201
    EnrolmentCode.objects.update(expires_at=datetime.now(UTC))
    assert_problem(enrol(code, "serie-neuve"), "code_expire")
    fresh = code_for(make_terminal(cast.shop))
    EnrolmentCode.objects.filter(used_at=None).update(expires_at=datetime.now(UTC))
    assert_problem(enrol(fresh, "une-autre"), "code_expire")


@embedded
def test_only_a_tills_newest_code_is_valid(cast: Cast) -> None:
    terminal = make_terminal(cast.shop)
    older, newer = code_for(terminal), code_for(terminal)
    assert_problem(enrol(older, "serie-neuve"), "code_expire")
    assert enrol(newer, "serie-neuve").status_code == 201


@embedded
def test_a_serial_of_another_till_is_refused_and_the_code_stays_good(cast: Cast) -> None:
    code = code_for(make_terminal(cast.shop))
    for other in (cast.device, cast.other_device):
        assert_problem(enrol(code, other.serial), "serie_deja_prise")
    assert enrol(code, "serie-neuve").status_code == 201
    assert Device.objects.get(serial=cast.device.serial).terminal == cast.terminal


@embedded
def test_a_till_needs_a_shop_before_it_takes_a_device(cast: Cast) -> None:
    terminal = make_terminal(None)
    code = code_for(terminal)
    assert_problem(enrol(code, "serie-neuve"), "terminal_sans_boutique")
    assign_shop(terminal, shop=cast.shop)
    assert enrol(code, "serie-neuve").json()["boutique"]["code"] == "BTQ-009"


@embedded
def test_a_disabled_till_takes_no_device(cast: Cast) -> None:
    terminal = make_terminal(cast.shop)
    code = code_for(terminal)
    disable_till(terminal)
    assert_problem(enrol(code, "serie-neuve"), "terminal_desactive")
    enable_till(terminal)
    assert enrol(code, "serie-neuve").status_code == 201


@embedded
def test_a_code_does_not_enable_a_disabled_device(cast: Cast) -> None:
    disable_device(cast.device)
    code = code_for(cast.terminal)
    assert_problem(enrol(code, cast.device.serial), "terminal_desactive")
    enable_device(cast.device)
    assert enrol(code, cast.device.serial).status_code == 201


@embedded
@pytest.mark.parametrize("serial", ["", "   ", "x" * 65, "a\u0000b", "a\nb", "bureau-9"])
def test_an_impossible_serial_is_refused(cast: Cast, serial: str) -> None:
    code = code_for(make_terminal(cast.shop))
    answer = enrol(code, serial)
    assert_problem(answer, "parametre_invalide", answer.json()["detail"])
    assert answer.json()["detail"].startswith("numero_serie : ")
    for good in ("x" * 64, "É 'série' n° 7"):
        EnrolmentCode.objects.update(used_at=None)
        Device.objects.filter(terminal__enrolment_codes__isnull=False).delete()
        assert enrol(code, good).status_code == 201


@embedded
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_invalide"),
        (b"{", "json_invalide"),
        (b'{"code": "\xff"}', "json_invalide"),
        (b"[]", "parametre_invalide"),
        (b"{}", "parametre_invalide"),
        (b'{"code": "K7Q49XTD"}', "parametre_invalide"),
        (b'{"code": 12345678, "numero_serie": "a"}', "parametre_invalide"),
        (b'{"code": null, "numero_serie": "a"}', "parametre_invalide"),
        (b'{"code": "K7Q49XTD", "numero_serie": "a", "version": 3}', "parametre_invalide"),
        (b'{"code": "' + b"9" * 5_300_000 + b'"}', "lot_trop_grand"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(cast: Cast, body: bytes, code: str) -> None:
    answer = enrol_raw(body)
    assert_problem(answer, code, answer.json()["detail"])
    assert not EnrolmentGuess.objects.exists()


@embedded
def test_a_body_may_be_compressed_and_have_unknown_fields(cast: Cast) -> None:
    body = {"code": code_for(make_terminal(cast.shop)), "numero_serie": "serie-neuve", "langue": "fr"}
    answer = enrol_raw(gzip.compress(json.dumps(body).encode()), Content_Encoding="gzip")
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert_problem(enrol_raw(b"no gzip", Content_Encoding="gzip"), "gzip_invalide")
    assert_problem(enrol_raw(b"{}", Content_Encoding="br"), "type_non_supporte")
    assert_problem(enrol_raw(b"{}", Accept="text/html"), "format_non_disponible")


@embedded
def test_enrolment_takes_only_a_post(till: Till) -> None:
    assert_problem(till.get(ENROLMENT), "methode_non_permise")


@embedded
def test_a_refused_call_is_kept_under_the_serial_in_the_body(cast: Cast) -> None:
    code = code_for(make_terminal(cast.shop))
    enrol(UNKNOWN, "serie-neuve")
    enrol(UNKNOWN, "serie-neuve")
    body = json.dumps({"code": code, "numero_serie": cast.device.serial}).encode()
    enrol_raw(body, X_Device_Serial="un-tout-autre")
    enrol(code, "serie-neuve")
    kept = RefusedCall.objects.order_by("pk").values_list("serial", "call", "code", "status", "count")
    assert list(kept) == [
        ("serie-neuve", "POST terminaux/enrolement", "code_inconnu", 404, 2),
        (cast.device.serial, "POST terminaux/enrolement", "serie_deja_prise", 409, 1),
    ]


@embedded
def test_an_address_that_tries_many_wrong_codes_is_refused_for_a_while(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "GUESSES_OF_ONE_SOURCE_MAX", 3)
    code = code_for(make_terminal(cast.shop))
    for _ in range(3):
        assert_problem(enrol(UNKNOWN, "serie-neuve"), "code_inconnu")
    # Counted in the database, not in a process's memory.
    cache.clear()
    refused = enrol(code, "serie-neuve")
    assert_problem(refused, "trop_de_requetes", "Trop de codes d'inscription erronés ; réessayez plus tard")
    assert enrol(code, "serie-neuve", address="203.0.113.9").status_code == 201
    EnrolmentGuess.objects.update(at=datetime.now(UTC) - timedelta(minutes=61))
    assert enrol(code, "serie-neuve").status_code == 201


@embedded
def test_one_customers_ipv6_addresses_count_as_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "GUESSES_OF_ONE_SOURCE_MAX", 3)
    for number in range(3):
        assert enrol(UNKNOWN, "serie-neuve", address=f"2001:db8:1:2:{number}::7").status_code == 404
    assert enrol(UNKNOWN, "serie-neuve", address="2001:db8:1:2:9::7").status_code == 429
    assert enrol(UNKNOWN, "serie-neuve", address="2001:db8:1:3::7").status_code == 404
    for address in ("::ffff:203.0.113.9", "203.0.113.9"):
        enrol(UNKNOWN, "serie-neuve", address=address)
    assert EnrolmentGuess.objects.filter(source="203.0.113.9").count() == 2


@embedded
def test_wrong_codes_from_all_addresses_are_limited_together(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "GUESSES_MAX", 5)
    code = code_for(make_terminal(cast.shop))
    for number in range(5):
        assert enrol(UNKNOWN, "serie-neuve", address=f"203.0.113.{number}").status_code == 404
    assert enrol(code, "serie-neuve", address="203.0.113.200").status_code == 429
    EnrolmentGuess.objects.update(at=datetime.now(UTC) - timedelta(minutes=61))
    assert enrol(UNKNOWN, "serie-neuve", address="203.0.113.201").status_code == 404
    assert EnrolmentGuess.objects.count() == 1, "those of an hour ago are forgotten"


@embedded
def test_a_text_that_is_no_code_is_no_guess(cast: Cast) -> None:
    for typed in ("K7Q4", "", "K7Q49XTD9"):
        enrol(typed, "serie-neuve")
    assert not EnrolmentGuess.objects.exists()


@embedded
def test_an_address_that_calls_too_often_is_asked_to_slow_down(cast: Cast, settings: Any) -> None:
    settings.ENROLMENTS_PER_MINUTE = 3
    answers = [enrol("K7Q4", "serie-neuve") for _ in range(4)]
    # A minute may have begun meanwhile: then the fourth is the first of the next.
    if answers[-1].status_code != 429:
        answers += [enrol("K7Q4", "serie-neuve") for _ in range(3)]
    assert_problem(answers[-1], "trop_de_requetes")
    assert enrol("K7Q4", "serie-neuve", address="203.0.113.9").status_code == 404


@embedded
def test_no_code_and_no_token_is_kept_or_logged(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    code = code_for(make_terminal(cast.shop))
    enrol(code, cast.device.serial)
    first = enrol(code, "serie-neuve").json()["jeton"]
    till = enrolled(code, "serie-neuve")
    token = till.headers["Authorization"].removeprefix("Bearer ")
    till.get(STATE)
    till.get(STATE, Authorization=f"Bearer {token}x")
    logged = caplog.text
    assert "device_enrolled" in logged
    device = Device.objects.get(serial="serie-neuve")
    kept = [*EnrolmentCode.objects.values_list("code_hash", flat=True), device.token_hash, device.next_token_hash]
    kept += RefusedCall.objects.values_list("detail", flat=True)
    for secret in (code, code.lower(), first, token):
        assert secret not in logged
        assert secret not in " ".join(kept)
    # A plain hash of forty bits could be broken in minutes.
    assert hash_token(code) not in kept


@embedded
def test_a_new_device_resumes_where_the_till_stopped(cast: Cast) -> None:
    terminal = make_terminal(cast.shop)
    code = code_for(terminal)
    till = enrolled(code, "serie-neuve")

    def resume_point() -> tuple[int | None, str | None]:
        answer = enrol(code, "serie-neuve").json()
        return answer["sequence"], answer["dernier_numero"]

    till.get(STATE)
    assert resume_point() == (None, None)
    till.settle(sale("FAC-001", line(cast.rice), sequence=41), sale("FAC-002", line(cast.rice), sequence=42))
    assert resume_point() == (42, "FAC-002")
    # Accepted and not posted yet; then a repeat, and an unreadable sale.
    till.hand_over(sale("FAC-003", line(cast.rice), sequence=43), sale("FAC-002", line(cast.rice), sequence=42), 7)
    assert resume_point() == (43, "FAC-003")
    till.post_all()
    assert resume_point() == (43, "FAC-003")
    Heartbeat.objects.create(
        shop=cast.shop, terminal=terminal, device=till.device, held_count=2, sequence=45, at=datetime.now(UTC)
    )
    assert resume_point() == (45, "FAC-003")
    Heartbeat.objects.create(
        shop=cast.shop, terminal=terminal, device=till.device, held_count=0, sequence=None, at=datetime.now(UTC)
    )
    assert resume_point() == (43, "FAC-003")


@embedded
def test_an_error_in_the_middle_leaves_nothing_half_done(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_for(cast.terminal, replaces=cast.device)

    def break_down(device: Device) -> str:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(enrolment, "issue_token", break_down)
        assert_problem(enrol(code, "serie-neuve"), "indisponible")
    cast.device.refresh_from_db()
    assert (cast.device.state, cast.device.replaced_at) == (DeviceState.ACTIVE, None)
    assert not Device.objects.filter(serial="serie-neuve").exists()
    assert EnrolmentCode.objects.get().used_at is None
    assert enrol(code, "serie-neuve").status_code == 201


def at_once(*calls: tuple[str, str]) -> list[int]:
    """Enrol each (code, serial) at the same moment; return the statuses."""
    gate = threading.Barrier(len(calls))

    def call(code: str, serial: str) -> int:
        gate.wait()
        return enrol_in_thread(code, serial).status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda each: call(*each), calls))


@pytest.mark.usefixtures("real_database")
def test_of_many_devices_with_one_code_at_once_one_is_enrolled() -> None:
    shop = make_shop()
    for number in range(5):
        terminal = make_terminal(shop)
        code = code_for(terminal)
        statuses = at_once(*[(code, f"serie-{number}-{each}") for each in range(4)])
        assert sorted(statuses) == [201, 410, 410, 410]
        assert Device.objects.filter(terminal=terminal).count() == 1


@pytest.mark.usefixtures("real_database")
def test_a_device_that_sends_its_code_twice_at_once_is_one_device_with_one_token() -> None:
    shop = make_shop()
    for number in range(5):
        terminal = make_terminal(shop)
        code = code_for(terminal)
        gate = threading.Barrier(3)

        def call(_: int, code: str = code, gate: threading.Barrier = gate, serial: str = f"serie-{number}") -> str:
            gate.wait()
            return enrol_in_thread(code, serial).json()["jeton"]

        with ThreadPoolExecutor(3) as pool:
            tokens = list(pool.map(call, range(3)))
        device = Device.objects.get(terminal=terminal)
        assert sorted(Till(device, token=token).get(STATE).status_code for token in tokens) == [200, 401, 401]


@pytest.mark.usefixtures("real_database")
def test_one_serial_at_two_tills_at_once_is_enrolled_at_one() -> None:
    shop = make_shop()
    for number in range(5):
        terminals = [make_terminal(shop) for _ in range(3)]
        statuses = at_once(*[(code_for(terminal), f"serie-{number}") for terminal in terminals])
        assert sorted(statuses) == [201, 409, 409]
        assert Device.objects.filter(terminal__in=terminals).count() == 1
        assert EnrolmentCode.objects.filter(terminal__in=terminals, used_at=None).count() == 2


@embedded
def test_a_code_for_a_till_without_a_device_replaces_none(cast: Cast) -> None:
    terminal = make_terminal(cast.shop)
    code = code_for(terminal)
    move_device(cast.device, terminal=terminal)
    assert_problem(enrol(code, "serie-neuve"), "code_expire")
    assert enrol(code, cast.device.serial).status_code == 201
