"""Hostile values in the fields of money: each is refused with its path, alone, and moves nothing. Only the shop's own
pages choose a drawer."""

from typing import Any

import pytest

from backend.sales.models import MoneyMovement
from backend.testing import Cast
from tests.invariants import check_invariants
from tests.tills import Till, line, sale, stock_of

pytestmark = pytest.mark.embedded

LARGE = 99_999_999_999
# Of a field that says an amount: neither zero nor small, and nothing that a text may hide.
AMOUNTS = {
    "NaN": float("nan"),
    "NaN as text": "NaN",
    "a signalling NaN": "sNaN",
    "infinity": float("inf"),
    "infinity as text": "-Infinity",
    "negative": -1,
    "negative as text": "-0.01",
    "1e30": 1e30,
    "1e30 as text": "1e30",
    "4,000 digits": 10**4000,
    "41 digits": "0." + "1" * 41,
    "a word": "beaucoup",
    "a truth": True,
    "a list": [1],
    "an object": {"montant": 1},
}
MODES = {
    "empty": "",
    "blank": "  ",
    "33 characters": "M" * 33,
    "a number": 12,
    "a control": "A\u0007B",
    "NUL": "A\u0000",
}
CURRENCIES = {"two letters": "US", "a number": 840, "digits": "123", "a list": ["CDF"]}


