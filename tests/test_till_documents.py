"""Documents other than sales that a till writes offline, and errors that it finds by itself. No server is needed."""

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.example_till import Till
from backend.example_till.followers import NotPossible
from backend.example_till.heartbeat import heartbeat_of
from backend.example_till.wire import Answer, Unreachable

NOBODY = "http://127.0.0.1:9"
KINSHASA = ZoneInfo("Africa/Kinshasa")
RICE = {"article_id": 15, "quantite": 2, "prix_unitaire": Decimal(25000)}
OIL = {"article_id": 18, "quantite": Decimal("1.5"), "prix_unitaire": 75000}

# The table of a file that the first version of this till wrote.
FIRST_VERSION = """
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL, receipt TEXT, etag TEXT);
CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'envoyer', batch INTEGER REFERENCES batches(id), code TEXT, sentence TEXT);
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, content TEXT NOT NULL, status TEXT NOT NULL,
    server_id INTEGER, registration_number TEXT, purged_at TEXT NOT NULL);
INSERT INTO counters VALUES ('sequence', 2);
INSERT INTO queue (number, content) VALUES ('FAC-2', '{"date_vente":"2024-11-04T18:00:00+01:00",
    "numero_facture":"FAC-2","lignes":[{"article_id":15,"quantite":2,"prix_unitaire":"25000"}]}');
INSERT INTO journal (number, content, status, purged_at) VALUES ('FAC-1', '{"numero_facture":"FAC-1","paye":false,
    "lignes":[{"article_id":15,"quantite":1,"prix_unitaire":"25000"}]}', 'created', '2024-11-04');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "caisse.sqlite3"


@pytest.fixture
def till(path: Path) -> Iterator[Till]:
    with Till(path, NOBODY, "serial", zone=KINSHASA) as till:
        yield till


def written(till: Till, number: str) -> dict[str, Any]:
    return till.records.find(number).document


def server_says(till: Till, **actions: str | dict[str, Any]) -> None:
    """Hand everything over to a server that says of each number (of the others: created, purge) what is given."""
    while batch := till.queue.batch_to_send(sales_max=100):
        till.queue.accept(batch, receipt="r")
        entries = [
            {"numero_facture": number, "action": "purger", "status": "created"} | actions.get(number, {})
            for number in till.queue.numbers_waiting(batch)
        ]
        till.queue.settle(entries, batch=batch)


def test_a_void_a_return_and_a_payment_are_documents_of_their_own(till: Till) -> None:
    sale = till.sell([RICE, OIL], paye=False, devise="USD")
    back = till.take_back({2: Decimal("0.5")}, number=sale, motif="abîmé")
    paid = till.take_payment(Decimal("20.5"), number=sale, mode_paiement="MOBILE_MONEY")
    void = till.void(number=sale)

    assert [written(till, number)["type"] for number in (back, paid, void)] == ["retour", "paiement", "annulation"]
    assert [number[:4] for number in (sale, back, paid, void)] == ["FAC-", "RET-", "PAI-", "AVO-"]
    assert [written(till, number)["sequence"] for number in (sale, back, paid, void)] == [1, 2, 3, 4]
    assert all(written(till, number)["origine"] == {"numero_facture": sale} for number in (back, paid, void))
    assert all(written(till, number)["devise"] == "USD" for number in (back, paid, void))
    assert written(till, back)["lignes"] == [{"ligne": 2, "quantite": "0.5"}]
    assert (written(till, back)["motif"], written(till, paid)["montant"]) == ("abîmé", "20.5")
    assert [sale.number for sale in till.pending()] == [sale, back, paid, void]


@pytest.mark.parametrize("is_recorded", [False, True], ids=["in-the-queue", "in-the-journal"])
def test_no_more_comes_back_than_was_sold(till: Till, *, is_recorded: bool) -> None:
    sale = till.sell([RICE, OIL])
    if is_recorded:
        server_says(till)
    till.take_back({1: Decimal(1), 2: Decimal("1.5")}, number=sale)
    with pytest.raises(NotPossible, match="Ligne 1 : il n'en reste que 1 à rendre"):
        till.take_back({1: Decimal("1.001")}, number=sale)
    with pytest.raises(NotPossible, match="Ligne 2 : il n'en reste que 0"):
        till.take_back({2: Decimal("0.001")}, number=sale)
    with pytest.raises(NotPossible, match="n'a pas de ligne 3"):
        till.take_back({3: Decimal(1)}, number=sale)
    with pytest.raises(NotPossible, match="quantités positives"):
        till.take_back({1: Decimal(0)}, number=sale)

    assert written(till, till.take_back({1: Decimal(1)}, number=sale))["sequence"] == 3  # a refusal counted nothing


def test_a_sale_is_void_once_and_nothing_follows_it(till: Till) -> None:
    sale = till.sell([RICE], paye=False)
    void = till.void(number=sale)
    for follow in (
        lambda: till.void(number=sale),
        lambda: till.take_back({1: Decimal(1)}, number=sale),
        lambda: till.take_payment(Decimal(1), number=sale),
    ):
        with pytest.raises(NotPossible, match="déjà annulée"):
            follow()
    with pytest.raises(NotPossible, match="n'est pas une vente"):
        till.void(number=void)


def test_no_more_is_paid_than_is_owed(till: Till) -> None:
    """Owed: 50,000 less 1,000 off the whole, less 10 dollars at 2,850, less half of what was sold: 20,500 and so on."""
    at_once = {"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}
    sale = till.sell([RICE], paye=False, remise=1000, paiements=[at_once])
    with pytest.raises(NotPossible, match=r"que 20500\.00 à payer"):
        till.take_payment(Decimal("20500.01"), number=sale)
    till.take_payment(Decimal(500), number=sale)
    till.take_back({1: Decimal("0.5")}, number=sale)  # a quarter of 49,000
    with pytest.raises(NotPossible, match=r"que 7750\.00 à payer"):
        till.take_payment(Decimal("7750.01"), number=sale)
    till.take_payment(Decimal(7750), number=sale)

    with pytest.raises(NotPossible, match=r"que 0\.00 à payer"):
        till.take_payment(Decimal(1), number=till.sell([RICE]))
    with pytest.raises(NotPossible, match="montant positif"):
        till.take_payment(Decimal(0), number=sale)


def test_what_the_server_refused_has_not_happened(till: Till) -> None:
    """Another till has voided the sale: our void did nothing, and the server may refuse it again."""
    sale, bad = till.sell([RICE]), till.sell([RICE])
    refused = till.void(number=sale)
    server_says(
        till,
        **{
            refused: {"action": "garder", "status": "rejected", "code": "deja_annulee"},
            bad: {"action": "corriger", "status": "rejected", "code": "champ_invalide"},
        },
    )
    till.void(number=sale)
    with pytest.raises(NotPossible, match="n'a pas été enregistrée"):
        till.void(number=bad)


def test_a_void_whose_sale_has_not_arrived_counts(till: Till) -> None:
    sale = till.sell([RICE])
    void = till.void(number=sale)
    server_says(till, **{void: {"action": "garder", "status": "deferred", "code": "origine_inconnue"}})
    with pytest.raises(NotPossible, match="déjà annulée"):
        till.void(number=sale)


def test_the_server_decides_about_a_sale_that_is_not_in_the_book(till: Till) -> None:
    by_registration = till.void(registration="FAC-BTQ-009-202411-000002")
    by_number = till.take_payment(Decimal(5), number="FAC-20241030-017")
    assert written(till, by_registration)["origine"] == {"numero_enregistrement": "FAC-BTQ-009-202411-000002"}
    assert written(till, by_number)["origine"] == {"numero_facture": "FAC-20241030-017"}
    assert "devise" not in written(till, by_number)  # the sale's, whatever it is
    for neither_or_both in ({}, {"number": "a", "registration": "b"}):
        with pytest.raises(NotPossible, match="Nommer la vente"):
            till.void(**neither_or_both)


def test_both_names_of_a_sale_name_one_sale(till: Till) -> None:
    sale = till.sell([RICE])
    server_says(till, **{sale: {"numero_enregistrement": "FAC-BTQ-009-202411-000007"}})
    till.take_back({1: Decimal(2)}, registration="FAC-BTQ-009-202411-000007")
    with pytest.raises(NotPossible, match="il n'en reste que 0"):
        till.take_back({1: Decimal(1)}, number=sale)
    till.void(number=sale)
    with pytest.raises(NotPossible, match="déjà annulée"):
        till.void(registration="FAC-BTQ-009-202411-000007")


def test_many_small_returns_bring_back_what_one_large_one_does(till: Till) -> None:
    """Six pieces at 33.33 with 1.00 off the whole: sixths that do not come out even."""
    line = {"article_id": 15, "quantite": 3, "prix_unitaire": "33.33"}
    numbers = [till.sell([line, line], remise=1) for _ in range(2)]
    pieces = [till.take_back({line: Decimal(1)}, number=numbers[0]) for line in (1, 2, 1, 2, 1, 2)]
    whole = till.take_back({1: Decimal(3), 2: Decimal(3)}, number=numbers[1])
    amounts = {one["numero_facture"]: Decimal(str(one["montant"])) for one in day_of(till)["ventes"]}

    assert sum(amounts[piece] for piece in pieces) == amounts[whole] == amounts[numbers[0]] == Decimal("198.98")


def day_of(till: Till, **drawer: Any) -> dict[str, Any]:
    return json.loads(json.dumps(till.closings.day_of(till.closings.find(till.close_drawer(**drawer))), default=str))


def test_the_end_of_a_day_lists_every_document_and_sums_the_money(till: Till) -> None:
    cash, credit = till.sell([RICE]), till.sell([OIL], paye=False)
    dollars = {"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}
    mixed = till.sell([RICE], paiements=[{"mode": "CASH", "devise": "CDF", "montant": 21500}, dollars])
    paid = till.take_payment(Decimal(12500), number=credit, mode_paiement="MOBILE_MONEY")
    back, void = till.take_back({1: Decimal(1)}, number=cash), till.void(number=cash)
    of_credit = till.take_back({1: Decimal("0.5")}, number=credit)  # nobody hands money out for it
    foreign, unheard = (till.void(registration=f"FAC-BTQ-009-202411-00000{n}") for n in (2, 3))
    yesterday = {"numero_facture": "FAC-hier", "date_vente": "2024-11-03T23:30:00+01:00", "lignes": [RICE]}
    till.add(yesterday)
    server_says(till, **{foreign: {"montant_total": "10.00"}, unheard: {}})

    payouts = [("transport", "CDF", 3000)]
    day = day_of(till, opening={"CDF": 20000}, payouts=payouts, counted={"CDF": 201000}, cashier="C2")

    assert {one["numero_facture"]: one["montant"] for one in day["ventes"]} == {
        cash: "50000.00", credit: "112500.00", mixed: "50000.00", paid: "12500.00", back: "25000.00", void: "25000.00",
        of_credit: "37500.00", foreign: "10.00",
    }  # fmt: skip
    assert day["totaux"] == [
        {"mode": "CASH", "devise": "CDF", "nombre": 5, "montant": "21490.00"},
        {"mode": "CASH", "devise": "USD", "nombre": 1, "montant": "10.00"},
        {"mode": "MOBILE_MONEY", "devise": "CDF", "nombre": 1, "montant": "12500.00"},
    ]
    assert day["caisse"] == {
        "caissier": "C2",
        "fond_ouverture": [{"devise": "CDF", "montant": "20000"}],
        "sorties": [{"motif": "transport", "devise": "CDF", "montant": "3000"}],
        "especes_comptees": [{"devise": "CDF", "montant": "201000"}],
    }
    assert [one["numero_facture"] for one in day_of(till, day="2024-11-03")["ventes"]] == ["FAC-hier"]


def test_the_tills_day_is_the_shops_whatever_the_offset_says(till: Till) -> None:
    till.add({"numero_facture": "FAC-1", "date_vente": "2024-11-04T23:30:00+00:00", "lignes": [RICE]})
    till.add({"numero_facture": "FAC-2", "date_vente": "2024-11-05", "lignes": [RICE]})
    till.add({"numero_facture": "FAC-3", "date_vente": "2024-11-05T00:30:00", "lignes": [RICE]})
    assert [record.number for record in till.records.of_day("2024-11-05")] == ["FAC-1", "FAC-2", "FAC-3"]


def test_an_unreadable_document_does_not_break_the_closing(till: Till) -> None:
    till.add({"numero_facture": "FAC-1", "lignes": "?"})
    till.add({"numero_facture": "FAC-3", "lignes": [RICE | {"quantite": -1}]})
    till.add({"numero_facture": "FAC-2", "type": "paiement", "montant": "beaucoup"})
    till.sell([RICE])
    day = day_of(till)
    assert [one["montant"] for one in day["ventes"]] == ["50000.00"]
    assert [one["montant"] for one in day["totaux"]] == ["50000.00"]


def test_a_refused_sale_is_part_of_the_day_and_a_refused_void_moved_no_money(till: Till) -> None:
    """The first one's money was taken; the server itself names the documents that it could not read."""
    aside, kept, unreadable = (till.sell([RICE]) for _ in range(3))
    void = till.void(number=kept)
    server_says(
        till,
        **{
            aside: {"status": "set_aside"},
            kept: {"action": "garder", "code": "stock_insuffisant"},
            unreadable: {"action": "corriger", "code": "champ_invalide"},
            void: {"action": "garder", "code": "deja_annulee"},
        },
    )
    day = day_of(till)
    assert [one["numero_facture"] for one in day["ventes"]] == [aside, kept, void]
    assert [(one["nombre"], one["montant"]) for one in day["totaux"]] == [(2, "100000.00")]
    assert "caisse" not in day


