"""Money is explained (P13): what each document moves in the drawer, and what is owed, as tills and pages are told."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from backend.sales.models import MoneyMovement, Sale, SaleOutcome
from backend.sales.money.owed import owed_for
from backend.sales.money.takings import takings_by_day
from backend.sales.repair.back_office import office_device
from backend.sales.repair.desk import Desk
from backend.testing import Cast, make_device, make_terminal
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

NOW = datetime.now(UTC)
USD_AND_CDF = [{"mode": "CASH", "devise": "USD", "montant": 5, "taux": 2850}, {"mode": "CASH", "montant": 10750}]


def sold(cast: Cast, number: str = "A", **fields: Any) -> dict[str, Any]:
    """Return a sale of one bag of rice for 25,000 francs, today."""
    return sale(number, line(cast.rice), date_vente=NOW.isoformat(), **fields)


def follows(kind: str, number: str, origin: str = "A", **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "numero_facture": number,
        "origine": {"numero_facture": origin},
        "date_vente": NOW.isoformat(),
        **fields,
    }


def void(**fields: Any) -> dict[str, Any]:
    return follows("annulation", "AVO", **fields)


def give_back_all(**fields: Any) -> dict[str, Any]:
    return follows("retour", "RET", lignes=[{"ligne": 1, "quantite": 1}], **fields)


def pay(amount: object, number: str = "PAI", **fields: Any) -> dict[str, Any]:
    return follows("paiement", number, montant=amount, **fields)


def drawer(till: Till) -> dict[str, str]:
    """Return what the end of the till's day says is in the drawer: "MODE CURRENCY" → amount, sums of zero left out."""
    return {
        f"{one['mode']} {one['devise']}": one["montant"] for one in closing(till)["totaux"] if Decimal(one["montant"])
    }


def closing(till: Till, **report: Any) -> dict[str, Any]:
    day = NOW.astimezone(ZoneInfo(till.device.terminal.shop.timezone)).date()
    body = json.dumps({"jour": day.isoformat(), "totaux": [], **report}).encode()
    answer = till.call("POST", "/api/v2/simple/ventes/rapprochement", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def moved(entry: dict[str, Any]) -> dict[str, str]:
    return {f"{one['mode']} {one['devise']}": one["montant"] for one in entry["argent"]}


def owed(number: str = "A") -> Decimal:
    return owed_for(Sale.objects.get(number=number))


# What is undone


@pytest.mark.parametrize("undo", [void, give_back_all])
def test_what_undoes_a_sale_in_another_mode_gives_back_in_that_mode(cast: Cast, till: Till, undo: Any) -> None:
    till.settle(sold(cast, mode_paiement="MOBILE_MONEY"))
    assert drawer(till) == {"MOBILE_MONEY CDF": "25000.00"}
    entry = till.settle_one(undo())
    assert moved(entry) == {"MOBILE_MONEY CDF": "-25000.00"}
    assert entry["avertissements"] == []
    assert drawer(till) == {}


def test_the_void_of_a_split_sale_gives_back_each_currency(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paiements=USD_AND_CDF))
    assert drawer(till) == {"CASH USD": "5.00", "CASH CDF": "10750.00"}
    assert moved(till.settle_one(void())) == {"CASH USD": "-5.00", "CASH CDF": "-10750.00"}
    assert drawer(till) == {}


def test_a_void_that_names_a_mode_gives_all_back_in_it_each_currency_kept(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paiements=[USD_AND_CDF[0], USD_AND_CDF[1] | {"mode": "MOBILE_MONEY"}]))
    entry = till.settle_one(void(mode_paiement="CASH"))
    assert moved(entry) == {"CASH USD": "-5.00", "CASH CDF": "-10750.00"}


def test_a_void_may_say_itself_what_it_handed_back(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paiements=USD_AND_CDF))
    entry = till.settle_one(void(paiements=[{"montant": 25000}]))
    assert (moved(entry), entry["avertissements"]) == ({"CASH CDF": "-25000.00"}, [])


def test_a_void_that_hands_back_another_amount_is_recorded_with_a_warning(cast: Cast, till: Till) -> None:
    till.settle(sold(cast))
    entry = till.settle_one(void(paiements=[{"montant": 20000}]))
    assert (moved(entry), entry["avertissements"]) == ({"CASH CDF": "-20000.00"}, ["paiements_differents"])


def test_the_change_comes_back_with_a_void(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paiements=[{"devise": "USD", "montant": 10, "taux": 2850}], rendu=[{"montant": 3500}]))
    till.settle_one(void())
    assert drawer(till) == {}


