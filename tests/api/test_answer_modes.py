"""When a till is answered: at once, when it asks to wait, or never before every sale has its outcome."""

import json
import threading
from typing import Any

import pytest

from backend.api import held_requests
from backend.api.views import sync
from backend.sales.models import Batch
from backend.testing import Cast
from tests.api.test_problems import assert_problem
from tests.tills import RECEIPTS, Till, line, sale


@pytest.fixture
def cast(real_database: None) -> Cast:
    """Committed, because another thread posts meanwhile."""
    return Cast()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "COMPLETE_HOLD_S", 0.2)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this process's places for held requests are taken."""
    monkeypatch.setattr(held_requests, "_places", threading.BoundedSemaphore(1))
    assert held_requests._places.acquire(blocking=False)


def body_of(cast: Cast, number: str = "A") -> bytes:
    return json.dumps([sale(number, line(cast.rice))]).encode()


def test_a_complete_device_gets_its_201_when_every_sale_has_its_outcome(cast: Cast, complete_till: Till) -> None:
    with complete_till.posted_meanwhile():
        answer = complete_till.send_sales(sale("A", line(cast.rice)), sale("B", line(cast.rice, quantity=500)))

    assert answer.status_code == 201
    receipt = answer.json()
    assert (receipt["statut"], receipt["success"], receipt["ventes_creees"]) == ("traite", False, 1)
    assert answer["Location"] == f"{RECEIPTS}/{receipt['recu']}"
    read = complete_till.get(answer["Location"])
    assert (read["ETag"], read.json()) == (answer["ETag"], receipt)


def test_a_complete_device_gets_no_2xx_while_nobody_posts_and_its_bytes_are_one_batch(
    cast: Cast, complete_till: Till
) -> None:
    body = body_of(cast)
    with pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(sync, "COMPLETE_HOLD_S", 0.2)
        for _ in range(3):
            assert_problem(complete_till.send(body), "enregistrement_en_cours")
    assert complete_till.batches() == 1

    # Settled, but its 201 was not sent yet: the same bytes still belong to it.
    complete_till.post_all()
    answer = complete_till.send(body)
    assert (answer.status_code, answer.json()["ventes_creees"]) == (201, 1)
    assert complete_till.batches() == 1
    assert Batch.objects.get().join_key is None

    # The answer was sent: from now on the same bytes are a new batch.
    with complete_till.posted_meanwhile():
        again = complete_till.send(body)
    assert again.status_code == 201
    assert again.json()["recu"] != answer.json()["recu"]
    assert (again.json()["success"], again.json()["statistiques"]["doublons"]) == (True, 1)
    assert complete_till.outcomes() == ["created", "duplicate"]


@pytest.mark.usefixtures("impatient")
def test_a_complete_device_may_send_a_key(cast: Cast, complete_till: Till) -> None:
    body = body_of(cast)
    assert_problem(complete_till.send(body, Idempotency_Key="cle-1"), "enregistrement_en_cours")
    complete_till.post_all()
    for _ in range(2):
        answer = complete_till.send(body, Idempotency_Key="cle-1")
        assert (answer.status_code, answer["Idempotency-Replayed"]) == (201, "true")
    assert complete_till.batches() == 1


@pytest.mark.usefixtures("full")
def test_without_a_place_to_wait_a_complete_device_is_asked_to_retry(cast: Cast, complete_till: Till) -> None:
    assert_problem(complete_till.send(body_of(cast)), "enregistrement_en_cours")
    assert complete_till.batches() == 1


@pytest.mark.usefixtures("full")
def test_without_a_place_to_wait_a_device_is_answered_at_once(cast: Cast, till: Till) -> None:
    answer = till.send(body_of(cast), Prefer="wait=10")
    assert (answer.status_code, answer.json()["statut"]) == (202, "en_attente")


def test_a_complete_device_gets_the_same_refusals_as_any_other(cast: Cast, complete_till: Till) -> None:
    assert_problem(complete_till.send(b"{}"), "tableau_attendu")
    assert_problem(complete_till.send(b"[]"), "lot_vide")


def test_a_call_that_prefers_to_wait_gets_the_receipt_settled_in_time(cast: Cast, till: Till) -> None:
    with till.posted_meanwhile():
        answer = till.send(body_of(cast), Prefer="respond-async, wait=10")
    assert answer.status_code == 201
    assert (answer.json()["statut"], answer.json()["success"]) == ("traite", True)


@pytest.mark.parametrize("prefer", ["wait=1", "wait=0", "wait=", "wait=-1", "return=minimal", "await=5"])
def test_a_call_that_waits_in_vain_gets_the_202(cast: Cast, till: Till, prefer: str) -> None:
    answer = till.send(body_of(cast), Prefer=prefer)
    assert (answer.status_code, answer.json()["statut"]) == (202, "en_attente")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ("wait=5; x=1", 5),
        ("wait=999999", 10),
        ("", 0),
        ("wait=1234567", 0),
    ],
)
def test_it_waits_ten_seconds_at_most(header: str, seconds: int) -> None:
    assert held_requests.preferred_wait_s(header) == seconds


def test_reading_a_receipt_may_wait_too(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(sale("A", line(cast.rice)))
    before = till.get(f"{RECEIPTS}/{receipt}")
    with till.posted_meanwhile():
        answer = till.get(f"{RECEIPTS}/{receipt}", Prefer="wait=10", If_None_Match=before["ETag"])
    assert (answer.status_code, answer.json()["statut"]) == (200, "traite")


def test_a_call_that_waits_with_the_key_of_a_settled_batch_gets_the_whole_receipt(cast: Cast, till: Till) -> None:
    body = body_of(cast)
    till.send(body, Idempotency_Key="cle-1")
    till.post_all()
    answer = till.send(body, Idempotency_Key="cle-1", Prefer="wait=5")
    receipt: dict[str, Any] = answer.json()
    assert (answer.status_code, answer["Idempotency-Replayed"], receipt["success"]) == (201, "true", True)


def test_the_201_of_one_till_does_not_answer_the_same_bytes_of_another(cast: Cast, complete_till: Till) -> None:
    body = body_of(cast)
    second = Till(cast.device)
    cast.device.answer_mode = "complete"
    cast.device.save(update_fields=["answer_mode"])
    with complete_till.posted_meanwhile():
        first = complete_till.send(body)
    with second.posted_meanwhile():
        other = second.send(body)
    assert first.json()["recu"] != other.json()["recu"]
    assert second.outcomes() == complete_till.outcomes() == ["created"]