def test_what_the_server_misses_goes_out_again_with_the_same_text(till: Till) -> None:
    purged, kept, wrong = (till.sell([RICE]) for _ in range(3))
    texts = {sale.number: sale.content for sale in till.pending()}
    server_says(till, **{kept: {"action": "garder"}, wrong: {"action": "corriger"}})

    assert till.queue.restore([purged, kept, wrong, "FAC-inconnue"]) == 2

    assert {sale.number: sale.state for sale in till.pending()} == {
        purged: "envoyer", kept: "envoyer", wrong: "corriger"
    }  # fmt: skip
    assert {sale.number: sale.content for sale in till.pending()} == texts
    server_says(till)
    assert [sale.number for sale in till.queue.journal()] == [kept, purged]
    assert till.queue.knows(purged)


def test_the_file_itself_refuses_to_edit_or_to_lose_what_was_recorded(till: Till, path: Path) -> None:
    till.sell([RICE])
    server_says(till)
    with closing(sqlite3.connect(path)) as file:
        for statement, reason in [
            ("UPDATE journal SET content = '{}'", "ne se modifie pas"),
            ("DELETE FROM journal", "que pour la file"),
        ]:
            with pytest.raises(sqlite3.IntegrityError, match=reason):
                file.execute(statement)


def test_it_says_what_it_holds_and_nothing_once_the_server_has_it(till: Till) -> None:
    def said() -> dict[str, Any]:
        held = till.records.held()
        body = heartbeat_of(held, now=till.seller.now(), sequence=till.book.counted("sequence"), currency="CDF")
        assert body["sequence"] == 4
        return json.loads(json.dumps(body["a_envoyer"], default=str))

    till.sell([RICE], date_vente="2024-11-04T15:10:00+01:00")
    till.sell([OIL])
    dollars = till.sell([RICE], devise="USD")
    till.void(number=dollars)
    everything = {
        "nombre": 4,
        "montants": [{"devise": "CDF", "montant": "162500.00"}, {"devise": "USD", "montant": "50000.00"}],
        "plus_ancienne": "2024-11-04T15:10:00+01:00",
    }
    assert said() == everything
    batch = till.queue.batch_to_send(sales_max=100)  # made, and perhaps posted: nobody knows
    assert said() == everything
    till.queue.accept(batch, receipt="r")
    assert said() == {"nombre": 0, "montants": []}


