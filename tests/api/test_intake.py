"""Handing over a batch: bytes as received, keys, copies, and the limit of waiting batches."""

import gzip
import hashlib
import json
import zlib

import pytest

from backend.sales import intake
from backend.sales.models import Batch, BatchBody
from backend.testing import Cast, make_device
from tests.api.test_problems import assert_problem
from tests.tills import SYNC, Till, line, sale

pytestmark = pytest.mark.embedded

ODD = b' [ {"numero_facture":"A" , "inconnu":1.50,\n"lignes":[]},{"numero_facture":"\xc3\x89"} ]\r\n'


def test_the_bytes_are_stored_as_received(cast: Cast, till: Till) -> None:
    for answer in (till.send(ODD), till.send(gzip.compress(ODD), Content_Encoding="GZIP")):
        batch = Batch.objects.get(receipt=answer.json()["recu"])
        assert zlib.decompress(BatchBody.objects.get(batch=batch).deflated) == ODD
        assert batch.sha256 == hashlib.sha256(ODD).hexdigest()
        assert batch.sale_count == 2
        assert (batch.terminal_id, batch.shop_id, batch.device_id) == (cast.terminal.pk, cast.shop.pk, cast.device.pk)


def test_a_batch_stores_its_requests_metadata(cast: Cast, till: Till) -> None:
    answer = till.send_sales(
        sale("A", line(cast.rice)), X_App_Version="3.2.1", X_Request_Id="demande-42", X_Forwarded_For="203.0.113.9"
    )
    batch = Batch.objects.get()
    assert answer["X-Request-Id"] == "demande-42"
    assert (batch.request_id, batch.app_version, batch.ip) == ("demande-42", "3.2.1", "127.0.0.1")


@pytest.mark.parametrize("sent", ["", "court", "x" * 65, "avec espace", "a\u00e9bcdefgh"])
def test_a_request_id_that_cannot_be_logged_is_replaced(till: Till, sent: str) -> None:
    answered = till.send(b"[]", X_Request_Id=sent)["X-Request-Id"]
    assert answered != sent
    assert len(answered) == 32


def test_a_key_with_the_same_bytes_gives_the_same_receipt(cast: Cast, till: Till) -> None:
    one = sale("A", line(cast.rice))
    first = till.send_sales(one, Idempotency_Key="cle 1")
    again = till.send_sales(one, Idempotency_Key="cle 1")
    zipped = till.send_gzipped(one, Idempotency_Key="cle 1")

    assert [answer.status_code for answer in (first, again, zipped)] == [202, 202, 202]
    assert {answer.json()["recu"] for answer in (first, again, zipped)} == {first.json()["recu"]}
    assert "Idempotency-Replayed" not in first.headers
    assert again["Idempotency-Replayed"] == zipped["Idempotency-Replayed"] == "true"
    till.post_all()
    assert till.send_sales(one, Idempotency_Key="cle 1").json()["statut"] == "traite"
    assert till.batches() == 1
    assert till.outcomes() == ["created"]


def test_a_key_with_other_bytes_is_refused(cast: Cast, till: Till) -> None:
    till.send_sales(sale("A", line(cast.rice)), Idempotency_Key="cle-1")
    other = till.send_sales(sale("B", line(cast.rice)), Idempotency_Key="cle-1")
    assert_problem(other, "cle_reutilisee", "Cette clé d'idempotence a déjà servi pour un autre lot")
    assert till.batches() == 1
    assert till.send_sales(sale("B", line(cast.rice)), Idempotency_Key="CLE-1").status_code == 202


def test_keys_belong_to_the_till_and_not_to_its_device(cast: Cast, till: Till) -> None:
    one = sale("A", line(cast.rice))
    first = till.send_sales(one, Idempotency_Key="cle-1").json()["recu"]
    spare = Till(make_device(cast.terminal))
    assert spare.send_sales(one, Idempotency_Key="cle-1").json()["recu"] == first


def test_without_a_key_every_post_is_a_new_batch(cast: Cast, till: Till) -> None:
    one = sale("A", line(cast.rice))
    receipts = {till.hand_over(one) for _ in range(3)}
    till.post_all()
    assert len(receipts) == 3
    assert till.outcomes() == ["created", "duplicate", "duplicate"]


def test_a_till_with_too_many_waiting_batches_is_asked_to_wait(cast: Cast, till: Till) -> None:
    sales = [sale(f"FAC-{number}", line(cast.rice)) for number in range(21)]
    for one in sales[:20]:
        till.hand_over(one)

    refused = till.send_sales(sales[20])
    assert_problem(
        refused, "trop_de_lots_en_attente", "Trop de lots de cette caisse attendent déjà ; réessayez plus tard"
    )
    assert till.batches() == 20
    # A batch that waits already may be repeated, and counts once.
    assert till.send_sales(sales[3]).status_code == 202
    assert till.send_sales(sales[3]).status_code == 202
    assert_problem(till.send_sales(sales[20]), "trop_de_lots_en_attente")
    neighbour = Till(cast.token_device, token=cast.token)
    assert neighbour.send_sales(sales[20]).status_code == 202

    till.post_all()
    assert till.send_sales(sales[20]).status_code == 202
    assert till.outcomes() == ["created"] * 20 + ["duplicate"] * 2


def test_identical_batches_count_once(cast: Cast, till: Till) -> None:
    one = sale("A", line(cast.rice))
    assert [till.send_sales(one).status_code for _ in range(25)] == [202] * 25
    assert till.send_sales(sale("B", line(cast.rice))).status_code == 202


def test_copies_count_towards_the_limit_in_the_end(cast: Cast, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "COPIES_WAITING_MAX", 3)
    one = sale("A", line(cast.rice))
    assert [till.send_sales(one).status_code for _ in range(4)] == [202, 202, 202, 429]


def test_a_known_key_is_answered_beyond_the_limit_of_waiting_batches(cast: Cast, till: Till) -> None:
    sales = [sale(f"FAC-{number}", line(cast.rice)) for number in range(20)]
    for at, one in enumerate(sales):
        till.hand_over(one, Idempotency_Key=f"cle-{at}")
    again = till.send_sales(sales[0], Idempotency_Key="cle-0")
    assert (again.status_code, again["Idempotency-Replayed"]) == (202, "true")


def test_answers_are_compressed_on_request(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(*(sale(f"FAC-{number}", line(cast.rice)) for number in range(20)))
    path = f"/api/v2/simple/ventes/recus/{receipt}"
    plain = till.get(path)
    zipped = till.get(path, Accept_Encoding="gzip")
    assert zipped["Content-Encoding"] == "gzip"
    assert len(zipped.content) < len(plain.content) / 2
    assert json.loads(gzip.decompress(zipped.content)) == plain.json()
    # The ETag of the compressed answer means the same version.
    assert till.get(path, If_None_Match=zipped["ETag"]).status_code == 304


def test_the_old_name_of_the_serials_header_is_accepted(cast: Cast, till: Till) -> None:
    body = json.dumps([sale("A", line(cast.rice))]).encode()
    answer = till.call("POST", SYNC, body, X_Device_Serial=None, Device_Serial=f" {cast.device.serial} ")
    assert answer.status_code == 202


def test_retry_after_grows_with_the_backlog(cast: Cast, till: Till, settings: object) -> None:
    settings.POSTING_RATE_PER_S = 2
    answer = till.send_sales(*(sale(f"FAC-{number}", line(cast.rice)) for number in range(10)))
    assert answer["Retry-After"] == "6"
    receipt = till.get(answer["Location"])
    assert receipt["Retry-After"] == "6"
