"""Hostile input: each case has its exact answer, causes no server error and stores nothing it should not."""

import gzip
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from backend.sales.models import Batch, BatchBody, Lane, Sale, SaleOutcome
from backend.shops.models import RefusedCall
from backend.testing import Cast, make_device
from tests.api.test_problems import assert_problem
from tests.invariants import check_invariants
from tests.tills import FATES, RECEIPTS, Till, line, sale, stock_of

DIGITS = "9" * 5000


def assert_nothing_is_stored() -> None:
    assert (Batch.objects.count(), BatchBody.objects.count(), Lane.objects.count()) == (0, 0, 0)
    assert (SaleOutcome.objects.count(), Sale.objects.count()) == (0, 0)


def nested(depth: int) -> bytes:
    """Return a batch with brackets nested `depth` deep in a field that is not read."""
    inner = depth - 2
    return b'[{"numero_facture": "A", "x": ' + b"[" * inner + b"]" * inner + b"}]"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (nested(33), "JSON invalide : imbriqué à plus de 32 niveaux"),
        (b"[" * 100_000 + b"]" * 100_000, "JSON invalide : imbriqué à plus de 32 niveaux"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "JSON invalide : imbriqué à plus de 32 niveaux"),
        (b'[{"numero_facture": "\xff"}]', "JSON invalide : le texte n'est pas en UTF-8"),
        ('[{"numero_facture": "A"}]'.encode("utf-16"), None),
        (b"\xef\xbb\xbf[1]", "JSON invalide : JSON illisible"),
        (b"", "JSON invalide : JSON illisible"),
        (b"[{]", "JSON invalide : JSON illisible"),
        (b'[{"numero_facture": "A"} {"numero_facture": "B"}]', "JSON invalide : JSON illisible"),
        (b'[{"numero_facture": "A"}] reste', "JSON invalide : JSON illisible"),
        (b'[{"numero_facture": "A}]', "JSON invalide : JSON illisible"),
    ],
)
def test_bytes_that_do_not_split_into_sales_are_refused_whole(till: Till, body: bytes, detail: str | None) -> None:
    answer = till.send(body)
    assert_problem(answer, "json_invalide", detail or answer.json()["detail"])
    assert_nothing_is_stored()


def test_thirty_two_levels_are_accepted(till: Till) -> None:
    assert till.send(nested(32)).status_code == 202


@pytest.mark.parametrize("body", [b"{}", b"null", b"12", b'"x"', b"NaN"])
def test_a_body_that_is_no_array_is_refused(till: Till, body: bytes) -> None:
    assert_problem(till.send(body), "tableau_attendu")
    assert_nothing_is_stored()


def test_each_limit_is_accepted_and_one_more_is_refused(till: Till) -> None:
    assert_problem(till.send(b"[]"), "lot_vide")
    answer = till.send(b"[" + b",".join([b"{}"] * 1001) + b"]")
    assert assert_problem(answer, "lot_trop_grand")["limites"] == {
        "ventes_par_lot": 1000,
        "octets": 5242880,
        "lignes_par_vente": 200,
        "lots_en_attente": 20,
    }
    limit = 5 * 1024 * 1024
    large = b'[{"numero_facture": "A"}]' + b" " * (limit - 25)
    assert_problem(till.send(large + b" "), "lot_trop_grand")
    assert_problem(till.send(gzip.compress(large + b" "), Content_Encoding="gzip"), "lot_trop_grand")
    assert_nothing_is_stored()
    assert till.send(large).status_code == 202
    assert till.send(gzip.compress(large), Content_Encoding="gzip").status_code == 202
    assert till.send(b"[" + b",".join([b"{}"] * 1000) + b"]").status_code == 202


def test_a_bomb_is_refused_and_not_unpacked(till: Till) -> None:
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    assert len(bomb) < 60_000
    tracemalloc.start()
    assert_problem(till.send(bomb, Content_Encoding="gzip"), "lot_trop_grand")
    assert_problem(till.call("POST", FATES, bomb, Content_Encoding="gzip"), "lot_trop_grand")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 25_000_000
    assert_nothing_is_stored()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        gzip.compress(b"[{}]", mtime=0)[:-4],
        gzip.compress(b"[{}]", mtime=0) + b"x",
        gzip.compress(b"[{}]", mtime=0) + gzip.compress(b"[{}]", mtime=0),
        gzip.compress(b"[{}]", mtime=0)[:-8] + b"\0" * 8,
    ],
)
def test_a_body_that_is_no_gzip_is_refused(till: Till, body: bytes) -> None:
    assert_problem(till.send(body, Content_Encoding="gzip"), "gzip_invalide")
    assert_nothing_is_stored()


