"""Reading receipts: versions, ETags, changes since a version, pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.sales.models import Batch
from backend.testing import Cast
from tests.tills import FATES, RECEIPTS, Till, line, sale

pytestmark = pytest.mark.embedded


@pytest.fixture
def running(cast: Cast, till: Till) -> str:
    """A batch of four sales, two of them settled."""
    receipt = till.hand_over(
        sale("A", line(cast.rice), line(cast.oil)),
        sale("B", line(cast.rice, quantity=500)),
        sale("C", line(cast.rice)),
        sale("D", line(cast.rice)),
    )
    till.post_next(2)
    return receipt


def indexes(receipt: dict) -> dict[str, list[int]]:
    return {part: [entry["index"] for entry in entries] for part, entries in receipt["details"].items()}


def test_each_sale_is_in_exactly_one_part(cast: Cast, till: Till, running: str) -> None:
    assert indexes(till.receipt(running)) == {"creees": [1], "erreurs": [2], "en_attente": [3, 4]}
    till.post_all()
    assert indexes(till.receipt(running)) == {"creees": [1, 3, 4], "erreurs": [2], "en_attente": []}


def test_a_settled_receipt_with_a_refusal_is_no_success(till: Till, running: str) -> None:
    assert "success" not in till.receipt(running)
    till.post_all()
    settled = till.receipt(running)
    assert (settled["success"], settled["message"]) == (False, "3 vente(s) synchronisée(s), 1 refusée(s)")
    assert settled["statistiques"] == {"total_envoyees": 4, "reussies": 3, "erreurs": 1, "doublons": 0}


def test_a_receipt_with_duplicates_is_a_success(cast: Cast, till: Till) -> None:
    known = sale("A", line(cast.rice))
    till.settle(known)
    again = till.settle(known, sale("B", line(cast.rice)))
    assert (again["success"], again["ventes_creees"], again["ventes_erreurs"]) == (True, 1, 1)
    assert again["message"] == "1 vente(s) synchronisée(s) avec succès, 1 déjà existante(s)"
    assert again["statistiques"]["doublons"] == 1


def test_only_changes_since_a_version_are_sent(till: Till, running: str) -> None:
    assert indexes(till.receipt(running, "?depuis=0"))["creees"] == [1]
    since = till.receipt(running, "?depuis=1")
    assert indexes(since) == {"creees": [], "erreurs": [2], "en_attente": [3, 4]}
    assert since["statistiques"]["reussies"] == 1, "counters stay whole"
    till.post_all()
    assert indexes(till.receipt(running, f"?depuis={since['version']}")) == {
        "creees": [3, 4],
        "erreurs": [],
        "en_attente": [],
    }
    assert indexes(till.receipt(running, "?depuis=9223372036854775807"))["creees"] == []


def test_lines_may_be_left_out(till: Till, running: str) -> None:
    [entry] = till.receipt(running, "?lignes=0")["details"]["creees"]
    assert (entry["lignes"], entry["lignes_count"]) == ([], 2)
    [whole] = till.receipt(running, "?lignes=1")["details"]["creees"]
    assert whole == till.receipt(running)["details"]["creees"][0]
    assert len(whole["lignes"]) == 2


def test_an_unchanged_receipt_is_not_sent_again(till: Till, running: str) -> None:
    path = f"{RECEIPTS}/{running}"
    first = till.get(path)
    for tag in (first["ETag"], f"W/{first['ETag']}", f'"x", {first["ETag"]}', "*"):
        unchanged = till.get(path, If_None_Match=tag)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged["ETag"] == first["ETag"]
        assert unchanged["Retry-After"] == "1"
    assert first["Cache-Control"] == "private, no-cache"
    for ignored in (
        {"If_None_Match": '"x"'},
        {"If_Match": '"x"'},
        {"If_Modified_Since": "Mon, 04 Nov 2030 00:00:00 GMT"},
    ):
        assert till.get(path, **ignored).status_code == 200


def test_every_outcome_is_a_new_version_with_a_new_tag(till: Till, running: str) -> None:
    path = f"{RECEIPTS}/{running}"
    seen = []
    for _ in range(3):
        answer = till.get(path)
        seen.append((answer["ETag"], answer.json()["version"]))
        assert "Retry-After" in answer.headers or answer.json()["statut"] == "traite"
        if answer.json()["statut"] != "traite":
            till.post_next()
    assert [version for _, version in seen] == [2, 3, 4]
    assert len({tag for tag, _ in seen}) == 3
    assert till.get(path, If_None_Match=seen[0][0]).status_code == 200
    assert "Retry-After" not in till.get(path).headers


def test_two_receipts_of_one_version_have_different_tags(cast: Cast, till: Till) -> None:
    tags = {till.get(f"{RECEIPTS}/{till.hand_over(sale(number, line(cast.rice)))}")["ETag"] for number in "AB"}
    assert len(tags) == 2


def test_the_list_comes_in_pages_that_miss_nothing(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice)))
    first = Batch.objects.get()
    for number in range(119):
        Batch.objects.create(
            terminal=cast.terminal, shop=cast.shop, device=cast.device, sha256=f"{number:064}", sale_count=1,
            received_at=first.received_at, moved_at=first.moved_at,
        )  # fmt: skip
    seen: list[str] = []
    path, pages = RECEIPTS, 0
    while path:
        page = till.get(path).json()
        seen += [one["recu"] for one in page["recus"]]
        path, pages = page["suivant"], pages + 1
    expected = [str(receipt) for receipt in Batch.objects.order_by("-pk").values_list("receipt", flat=True)]
    assert (seen, pages) == (expected, 3)

    path, open_ones = f"{RECEIPTS}?ouverts=1", []
    while path:
        page = till.get(path).json()
        open_ones += [one["recu"] for one in page["recus"]]
        path = page["suivant"]
    assert open_ones == expected[:-1]


def test_reading_costs_the_same_for_one_sale_and_for_many(cast: Cast, till: Till) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert till.get(path).status_code == 200
        return len(seen)

    small = till.settle(sale("A", line(cast.rice)))["recu"]
    many = [sale(f"FAC-{at}", line(cast.rice), line(cast.oil)) for at in range(40)]
    large = till.settle(*many)["recu"]
    assert queries(f"{RECEIPTS}/{large}") == queries(f"{RECEIPTS}/{small}") <= 8
    numbers = "&".join(f"numero_facture=FAC-{at}" for at in range(40))
    assert queries(f"{FATES}?{numbers}") == queries(f"{FATES}?numero_facture=A") <= 5
    assert queries(RECEIPTS) <= 3


def test_one_number_has_one_status_per_content(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice)), sale("A", line(cast.rice, quantity=2)), sale("A", line(cast.rice)))
    statuses = till.look_up_statuses(" A ", "A")
    assert [(one["numero_facture"], one["status"], one["index"]) for one in statuses] == [
        ("A", "created", 1),
        ("A", "conflict", 2),
    ]
    assert statuses[1]["id"] == statuses[0]["id"], "a conflict names the sale that has the number"
    waiting = till.hand_over(sale("A", line(cast.rice, quantity=3)))
    assert [(one["status"], one["recu"]) for one in till.look_up_statuses("A")][-1] == ("pending", waiting)


def test_a_receipt_is_found_by_its_id_in_any_spelling(till: Till, running: str) -> None:
    assert till.get(f"{RECEIPTS}/{running.upper()}").status_code == 200