def test_a_credit_that_was_paid_and_comes_back_is_given_back(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paye=False), pay(25000, mode_paiement="MOBILE_MONEY"))
    entry = till.settle_one(give_back_all())
    assert moved(entry) == {"MOBILE_MONEY CDF": "-25000.00"}
    assert (drawer(till), owed()) == ({}, 0)


def test_the_deposit_on_a_credit_goes_out_with_its_void(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paye=False, paiements=[{"montant": 10000}]))
    assert (drawer(till), owed()) == ({"CASH CDF": "10000.00"}, 15000)
    assert moved(till.settle_one(void())) == {"CASH CDF": "-10000.00"}
    assert (drawer(till), owed()) == ({}, 0)


def test_a_return_first_lessens_what_is_owed(cast: Cast, till: Till) -> None:
    till.settle(
        sale("A", line(cast.rice, quantity=4, price=10000), date_vente=NOW.isoformat(), paye=False,
             paiements=[{"montant": 15000}]),
    )  # fmt: skip
    first = till.settle_one(follows("retour", "R-1", lignes=[{"ligne": 1, "quantite": 2}]))
    assert (moved(first), owed()) == ({}, 5000)
    second = till.settle_one(follows("retour", "R-2", lignes=[{"ligne": 1, "quantite": 2}]))
    assert (moved(second), owed()) == ({"CASH CDF": "-15000.00"}, 0)
    assert drawer(till) == {}


def test_never_more_is_given_back_than_was_paid(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paiements=[{"montant": 20000}]))
    assert moved(till.settle_one(give_back_all())) == {"CASH CDF": "-20000.00"}


def test_a_return_of_a_split_sale_that_does_not_say_how_is_a_guess(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paiements=USD_AND_CDF), sold(cast, "B", paiements=USD_AND_CDF))
    entry = till.settle_one(give_back_all())
    assert (moved(entry), entry["avertissements"]) == ({"CASH CDF": "-25000.00"}, ["mode_suppose"])
    said = till.settle_one(
        follows("retour", "R-2", "B", lignes=[{"ligne": 1, "quantite": 1}], mode_paiement="MOBILE_MONEY")
    )
    assert (moved(said), said["avertissements"]) == ({"MOBILE_MONEY CDF": "-25000.00"}, [])


def test_ten_returns_of_a_tenth_give_back_what_was_paid_to_the_cent(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice, quantity=1, price="10.01"), date_vente=NOW.isoformat(), remise="0.02"))
    for number in range(10):
        till.settle(follows("retour", f"R-{number}", lignes=[{"ligne": 1, "quantite": "0.1"}]))
    assert drawer(till) == {}


def test_money_goes_out_of_the_drawer_that_hands_it_over(cast: Cast, till: Till) -> None:
    """Another till and another cashier give back: not the drawer in which the money is."""
    first = till.settle_one(sold(cast, caissier={"code": "C1"}))
    other = Till(make_device(make_terminal(cast.shop)))
    other.settle(void(caissier={"code": "C2"}) | {"origine": {"vente_id": first["id"]}})
    assert (drawer(till), drawer(other)) == ({"CASH CDF": "25000.00"}, {"CASH CDF": "-25000.00"})
    assert list(MoneyMovement.objects.order_by("pk").values_list("terminal", "cashier")) == [
        (till.device.terminal_id, "C1"),
        (other.device.terminal_id, "C2"),
    ]


# What comes in


@pytest.mark.parametrize(("amount", "expected"), [(30000, "30000.00"), (20000, "20000.00")])
def test_payments_that_are_not_the_total_are_a_warning(cast: Cast, till: Till, amount: int, expected: str) -> None:
    entry = till.settle_one(sold(cast, paye=True, paiements=[{"montant": amount}]))
    assert (entry["status"], entry["avertissements"]) == ("created", ["paiements_differents"])
    assert (drawer(till), owed()) == ({"CASH CDF": expected}, 0)


def test_what_another_currency_cannot_express_is_no_difference(cast: Cast, till: Till) -> None:
    entry = till.settle_one(sold(cast, paiements=[{"devise": "USD", "montant": "8.77", "taux": 2850}]))
    assert (entry["avertissements"], drawer(till)) == ([], {"CASH USD": "8.77"})


def test_change_goes_out_of_the_francs_and_the_dollars_come_in(cast: Cast, till: Till) -> None:
    entry = till.settle_one(
        sold(cast, paiements=[{"devise": "USD", "montant": 10, "taux": 2850}], rendu=[{"montant": 3500}])
    )
    assert (entry["status"], entry["avertissements"]) == ("created", [])
    assert moved(entry) == drawer(till) == {"CASH USD": "10.00", "CASH CDF": "-3500.00"}