GOOD_LINE = '{"article_id": %d, "quantite": 1, "prix_unitaire": 1}'
# What is wrong: (the whole sale, the path that its refusal names).
MALFORMED = {
    "NaN": (
        '{"numero_facture": "X", "lignes": [{"article_id": 1, "quantite": NaN, "prix_unitaire": 1}]}',
        "lignes[0].quantite",
    ),
    "infinity": ('{"numero_facture": "X", "remise": -Infinity}', "remise"),
    "NaN as text": ('{"numero_facture": "X", "lignes": [«»], "remise": "NaN"}', "remise"),
    "half an emoji": ('{"numero_facture": "X", "client": {"nom": "\\ud83d"}}', "client.nom"),
    "NUL": ('{"numero_facture": "X", "client": {"nom": "a\\u0000b"}}', "client.nom"),
    "a repeated key": ('{"numero_facture": "X", "lignes": [{"quantite": 1, "quantite": 2}]}', "lignes[0].quantite"),
    "1e400": ('{"numero_facture": "X", "montant_total": 1e400}', "montant_total"),
    "1e400 unread": ('{"numero_facture": "X", "lignes": [«»], "fiscal": {"x": 1e400}}', "fiscal.x"),
    "5,000 digits": ('{"numero_facture": "X", "remise": ' + DIGITS + "}", "remise"),
    "5,000 places": ('{"numero_facture": "X", "remise": 0.' + DIGITS + "}", "remise"),
    "5,000 digits as text": ('{"numero_facture": "X", "lignes": [«»], "remise": "' + DIGITS + '"}', "remise"),
    "5,000 digits unread": ('{"numero_facture": "X", "lignes": [«»], "fiscal": {"x": ' + DIGITS + "}}", "fiscal.x"),
    "nothing sold": (
        '{"numero_facture": "X", "lignes": [{"article_id": 1, "quantite": 0, "prix_unitaire": 1}]}',
        "lignes[0].quantite",
    ),
    "less than nothing": (
        '{"numero_facture": "X", "lignes": [{"article_id": 1, "quantite": -1, "prix_unitaire": 1}]}',
        "lignes[0].quantite",
    ),
    "201 lines": ('{"numero_facture": "X", "lignes": [' + ",".join(["«»"] * 201) + "]}", "lignes"),
    "no date": ('{"numero_facture": "X", "lignes": [«»], "date_vente": "hier"}', "date_vente"),
}
NUMBERLESS = {
    "an empty number": ('{"numero_facture": "", "lignes": [«»]}', "numero_facture"),
    "65 characters": ('{"numero_facture": "' + "x" * 65 + '", "lignes": [«»]}', "numero_facture"),
    "a tilde": ('{"numero_facture": "X~2", "lignes": [«»]}', "numero_facture"),
    "no number": ('{"lignes": [«»]}', "numero_facture"),
    "a number of digits": ('{"numero_facture": 12, "lignes": [«»]}', "numero_facture"),
    "no object": ("12", None),
    "null": ("null", None),
}


@pytest.mark.parametrize("name", [*MALFORMED, *NUMBERLESS])
def test_a_malformed_sale_is_refused_alone_with_its_path(cast: Cast, till: Till, name: str) -> None:
    bad, path = (MALFORMED | NUMBERLESS)[name]
    one_line = GOOD_LINE % cast.rice.pk
    good = ['{"numero_facture": "%s", "lignes": [%s]}' % (number, one_line) for number in ("BON-1", "BON-2")]  # noqa: UP031
    body = f"[{good[0]}, {bad.replace('«»', one_line)}, {good[1]}]"

    answer = till.send(body.encode())
    assert answer.status_code == 202
    till.post_all()

    receipt = till.receipt(answer.json()["recu"])
    assert [entry["numero_facture"] for entry in receipt["details"]["creees"]] == ["BON-1", "BON-2"]
    [refused] = receipt["details"]["erreurs"]
    assert (refused["status"], refused["code"], refused["action"]) == ("rejected", "champ_invalide", "corriger")
    assert refused["numero_facture"] == ("X" if name in MALFORMED else "N/A")
    assert refused.get("chemin") == path
    assert refused["erreur"].startswith("Champ invalide")
    assert Sale.objects.count() == 2
    assert stock_of(cast.rice) == 98
    check_invariants()


@pytest.mark.parametrize(
    "sent", ["0001-01-01T00:00:00", "1999-12-31T23:59:59Z", "2101-01-01", "9999-12-31T23:59:59-12:00"]
)
def test_an_impossible_year_is_a_warning_and_kept_as_text(cast: Cast, till: Till, sent: str) -> None:
    entry = till.settle_one(sale("A", line(cast.rice), date_vente=sent))
    assert (entry["status"], entry["avertissements"]) == ("created", ["horloge"])
    document = Sale.objects.get()
    assert (document.sold_at, document.sold_at_text) == (None, sent)


