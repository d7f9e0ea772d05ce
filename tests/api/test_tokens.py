"""A device renews its token, and old devices switch from serials to tokens while they sell."""

import pytest

from backend.doctor.registry import Scope
from backend.shops import devices
from backend.shops.devices import accepts_token, issue_token
from backend.shops.models import AuthMode, Device
from backend.testing import Cast
from tests.api.test_problems import assert_problem
from tests.doctor.examination import look
from tests.enrolment import TOKEN, code_for, enrolled
from tests.tills import STATE, Till, line, sale

pytestmark = pytest.mark.embedded


def renewed(till: Till) -> Till:
    """Ask for a new token; return the same device with it."""
    answer = till.call("POST", TOKEN)
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    return Till(till.device, token=answer.json()["jeton"])


def statuses(*tills: Till) -> list[int]:
    return [till.get(STATE).status_code for till in tills]


def test_the_old_token_works_until_the_new_one_is_first_used(token_till: Till) -> None:
    new = renewed(token_till)
    assert statuses(token_till, token_till, new, token_till, new) == [200, 200, 200, 401, 200]


def test_of_two_new_tokens_only_the_last_is_valid(token_till: Till) -> None:
    lost, new = renewed(token_till), renewed(token_till)
    assert statuses(lost, token_till, new, token_till, lost) == [401, 200, 200, 401, 401]


def test_a_new_token_may_be_renewed_in_turn(token_till: Till) -> None:
    second = renewed(token_till)
    third = renewed(second)
    assert statuses(token_till, second, third, second) == [401, 200, 200, 401]


def test_a_serial_alone_gets_no_token(cast: Cast, till: Till) -> None:
    assert till.get(STATE).status_code == 200
    assert_problem(till.call("POST", TOKEN), "jeton_manquant")
    assert_problem(till.call("POST", TOKEN, Authorization="Bearer inventé"), "jeton_invalide")
    token = issue_token(cast.device)
    assert_problem(till.call("POST", TOKEN), "jeton_manquant")
    assert_problem(till.call("POST", TOKEN, Authorization="Bearer inventé"), "jeton_invalide")
    assert Device.objects.get(pk=cast.device.pk).next_token_hash == devices.hash_token(token)
    assert renewed(Till(cast.device, token=token)).get(STATE).status_code == 200


def test_a_token_is_renewed_only_by_post(token_till: Till) -> None:
    assert_problem(token_till.get(TOKEN), "methode_non_permise")


def is_named_without_token(device: Device) -> bool:
    """Whether the doctor still names it among those that are believed on their serial alone."""
    notes = look("serial_mode_devices", Scope(terminal=device.terminal)).seen.findings
    return any(device.serial in note.found for note in notes)


@pytest.mark.parametrize("by", ["code", "command"])
def test_an_old_till_switches_to_a_token_while_it_sells(cast: Cast, till: Till, by: str) -> None:
    till.hand_over(sale("FAC-1", line(cast.rice)))
    if by == "code":
        proven = enrolled(code_for(cast.terminal, replaces=cast.device), cast.device.serial)
    else:
        proven = Till(cast.device, token=issue_token(cast.device))

    # Its software has not read the token yet.
    receipt = till.hand_over(sale("FAC-2", line(cast.rice)))
    assert Device.objects.get(pk=cast.device.pk).auth_mode == AuthMode.SERIAL
    assert is_named_without_token(cast.device)
    waiting = till.hand_over(sale("FAC-3", line(cast.rice)))
    proven.hand_over(sale("FAC-4", line(cast.rice)))

    assert_problem(till.send_sales(sale("FAC-5", line(cast.rice))), "jeton_manquant")
    assert Device.objects.get(pk=cast.device.pk).auth_mode == AuthMode.TOKEN
    assert not is_named_without_token(cast.device)
    proven.hand_over(sale("FAC-5", line(cast.rice)))
    proven.post_all()
    assert till.outcomes() == ["created"] * 5
    # It can still read what it handed over with its serial alone.
    for one in (receipt, waiting):
        assert proven.receipt(one)["success"] is True


def test_a_till_that_lost_its_token_may_call_with_its_serial_until_it_has_one(cast: Cast, token_till: Till) -> None:
    bare = Till(cast.token_device)
    Device.objects.filter(pk=cast.token_device.pk).update(auth_mode=AuthMode.SERIAL)
    assert statuses(bare, token_till, bare) == [200, 200, 401]


def test_a_replaced_token_is_refused_even_to_a_call_in_progress(cast: Cast) -> None:
    token = issue_token(cast.device)
    under_way = Device.objects.get(pk=cast.device.pk)
    issue_token(cast.device)
    assert not accepts_token(under_way, token)
    # Two simultaneous first uses are both accepted.
    last = issue_token(cast.device)
    first, second = (Device.objects.get(pk=cast.device.pk) for _ in range(2))
    assert accepts_token(first, last)
    assert accepts_token(second, last)


def test_a_token_issued_while_another_is_first_used_takes_nothing_away(cast: Cast) -> None:
    first = issue_token(cast.device)
    stale = Device.objects.get(pk=cast.device.pk)
    assert Till(cast.device, token=first).get(STATE).status_code == 200
    second = issue_token(stale)
    assert statuses(Till(cast.device, token=first), Till(cast.device, token=second)) == [200, 200]