def test_change_without_payments_is_out_of_more_than_the_total(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, rendu=[{"montant": 5000}]))
    assert list(MoneyMovement.objects.order_by("pk").values_list("kind", "amount")) == [
        ("ENCAISSEMENT", 30000),
        ("RENDU", -5000),
    ]
    assert drawer(till) == {"CASH CDF": "25000.00"}


def test_change_takes_the_rate_of_the_payment_in_its_currency(cast: Cast, till: Till) -> None:
    entry = till.settle_one(
        sold(
            cast,
            paiements=[{"devise": "USD", "montant": 20, "taux": 2500}],
            rendu=[{"devise": "USD", "montant": 10}],
        )
    )
    assert (moved(entry), entry["avertissements"]) == ({"CASH USD": "10.00"}, [])
    lone = till.settle_one(sold(cast, "B", rendu=[{"devise": "USD", "montant": 1}]))
    assert (lone["code"], lone["chemin"]) == ("champ_invalide", "rendu[0].taux")


def test_nothing_is_exchanged_within_one_currency(cast: Cast, till: Till) -> None:
    entry = till.settle_one(sold(cast, paye=False, paiements=[{"devise": "CDF", "montant": 5000, "taux": 2850}]))
    assert (entry["code"], entry["chemin"]) == ("champ_invalide", "paiements[0].taux")
    one = till.settle_one(sold(cast, "B", paiements=[{"devise": "CDF", "montant": 25000, "taux": "1.00"}]))
    assert one["status"] == "created"


@pytest.mark.parametrize(
    ("fields", "cash", "left"),
    [
        ({"mode_paiement": "CREDIT"}, {}, 25000),
        ({"mode_paiement": "CREDIT", "paiements": [{"montant": 10000}]}, {"CASH CDF": "10000.00"}, 15000),
        ({"mode_paiement": "Crédit"}, {"CRÉDIT CDF": "25000.00"}, 0),
        ({"paiements": [{"montant": 10000}, {"mode": "credit", "montant": 15000}]}, {"CASH CDF": "10000.00"}, 15000),
    ],
)
def test_credit_is_no_money(cast: Cast, till: Till, fields: Any, cash: Any, left: int) -> None:
    entry = till.settle_one(sold(cast, **fields))
    assert entry["avertissements"] == (["credit_suppose"] if left else [])
    assert (drawer(till), owed()) == (cash, left)


def test_a_sale_on_credit_that_says_it_is_paid_moves_no_money_and_owes_none(cast: Cast, till: Till) -> None:
    entry = till.settle_one(sold(cast, mode_paiement="CREDIT", paye=True))
    assert (entry["avertissements"], drawer(till), owed()) == (["paiements_differents"], {}, 0)
    parts = [{"montant": 10000}, {"mode": "CREDIT", "montant": 15000}]
    entry = till.settle_one(sold(cast, "B", paiements=parts, paye=True))
    assert (entry["avertissements"], drawer(till), owed("B")) == (["paiements_differents"], {"CASH CDF": "10000.00"}, 0)


def test_a_credit_in_francs_is_paid_in_dollars(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paye=False))
    entry = till.settle_one(pay(5, devise="USD", taux=2850))
    assert (entry["status"], entry["montant_total"], entry["devise"]) == ("paid", "14250.00", "CDF")
    assert (drawer(till), owed()) == ({"CASH USD": "5.00"}, 10750)


def test_a_payment_in_another_currency_says_its_rate(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paye=False))
    missing = till.settle_one(pay(5, devise="USD"))
    assert (missing["code"], missing["chemin"]) == ("champ_invalide", "taux")
    own = till.settle_one(pay(5000, "P-2", taux=2850))
    assert (own["code"], own["chemin"]) == ("champ_invalide", "taux")
    assert owed() == 25000


def test_a_payment_says_in_what_it_came_and_what_change_was_given(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paye=False))
    entry = till.settle_one(
        pay(25000, paiements=[{"devise": "USD", "montant": 10, "taux": 2850}], rendu=[{"montant": 3500}])
    )
    assert (entry["status"], entry["avertissements"]) == ("paid", [])
    assert (drawer(till), owed()) == ({"CASH USD": "10.00", "CASH CDF": "-3500.00"}, 0)


