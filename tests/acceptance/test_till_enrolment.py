"""The example till enrols, is replaced and renews its token, whatever is lost or killed on the way."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.example_till import Till
from backend.example_till.followers import NotPossible
from backend.example_till.identity import NotEnrolled
from backend.example_till.wire import Answer, Refused, Unreachable
from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Sale
from backend.shops.devices import issue_token
from backend.shops.enrolment import create_enrolment_code
from backend.shops.models import Device, DeviceState, Terminal
from backend.testing import Cast, make_terminal
from tests.acceptance.conftest import MakeTill
from tests.acceptance.test_till import recorded_numbers, rice
from tests.faults.proxy import FaultProxy

DieAt = Callable[..., bool]


@pytest.fixture
def terminal(cast: Cast) -> Terminal:
    return make_terminal(cast.shop, name="Caisse 2")


def code_for(terminal: Terminal, *, replaces: Device | None = None) -> str:
    return create_enrolment_code(terminal=terminal, replaces=replaces).text


def sequences_in(till: Till) -> list[int]:
    """Return the counters of all documents in this file, in order."""
    numbers = [number for (number,) in till.book.file.execute("SELECT number FROM documents ORDER BY rowid")]
    return [till.records.find(number).document["sequence"] for number in numbers]


@pytest.mark.embedded
def test_a_new_file_enrols_and_needs_neither_serial_nor_token_afterwards(
    open_shop: str, make_till: MakeTill, terminal: Terminal, cast: Cast, tmp_path: Path
) -> None:
    till = make_till(open_shop, serial="sunmi-1")
    till.enrol(code_for(terminal), model="Sunmi V2")
    number = till.sell([rice(cast)])

    later = make_till(None, serial=None)
    assert later.sync(timeout_s=60).settled
    assert recorded_numbers(terminal) == [number]
    assert later.identity.shop["code"] == "BTQ-009"
    device = Device.objects.get(serial="sunmi-1")
    assert (device.terminal, device.model, device.app_version) == (terminal, "Sunmi V2", "1.0")
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("caisse.sqlite3*")} == {0o600}
    with pytest.raises(NotEnrolled, match="un appareil, un fichier"):
        make_till(open_shop, serial="sunmi-2")


def test_a_till_of_the_old_fleet_keeps_its_file_and_its_counter(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    till = make_till(open_shop)
    before = [till.sell([rice(cast)]) for _ in range(2)]
    with pytest.raises(Refused, match="code"):
        till.enrol("AAAA AAAA")
    before.append(till.sell([rice(cast)]))  # a mistyped code does not stop it from selling

    till.enrol(code_for(cast.terminal, replaces=cast.device).lower())
    after = till.sell([rice(cast)])

    assert till.sync(timeout_s=60).settled
    assert recorded_numbers(cast.terminal) == [*before, after]
    assert sequences_in(till) == [1, 2, 3, 4]
    cast.device.refresh_from_db()
    assert (cast.device.state, cast.device.auth_mode) == (DeviceState.ACTIVE, "token")


def test_when_the_answer_is_lost_the_same_code_is_answered_again(
    proxy: FaultProxy, make_till: MakeTill, terminal: Terminal, cast: Cast
) -> None:
    code = code_for(terminal)
    till = make_till(proxy.url, serial="sunmi-1")
    proxy.swallow_answer_to(b"POST ")
    with pytest.raises(Unreachable):
        till.enrol(code)
    with pytest.raises(NotPossible, match="même code"):
        till.sell([rice(cast)])  # the counter to go on from has not arrived yet

    again = make_till(None, serial=None)  # after a restart
    again.enrol(code)
    again.sell([rice(cast)])
    assert again.sync(timeout_s=60).settled


def test_a_till_killed_at_any_step_of_its_enrolment_enrols_with_the_same_code(
    open_shop: str, make_till: MakeTill, die_at: DieAt, terminal: Terminal, cast: Cast
) -> None:
    numbers, holder, died, step = [], None, True, 0
    while died:
        step += 1
        code, serial = code_for(terminal, replaces=holder), f"sunmi-{step}"
        died = die_at(step, open_shop, "enrol", code, file=f"{serial}.sqlite3", serial=serial)
        till = make_till(open_shop, file=f"{serial}.sqlite3", serial=serial)
        if not till.identity.tokens:
            till.enrol(code)
        numbers.append(till.sell([rice(cast)]))
        assert till.send_once() == 1
        assert sequences_in(till) == [step]
        holder = Device.objects.get(serial=serial)

    assert step > 10
    assert len(set(numbers)) == step
    assert Device.objects.filter(terminal=terminal, state=DeviceState.ACTIVE).get() == holder
    assert wait_until(lambda: recorded_numbers(terminal) == numbers, timeout_s=60)


@pytest.mark.embedded
def test_a_till_that_is_replaced_at_noon_hands_over_what_it_held_and_nothing_counts_twice(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    old = make_till(open_shop)
    morning = [old.sell([rice(cast)]) for _ in range(3)]
    assert old.sync(timeout_s=60).settled
    held = [old.sell([rice(cast)]) for _ in range(2)]

    new = make_till(open_shop, file="new.sqlite3", serial="sunmi-2")
    new.enrol(code_for(cast.terminal, replaces=cast.device))
    assert new.book.setting("last_number") == morning[-1]
    afternoon = [new.sell([rice(cast)]) for _ in range(2)]
    void = new.void(number=morning[0])  # sold on the device that is gone: the server knows it
    assert new.sync(timeout_s=60).settled
    assert old.sync(timeout_s=60).settled

    assert recorded_numbers(cast.terminal) == [*morning, *afternoon, void, *held]
    assert sequences_in(new) == [4, 5, 6]
    cast.device.refresh_from_db()
    assert cast.device.state == DeviceState.REPLACED
    assert not Sale.objects.filter(variant__gt=1).exists()
    assert new.etat()["trous"] == []
    cast.rice.base_unit.refresh_from_db()
    assert cast.rice.base_unit.stock == 100 - 7 + 1


def test_the_old_token_lives_until_the_new_one_has_been_used(open_shop: str, make_till: MakeTill, cast: Cast) -> None:
    own = {"serial": cast.token_device.serial, "token": cast.token}
    old_token = cast.token
    till = make_till(open_shop, serial=cast.token_device.serial)
    till.book.keep_settings(serial=cast.token_device.serial, base_url=open_shop, token=old_token)
    real, calls = till.calls.transport, []

    def lose_the_use(method: str, path: str, *request: object) -> Answer:
        calls.append(path)
        if path == "etat":
            raise Unreachable("cable pulled")
        return real(method, path, *request)

    till.calls.transport = lose_the_use
    with pytest.raises(Unreachable):
        till.renew_token()
    assert calls == ["terminaux/jeton", "etat"]
    assert len(till.identity.tokens) == 2
    make_till(open_shop, file="other.sqlite3", **own).etat()  # the old one still works

    again = make_till(None, serial=None)
    again.etat()
    assert again.identity.tokens != [old_token]
    assert len(again.identity.tokens) == 1
    with pytest.raises(Refused, match="jeton"):
        make_till(open_shop, file="other.sqlite3", **own).etat()


def test_a_till_falls_back_on_its_old_token_when_the_server_never_knew_the_new_one(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    """As after the server was restored from a backup that is an hour old."""
    till = make_till(open_shop, serial=cast.token_device.serial)
    till.book.keep_settings(token=cast.token, next_token="of a server that is gone")
    till.etat()
    assert till.identity.tokens == [cast.token]

    till.book.keep_settings(token="wrong", next_token="wrong as well")
    with pytest.raises(Refused, match="jeton"):
        till.etat()
    assert len(till.identity.tokens) == 2  # it keeps both until one has worked


def test_a_till_killed_at_any_step_of_renewing_its_token_still_has_one_that_works(
    open_shop: str, make_till: MakeTill, die_at: DieAt, cast: Cast
) -> None:
    device, died, step = cast.token_device, True, 0
    token = issue_token(device)
    till = make_till(open_shop, serial=device.serial)
    till.book.keep_settings(serial=device.serial, base_url=open_shop, token=token)
    while died:
        step += 1
        died = die_at(step, open_shop, "renew_token", file="caisse.sqlite3", serial=device.serial)
        assert till.etat()["terminal"]["numero_serie"] == device.serial
    assert step > 5
    assert till.identity.tokens != [token]


def test_the_command_enrols_from_a_qr_and_renews_its_token(
    open_shop: str, running: Stack, terminal: Terminal, cast: Cast, tmp_path: Path
) -> None:
    file = ["--file", str(tmp_path / "commande.sqlite3")]
    enrolled = running.run_once("till", "enrol", f"{open_shop}/#{code_for(terminal)}", "--model", "Sunmi V2", *file)
    assert "caisse de Ma Boutique (BTQ-009)" in enrolled
    sold = running.run_once("till", "sell", "--article", str(cast.rice.pk), "--price", "25000", *file)
    assert "l'ancien ne vaut plus" in running.run_once("till", "token", *file)
    watched = running.run_once("till", "watch", "--timeout", "60", *file)
    assert f"{sold.split()[0]} : enregistrée" in watched
    assert recorded_numbers(terminal) == [sold.split()[0]]
