"""Simultaneous calls, and a database that is down."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections
from django.http import HttpResponse

from backend.localrun.servers import PrivateMariaDB
from backend.sales.models import Batch, BatchBody
from backend.shops.models import RefusedCall
from backend.testing import Cast
from tests.api.test_problems import assert_problem
from tests.tills import RECEIPTS, STATE, Till, line, sale

CALLERS = 4


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


def at_once(*calls: Callable[[], HttpResponse]) -> list[HttpResponse]:
    """Make all calls at the same moment, each in its own thread; return their answers in order."""
    gate = threading.Barrier(len(calls))
    answers: dict[int, HttpResponse] = {}

    def run(at: int) -> None:
        try:
            gate.wait()
            answers[at] = calls[at]()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[at]) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[at] for at in range(len(calls))]


@pytest.mark.parametrize("turn", range(3))
def test_one_key_sent_by_many_at_once_is_one_batch(cast: Cast, till: Till, turn: int) -> None:
    one = sale("A", line(cast.rice))
    answers = at_once(*[lambda: till.send_sales(one, Idempotency_Key="cle-1")] * CALLERS)

    assert [answer.status_code for answer in answers] == [202] * CALLERS
    assert len({answer.json()["recu"] for answer in answers}) == 1
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False] + [True] * (CALLERS - 1)
    assert (Batch.objects.count(), BatchBody.objects.count()) == (1, 1)


@pytest.mark.parametrize("turn", range(3))
def test_one_key_with_different_bytes_at_once_is_accepted_for_one_of_them(cast: Cast, till: Till, turn: int) -> None:
    answers = at_once(
        *(
            lambda number=number: till.send_sales(sale(number, line(cast.rice)), Idempotency_Key="cle-1")
            for number in "ABCD"
        )
    )
    assert sorted(answer.status_code for answer in answers) == [202, 422, 422, 422]
    for answer in answers:
        if answer.status_code == 422:
            assert_problem(answer, "cle_reutilisee")
    assert (Batch.objects.count(), BatchBody.objects.count()) == (1, 1)


def test_a_complete_device_that_sends_twice_at_once_has_one_batch(
    cast: Cast, complete_till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.api.views.sync.COMPLETE_HOLD_S", 0.2)
    one = sale("A", line(cast.rice))
    answers = at_once(*[lambda: complete_till.send_sales(one)] * CALLERS)
    for answer in answers:
        assert_problem(answer, "enregistrement_en_cours")
    assert Batch.objects.count() == 1


def test_the_first_posts_of_a_till_meet_at_its_lane(cast: Cast, till: Till) -> None:
    answers = at_once(*(lambda number=number: till.send_sales(sale(number, line(cast.rice))) for number in "ABCD"))
    assert [answer.status_code for answer in answers] == [202] * 4
    till.post_all()
    assert till.outcomes() == ["created"] * 4


def test_with_the_database_down_every_call_is_asked_to_retry(
    mariadb_server: PrivateMariaDB, cast: Cast, till: Till
) -> None:
    receipt = till.hand_over(sale("A", line(cast.rice)))
    mariadb_server.kill9()
    connection.close()

    for answer in (till.get(STATE), till.get(f"{RECEIPTS}/{receipt}"), till.send_sales(sale("B", line(cast.rice)))):
        assert_problem(answer, "indisponible", "Le service est indisponible un instant ; réessayez")
        assert answer["Retry-After"] == "5"

    mariadb_server.start()
    connection.close()
    assert till.receipt(receipt)["statut"] == "en_attente"
    assert Batch.objects.count() == 1
    assert not RefusedCall.objects.exists()