def test_malicious_texts_are_stored_as_text(cast: Cast, till: Till) -> None:
    nasty = "'); DROP TABLE sales_sale; -- <script>alert(1)</script> %s {0} \\ \u202e 💥"
    entry = till.settle_one(sale("A'--%s", line(cast.rice), client={"nom": nasty}, caissier={"code": nasty}))
    assert (entry["status"], entry["numero_facture"]) == ("created", "A'--%s")
    document = Sale.objects.get()
    assert document.customer_name == nasty
    assert document.cashier_code == nasty[:40].strip()


def test_an_article_of_another_shop_is_as_unknown_as_one_that_does_not_exist(cast: Cast, till: Till) -> None:
    nowhere_id, nowhere_uuid = 999_999_999, "00000000-0000-4000-8000-000000000000"
    for other, nowhere, name in (
        (cast.other_article.pk, nowhere_id, "article_id"),
        (str(cast.other_article.uuid), nowhere_uuid, "article_uuid"),
    ):
        for value in (other, nowhere):
            entry = till.settle_one(sale("A", {name: value, "quantite": 1, "prix_unitaire": 1}))
            assert (entry["status"], entry["code"], entry["chemin"]) == (
                "rejected",
                "article_inconnu",
                f"lignes[0].{name}",
            )
            assert entry["erreur"] == f"Article {value} non trouvé dans cette boutique"
    for value in (str(cast.other_article.base_unit.uuid), nowhere_uuid):
        entry = till.settle_one(sale("A", {"unite_uuid": value, "quantite": 1, "prix_unitaire": 1}))
        assert (entry["code"], entry["erreur"]) == ("unite_inconnue", "Unité non trouvée dans cette boutique")
    assert stock_of(cast.other_article) == 100
    assert Sale.objects.count() == 0


def test_an_origin_in_another_shop_is_as_unknown_as_none(cast: Cast, till: Till, charlies_till: Till) -> None:
    theirs = charlies_till.settle_one(sale("FAC-1", line(cast.other_article)))
    void = {"type": "annulation", "numero_facture": "AVO-1", "origine": {"vente_id": theirs["id"]}}
    here = till.settle_one(void)
    nowhere = till.settle_one(void | {"origine": {"vente_id": 999_999_999}})
    assert here == here | {key: nowhere[key] for key in ("status", "code", "erreur", "action")}
    assert stock_of(cast.other_article) == 99


def test_another_tills_receipt_is_unknown(cast: Cast, till: Till, charlies_till: Till) -> None:
    receipt = till.hand_over(sale("A", line(cast.rice)))
    neighbour = Till(cast.token_device, token=cast.token)
    for stranger in (charlies_till, neighbour):
        assert_problem(stranger.get(f"{RECEIPTS}/{receipt}"), "recu_inconnu")
        assert_problem(stranger.get(f"{RECEIPTS}/{receipt}", Prefer="wait=10"), "recu_inconnu")
        assert stranger.get(RECEIPTS).json()["recus"] == []
        assert [one["status"] for one in stranger.look_up_statuses("A")] == ["unknown"]
    spare = Till(make_device(cast.terminal))
    assert spare.receipt(receipt)["recu"] == receipt


def test_a_cursor_of_another_till_shows_nothing_of_it(cast: Cast, till: Till, charlies_till: Till) -> None:
    till.hand_over(sale("A", line(cast.rice)))
    newest = Batch.objects.latest("pk").pk
    assert charlies_till.get(f"{RECEIPTS}?curseur={newest + 1}").json() == {"recus": [], "suivant": None}


def test_a_key_of_another_till_does_not_concern_this_one(cast: Cast, till: Till, charlies_till: Till) -> None:
    hers = till.send_sales(sale("A", line(cast.rice)), Idempotency_Key="cle-1")
    his = charlies_till.send_sales(sale("B", line(cast.other_article)), Idempotency_Key="cle-1")
    assert (hers.status_code, his.status_code) == (202, 202)
    assert hers.json()["recu"] != his.json()["recu"]
    assert "Idempotency-Replayed" not in his.headers
    assert Batch.objects.count() == 2


def test_numbers_that_no_till_could_send_have_no_status(till: Till) -> None:
    numbers = ["", "x" * 70_000, "a\u0000b", "é", "'; --", "A~2"]
    assert {one["status"] for one in till.look_up_statuses(*numbers)} == {"unknown"}


def test_a_refused_batch_leaves_only_a_refused_call(till: Till) -> None:
    till.send(b"{}")
    assert_nothing_is_stored()
    assert RefusedCall.objects.get().code == "tableau_attendu"


def test_amounts_at_the_edge_of_their_columns_are_stored_exactly(cast: Cast, till: Till) -> None:
    entry = till.settle_one(sale("A", line(cast.rice, quantity="0.001", price="99999999999.99")))
    assert entry["montant_total"] == "100000000.00"
    assert Sale.objects.get().total == Decimal("100000000.00")
    refused: dict[str, Any] = till.settle_one(sale("B", line(cast.rice, quantity=2, price="99999999999.99")))
    assert (refused["code"], refused["chemin"]) == ("champ_invalide", "lignes[0].quantite")