def test_a_payment_of_more_than_is_owed_is_refused_in_any_currency(cast: Cast, till: Till) -> None:
    till.settle(sold(cast, paye=False))
    assert till.settle_one(pay(10, devise="USD", taux=2850))["code"] == "paiement_excessif"
    # 8.78 $ are 23 francs too many, less than a cent of a dollar: no amount in dollars would be exact.
    assert till.settle_one(pay("8.78", "P-2", devise="USD", taux=2850))["status"] == "paid"
    assert owed() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"paiements": [{"montant": 100}], "rendu": [{"montant": 5000}]},
        {"paiements": [{"montant": 100}], "rendu": [{"montant": 100}]},
        {"paiements": [{"mode": "CREDIT", "montant": 100}]},
    ],
)
def test_a_payment_that_brings_nothing_in_is_refused(cast: Cast, till: Till, fields: dict[str, Any]) -> None:
    """More change than money would be a loan."""
    till.settle(sold(cast, paye=False), sold(cast, "B"))
    entry = till.settle_one(pay(100, **fields))
    assert (entry["code"], entry["chemin"]) == ("champ_invalide", "paiements")
    paid = till.settle_one(follows("paiement", "P-2", "B", montant=100, **fields))
    assert paid["code"] == "champ_invalide"
    assert (drawer(till), owed()) == ({"CASH CDF": "25000.00"}, 25000)


# Keys


def test_modes_cashiers_and_customers_are_told_apart_byte_for_byte(cast: Cast, till: Till) -> None:
    till.settle(
        sold(cast, "A", mode_paiement="Chèque", caissier={"code": "C2"}, client={"nom": "Zoé T"}, paye=True),
        sold(cast, "B", mode_paiement="Cheque", caissier={"code": "c2"}, client={"nom": "Zoe T"}, paye=True),
        sold(cast, "C", mode_paiement="chèque", paye=True),
    )
    assert drawer(till) == {"CHÈQUE CDF": "50000.00", "CHEQUE CDF": "25000.00"}
    till.settle(sold(cast, "D", caissier={"code": "C2"}), sold(cast, "E", caissier={"code": "c2"}))
    for cashier in ("C2", "c2"):
        [cash] = closing(till, caisse={"caissier": cashier})["caisse"]
        assert cash["attendu"] == "25000.00"
    assert [Sale.objects.filter(customer_name=name).count() for name in ("Zoé T", "Zoe T", "zoé t")] == [1, 1, 0]


def test_a_customers_page_shows_only_that_customers_debts(cast: Cast, till: Till) -> None:
    till.settle(
        sold(cast, "A", client={"nom": "Zoé T"}, paye=False), sold(cast, "B", client={"nom": "Zoe T"}, paye=False)
    )
    client = Client()
    client.force_login(cast.alice)
    page = client.get(reverse("web:credits"), {"client": "Zoe T"})
    assert [one.number for one in page.context["page"].rows] == ["B"]


# The desk and the pages


def test_a_correction_undoes_the_money_where_it_was(cast: Cast, till: Till) -> None:
    yesterday = NOW - timedelta(days=1)
    cashier = {"caissier": {"code": "C1"}, "date_vente": yesterday.isoformat()}
    till.settle(sold(cast) | cashier)
    till.settle(sale("A", line(cast.rice, price=20000), **cashier))
    entry = SaleOutcome.objects.values_list("batch_id", "position").get(status="conflict")
    Desk(shop=cast.shop, user=cast.alice).replace_first(*entry, key="aaaa1111")
    first, corrected = Sale.objects.filter(number="A").order_by("variant")
    places = MoneyMovement.objects.values_list("terminal", "cashier", "till_day", "business_day").distinct()
    assert list(places) == [(till.device.terminal_id, "C1", first.till_day, first.business_day)]
    assert sum(MoneyMovement.objects.values_list("amount", flat=True)) == corrected.total == 20000
    office = office_device(cast.shop).terminal
    assert not MoneyMovement.objects.filter(terminal=office).exists()
    # The kept total of that day is added up again.
    day = takings_by_day(shop_id=cast.shop.pk, days=[first.business_day])[first.business_day]
    assert {key: flow.amount for key, flow in day.net().items()} == {("CDF", "CASH"): Decimal(20000)}


def test_a_till_cannot_choose_another_drawer(cast: Cast, till: Till) -> None:
    other = make_terminal(cast.shop)
    till.settle(sold(cast, tiroir={"caisse": other.pk}))
    assert list(MoneyMovement.objects.values_list("terminal", flat=True)) == [till.device.terminal_id]


# The ledger


def test_the_database_refuses_to_change_a_movement(cast: Cast, till: Till) -> None:
    till.settle(sold(cast))
    for statement in ("UPDATE sales_moneymovement SET amount = 1", "DELETE FROM sales_moneymovement"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert MoneyMovement.objects.get().amount == 25000


def test_an_amount_that_no_column_holds_is_refused_with_its_path(cast: Cast, till: Till) -> None:
    huge = [{"devise": "USD", "montant": 99_999_999_999, "taux": 999_999_999}]
    entry = till.settle_one(sold(cast, paiements=huge))
    assert (entry["code"], entry["chemin"]) == ("champ_invalide", "paiements[0].montant")
    many = [{"montant": 99_999_999_999}] * 20
    assert till.settle_one(sold(cast, "B", paiements=many))["chemin"] == "paiements"