def test_it_keeps_a_document_that_could_not_be_read(till: Till) -> None:
    till.sell([RICE])
    till.queue.halve(till.queue.batch_to_send(sales_max=1), code="json_invalide", sentence="")
    invalid = till.sell([RICE])
    server_says(till, **{invalid: {"action": "corriger", "code": "champ_invalide"}})
    assert [sale.state for sale in till.pending()] == ["corriger", "corriger"]
    assert len(till.records.held()) == 1


def test_a_file_of_the_first_version_is_read_on(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.executescript(FIRST_VERSION)
    with Till(path, NOBODY, "serial", zone=KINSHASA) as till:
        assert [record.number for record in till.records.of_day("2024-11-04")] == ["FAC-2"]
        till.take_payment(Decimal(25000), number="FAC-1")
        with pytest.raises(NotPossible, match=r"que 0\.00 à payer"):
            till.take_payment(Decimal(1), number="FAC-1")
        assert written(till, till.void(number="FAC-2"))["sequence"] == 4
    with Till(path, NOBODY, "serial") as till:
        assert len(till.pending()) == 3


def test_nobody_else_on_the_machine_reads_the_file(path: Path, till: Till) -> None:
    till.sell([RICE])
    files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_changes_whose_sales_were_not_asked_for_yet_are_read_again(till: Till) -> None:
    """The power fails between two calls: the cursor must not be past changes that were not handled."""
    kept = till.sell([RICE])
    server_says(till, **{kept: {"action": "garder"}})
    page = {"ventes": [{"numero_facture": kept, "action": "purger"}], "curseur": "later", "fin": True}

    def lose_the_second(method: str, call: str, headers: dict, body: bytes | None) -> Answer:
        if call == "ventes/statut":
            raise Unreachable("cable pulled")
        return Answer(200, {}, json.dumps(page).encode())

    till.calls.transport = lose_the_second
    with pytest.raises(Unreachable):
        till.read_changes()
    assert till.book.setting("changes_cursor") is None


def test_a_change_of_one_content_does_not_affect_the_other_under_its_number(till: Till) -> None:
    kept = till.sell([RICE])
    server_says(till, **{kept: {"action": "garder", "code": "numero_deja_pris"}})
    page = {"ventes": [{"numero_facture": kept, "action": "purger"}], "curseur": "later", "fin": True}
    both = [{"numero_facture": kept, "action": action, "status": "created"} for action in ("purger", "garder")]

    def answer(method: str, call: str, headers: dict, body: bytes | None) -> Answer:
        return Answer(200, {}, json.dumps({"ventes": both} if call == "ventes/statut" else page).encode())

    till.calls.transport = answer
    assert till.read_changes() == 0
    assert [sale.number for sale in till.pending()] == [kept]
    both.pop()
    assert till.read_changes() == 1
    assert till.pending() == []