def rows(name: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Return, for a list of payments: what is wrong: (the field as sent, the path that its refusal names)."""
    good = {"mode": "CASH", "devise": "CDF", "montant": 100}
    dollars = {"mode": "CASH", "devise": "USD", "montant": 1}
    cases: dict[str, tuple[Any, str]] = {
        f"amount: {what}": ([good | {"montant": value}], "[0].montant") for what, value in AMOUNTS.items()
    }
    cases |= {
        f"rate: {what}": ([good, dollars | {"taux": value}], "[1].taux")
        for what, value in (AMOUNTS | {"zero": 0, "less than it holds": "0.000000001"}).items()
    }
    cases |= {f"mode: {what}": ([good | {"mode": value}], "[0].mode") for what, value in MODES.items()}
    cases |= {f"currency: {what}": ([good | {"devise": value}], "[0].devise") for what, value in CURRENCIES.items()}
    cases |= {
        "no amount": ([{"mode": "CASH"}], "[0].montant"),
        "null": ([good | {"montant": None}], "[0].montant"),
        "its own currency's rate is not 1": ([good | {"taux": 2850}], "[0].taux"),
        "its own currency's rate is not 1, unnamed": ([{"montant": 100, "taux": "1.00000001"}], "[0].taux"),
        "no rate": ([dollars], "[0].taux"),
        "worth too much": ([dollars | {"montant": LARGE, "taux": 2850}], "[0].montant"),
        "21 rows": ([good] * 21, ""),
        "no list": ({"montant": 1}, ""),
        "a text": ("CASH", ""),
        "a row that is none": ([good, 12], "[1]"),
        "a row of nothing": ([None], "[0]"),
    }
    return {f"{name}, {what}": ({name: sent}, f"{name}{path}") for what, (sent, path) in cases.items()}


TOO_MUCH = {"paiements, too much in all": ({"paiements": [{"montant": LARGE}] * 2}, "paiements")}
OF_A_RATE = {f"rate, {what}": ({"devise": "USD", "taux": value}, "taux") for what, value in AMOUNTS.items()} | {
    "rate, missing": ({"devise": "USD"}, "taux"),
    "rate, of the sale's own currency": ({"taux": 2850}, "taux"),
    "rate, zero": ({"devise": "USD", "taux": 0}, "taux"),
    "rate, worth too much": ({"devise": "USD", "montant": LARGE, "taux": 2850}, "montant"),
}
CASES = {
    "vente": rows("paiements") | rows("rendu") | TOO_MUCH,
    "annulation": rows("paiements") | TOO_MUCH,
    "retour": rows("paiements") | TOO_MUCH,
    "paiement": rows("paiements") | rows("rendu") | TOO_MUCH | OF_A_RATE,
}


def document(cast: Cast, kind: str, number: str) -> dict[str, Any]:
    """Return a document of this kind that would be recorded."""
    if kind == "vente":
        return sale(number, line(cast.rice))
    follower: dict[str, Any] = {"type": kind, "numero_facture": number, "origine": {"numero_facture": "FAC-1"}}
    if kind == "retour":
        return follower | {"lignes": [{"ligne": 1, "quantite": "0.5"}]}
    return follower | ({"montant": 100} if kind == "paiement" else {})


@pytest.mark.parametrize("kind", CASES)
def test_hostile_money_is_refused_alone_with_its_path(cast: Cast, till: Till, kind: str) -> None:
    cases = CASES[kind]
    till.settle(sale("FAC-1", line(cast.rice), paye=False))
    hostile = [document(cast, kind, f"X-{name}") | sent for name, (sent, _) in cases.items()]

    receipt = till.settle(*hostile, document(cast, kind, "BON"))

    refused = receipt["details"]["erreurs"]
    assert {one["numero_facture"][2:]: one.get("chemin") for one in refused} == {
        name: path for name, (_, path) in cases.items()
    }
    assert {(one["status"], one["code"], one["action"]) for one in refused} == {
        ("rejected", "champ_invalide", "corriger")
    }
    assert all(one["erreur"].startswith("Champ invalide") for one in refused)
    assert [one["numero_facture"] for one in receipt["details"]["creees"]] == ["BON"]
    assert MoneyMovement.objects.count() == {"vente": 1, "annulation": 0, "retour": 0, "paiement": 1}[kind]
    assert stock_of(cast.rice) == {"vente": 98, "annulation": 100, "retour": 99.5, "paiement": 99}[kind]
    check_invariants()


@pytest.mark.parametrize("kind", CASES)
def test_a_currency_that_the_shop_does_not_take_is_named(cast: Cast, till: Till, kind: str) -> None:
    till.settle(sale("FAC-1", line(cast.rice), paye=False))
    euros = [{"mode": "CASH", "devise": "EUR", "montant": 1, "taux": 3000}]
    names = ["paiements", "rendu"] if kind in ("vente", "paiement") else ["paiements"]
    for name in names:
        refused = till.settle_one(document(cast, kind, f"X-{name}") | {name: euros})
        assert (refused["code"], refused["chemin"]) == ("devise_inconnue", f"{name}[0].devise")
        assert refused["action"] == "garder"
    assert MoneyMovement.objects.count() == 0


def test_twenty_rows_are_taken_and_so_are_amounts_at_the_edge(cast: Cast, till: Till) -> None:
    many = till.settle_one(
        sale("A", line(cast.rice), paiements=[{"montant": 1250, "mode": f"M{n}"} for n in range(20)])
    )
    assert (many["status"], len(many["argent"])) == ("created", 20)
    edge = till.settle_one(sale("B", line(cast.rice), paye=False, paiements=[{"montant": "99999999999.99"}]))
    assert edge["argent"] == [{"mode": "CASH", "devise": "CDF", "montant": "99999999999.99"}]
    assert "paiements_differents" in edge["avertissements"]
    check_invariants()


@pytest.mark.parametrize("kind", ["annulation", "retour"])
def test_change_has_no_meaning_where_money_goes_back(cast: Cast, till: Till, kind: str) -> None:
    """Old tills may send any field: what a document of this kind does not have stays in its bytes."""
    till.settle(sale("FAC-1", line(cast.rice)))
    entry = till.settle_one(document(cast, kind, "X") | {"rendu": [{"montant": "-5"}], "taux": "0"})
    assert entry["argent"] == [
        {"mode": "CASH", "devise": "CDF", "montant": "-25000.00" if kind == "annulation" else "-12500.00"}
    ]


def test_a_drawer_that_a_till_names_has_no_effect(cast: Cast, till: Till) -> None:
    """Only the shop's own pages choose whose drawer money moves in; a till's word for it is an unknown field."""
    drawers: list[object] = [
        {"caisse": cast.other_terminal.pk, "caissier": "C9"},
        {"caisse": cast.token_device.terminal_id},
        {"origine": True},
        {"caisse": "x"},
        12,
        None,
    ]
    mine = {"caissier": {"code": "C2"}}
    for index, drawer in enumerate(drawers):
        till.settle_one(sale("FAC-1", line(cast.rice), paye=False) | {"numero_facture": f"FAC-{index}"} | mine)
        named = {"origine": {"numero_facture": f"FAC-{index}"}, "tiroir": drawer} | mine
        for kind in ("vente", "paiement", "retour", "annulation"):
            entry = till.settle_one(document(cast, kind, f"{kind}-{index}") | named)
            assert entry["status"] in ("created", "paid", "returned", "voided"), entry
    places = set(MoneyMovement.objects.values_list("shop_id", "terminal_id", "cashier"))
    assert places == {(cast.shop.pk, cast.terminal.pk, "C2")}
    assert MoneyMovement.objects.count() == 3 * len(drawers)
