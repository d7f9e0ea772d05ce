"""The money that a till reckons by itself: what its documents move, what it refuses, and what old files say."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backend.example_till import Till
from backend.example_till.closing import describe_answer
from backend.example_till.console.console import tender
from backend.example_till.followers import NotPossible
from tests.test_till_documents import KINSHASA, NOBODY, day_of, server_says, written

RICE = {"article_id": 15, "quantite": 1, "prix_unitaire": Decimal(25000)}
DOLLARS = {"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}
REGISTRATION = "FAC-BTQ-009-202411-00000{}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "caisse.sqlite3"


@pytest.fixture
def till(path: Path) -> Iterator[Till]:
    with Till(path, NOBODY, "serial", zone=KINSHASA) as till:
        yield till


def money_of(till: Till) -> dict[tuple[str, str], tuple[int, str]]:
    return {(one["mode"], one["devise"]): (one["nombre"], one["montant"]) for one in day_of(till)["totaux"]}


def test_a_sale_paid_in_dollars_with_change_in_francs_moves_both(till: Till) -> None:
    till.sell([RICE], paiements=[DOLLARS], rendu=[{"montant": 3500}])
    assert money_of(till) == {("CASH", "CDF"): (1, "-3500.00"), ("CASH", "USD"): (1, "10.00")}


def test_a_payment_and_its_change_in_one_mode_are_one_document(till: Till) -> None:
    till.sell([RICE], paiements=[{"mode": "cash", "montant": 30000}], rendu=[{"mode": "Cash ", "montant": 5000}])
    assert money_of(till) == {("CASH", "CDF"): (1, "25000.00")}


def test_a_sale_in_the_mode_credit_is_owed_and_moves_nothing(till: Till) -> None:
    sale = till.sell([RICE], mode_paiement="Credit")
    down = till.sell([RICE], paiements=[{"montant": 10000}, {"mode": "CREDIT", "montant": 15000}])
    whole = till.sell([RICE], mode_paiement="CREDIT", paiements=[{"montant": 10000}])
    assert [written(till, number)["paye"] for number in (sale, down, whole)] == [False, False, False]
    assert money_of(till) == {("CASH", "CDF"): (2, "20000.00")}
    till.take_payment(Decimal(25000), number=sale)
    with pytest.raises(NotPossible, match=r"que 15000\.00 à payer"):
        till.take_payment(Decimal("15000.01"), number=down)


def test_a_void_gives_back_what_stands_as_it_came(till: Till) -> None:
    sale = till.sell([RICE], paiements=[DOLLARS], rendu=[{"montant": 3500}])
    till.take_back({1: Decimal("0.2")}, number=sale, mode_paiement="MOBILE_MONEY")
    till.void(number=sale)
    assert money_of(till) == {
        ("CASH", "CDF"): (2, "0.00"), ("CASH", "USD"): (2, "0.00"), ("MOBILE_MONEY", "CDF"): (2, "0.00")
    }  # fmt: skip


def test_a_return_lessens_the_debt_before_any_money_goes_back(till: Till) -> None:
    credit = till.sell([RICE | {"quantite": 2}], paye=False, paiements=[{"montant": 10000}])
    till.take_back({1: Decimal(1)}, number=credit)
    assert money_of(till) == {("CASH", "CDF"): (1, "10000.00")}
    till.take_back({1: Decimal(1)}, number=credit)
    assert money_of(till) == {("CASH", "CDF"): (2, "0.00")}


def test_a_debt_is_paid_in_another_currency_to_less_than_its_cent(till: Till) -> None:
    """2.50 francs are owed, which is less than a tenth of a cent of a dollar; two cents are too much."""
    sale = till.sell([RICE], paye=False, paiements=[{"montant": "24997.50"}])
    with pytest.raises(NotPossible, match=r"que 2\.50 à payer"):
        till.take_payment(Decimal("0.02"), number=sale, devise="USD", taux=2850)
    till.take_payment(Decimal("0.01"), number=sale, devise="USD", taux=2850)
    assert money_of(till)["CASH", "USD"] == (1, "0.01")
    assert [one["montant"] for one in day_of(till)["ventes"]] == ["25000.00", "28.50"]


@pytest.mark.parametrize(
    ("money", "said"),
    [
        ({"paiements": [{"devise": "USD", "montant": 10}]}, r"paiements\[0\]\.taux : il manque le taux"),
        ({"paiements": [DOLLARS | {"devise": "CDF"}]}, r"paiements\[0\]\.taux : le taux d'une devise vers elle-même"),
        ({"rendu": [{"devise": "USD", "montant": 1}]}, r"rendu\[0\]\.taux : il manque"),
        ({"paiements": [{"montant": -1}]}, r"paiements\[0\]\.montant : .* jamais négatif"),
    ],
)
def test_it_writes_nothing_whose_money_the_server_could_not_read(till: Till, money: dict[str, Any], said: str) -> None:
    sale, credit = till.sell([RICE]), till.sell([RICE], paye=False)
    with pytest.raises(NotPossible, match=said):
        till.sell([RICE], **money)
    with pytest.raises(NotPossible, match=said):
        till.take_payment(Decimal(1), number=credit, **money)
    if "paiements" in money:
        with pytest.raises(NotPossible, match=said):
            till.void(number=sale, **money)
    assert len(till.pending()) == 2


def test_of_a_sale_that_the_book_does_not_have_the_servers_word_counts(till: Till) -> None:
    void, back = till.void(registration=REGISTRATION.format(2)), till.void(registration=REGISTRATION.format(3))
    owed = till.take_back({1: Decimal(1)}, registration=REGISTRATION.format(4))
    said = [{"mode": "CASH", "devise": "USD", "montant": "-5.00"}, {"mode": "M-PESA", "devise": "CDF", "montant": "-1"}]
    server_says(
        till,
        **{
            void: {"montant_total": "25000.00", "argent": said},
            back: {"montant_total": "10.00"},  # of a server that does not say it yet
            owed: {"montant_total": "500.00", "argent": []},
        },
    )
    assert money_of(till) == {
        ("CASH", "CDF"): (1, "-10.00"), ("CASH", "USD"): (1, "-5.00"), ("M-PESA", "CDF"): (1, "-1.00")
    }  # fmt: skip
    assert len(day_of(till)["ventes"]) == 3


def test_an_unreadable_payment_does_not_break_the_closing(till: Till) -> None:
    till.add({"numero_facture": "FAC-1", "lignes": [RICE], "paiements": [{"devise": "USD", "montant": 1}]})
    till.sell([RICE])
    assert [one["montant"] for one in day_of(till)["ventes"]] == ["25000.00"]
    assert money_of(till) == {("CASH", "CDF"): (1, "25000.00")}


def test_a_file_of_the_version_before_the_money_is_read_on(path: Path) -> None:
    with Till(path, NOBODY, "serial", zone=KINSHASA) as till:
        sale = till.sell([RICE], paiements=[DOLLARS], rendu=[{"montant": 3500}])
        foreign = till.void(registration=REGISTRATION.format(2), mode_paiement="mobile_money")
        server_says(till, **{foreign: {"montant_total": "10.00"}})
    with closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE journal DROP COLUMN money")
        file.execute("PRAGMA user_version = 1")
    with Till(path, NOBODY, "serial", zone=KINSHASA) as till:
        assert money_of(till)["MOBILE_MONEY", "CDF"] == (1, "-10.00")
        till.void(number=sale)
        again = till.void(registration=REGISTRATION.format(3))
        server_says(till, **{again: {"montant_total": "7.00", "argent": []}})
        assert money_of(till)["CASH", "USD"] == (2, "0.00")
        assert money_of(till)["CASH", "CDF"] == (2, "0.00")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("CDF=21500", {"mode": "CASH", "devise": "CDF", "montant": Decimal(21500)}),
        ("USD=10@2850", DOLLARS),
        ("m-pesa:usd=2,5@2850", {"mode": "m-pesa", "devise": "USD", "montant": Decimal("2.5"), "taux": 2850}),
    ],
)
def test_the_command_reads_money_as_people_write_it(text: str, read: dict[str, Any]) -> None:
    assert tender(text) == read


def test_a_currency_that_was_not_counted_is_said_as_such() -> None:
    line = {"devise": "USD", "attendu": "10.00", "compte": "0.00", "ecart": "-10.00"}
    answer = {"jour": "2024-11-04", "resultat": "ecart", "differentes": []} | dict.fromkeys(
        ("manquantes", "en_trop", "en_attente", "a_corriger"), ()
    )
    assert describe_answer(answer | {"caisse": [line | {"non_compte": True}]})[-1] == (
        "  Espèces USD : attendu 10.00, pas compté"
    )
    assert describe_answer(answer | {"caisse": [line]})[-1].endswith("compté 0.00, il manque 10.00")


def test_the_command_writes_how_money_is_handed_over(path: Path) -> None:
    def till(*arguments: str) -> str:
        said = io.StringIO()
        call_command("till", *arguments, "--file", str(path), "--url", NOBODY, "--serial", "serial", stdout=said)
        return said.getvalue().split()[0]

    article = ["--article", "15", "--price", "25000"]
    sale = till("sell", *article, "--payment", "USD=10@2850", "--change", "CDF=3500")
    both = ["--payment", "CASH:CDF=12000", "--payment", "B:CDF=500"]
    back = till("return", sale, "--line", "1", "--quantity", "0,5", *both)
    by_mode = till("return", sale, "--line", "1", "--quantity", "0,1", "--mode", "MOBILE_MONEY")
    credit = till("sell", *article, "--mode", "credit")
    paid = till("pay", credit, "--amount", "5", "--currency", "USD", "--rate", "2850")
    rest = till("pay", credit, "--amount", "10000", "--payment", "CDF=11000", "--change", "CDF=1000")
    void = till("void", credit, "--mode", "BANK")

    with Till(path, NOBODY, "serial") as opened:
        assert written(opened, sale)["paiements"] == [DOLLARS | {"montant": "10", "taux": "2850"}]
        assert written(opened, sale)["rendu"] == [{"mode": "CASH", "devise": "CDF", "montant": "3500"}]
        assert [one["mode"] for one in written(opened, back)["paiements"]] == ["CASH", "B"]
        assert [written(opened, number)["mode_paiement"] for number in (by_mode, void)] == ["MOBILE_MONEY", "BANK"]
        assert (written(opened, credit)["paye"], written(opened, sale)["paye"]) == (False, True)
        assert (written(opened, paid)["devise"], written(opened, paid)["taux"]) == ("USD", "2850")
        assert written(opened, rest)["rendu"][0]["montant"] == "1000"
        assert "mode_paiement" not in written(opened, back)
        assert money_of(opened)["BANK", "CDF"] == (1, "-10000.00")
        assert money_of(opened)["BANK", "USD"] == (1, "-5.00")
