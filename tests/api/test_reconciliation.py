"""`POST ventes/rapprochement`: by list, by sums and with the drawer; equal, or exactly the differences."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from backend.sales.models import Sale, SaleOutcome, TillClosing
from backend.sales.money.takings import takings_by_day
from backend.testing import Cast, make_device, make_terminal
from backend.web.selectors.dashboard import takings_shown
from tests.tills import BASE, Till, line, sale

pytestmark = pytest.mark.embedded

CALL = BASE + "ventes/rapprochement"
# The shop's day, at noon, so that no test runs across midnight.
TODAY = datetime.now(ZoneInfo("Africa/Kinshasa")).replace(hour=12, minute=0, second=0, microsecond=0)
DAY = TODAY.date().isoformat()
QUERIES_MAX = 28


def sold(number: str, *lines: dict[str, Any], days_ago: int = 0, **fields: Any) -> dict[str, Any]:
    return sale(number, *lines, **{"date_vente": (TODAY - timedelta(days=days_ago)).isoformat(), **fields})


def follower(kind: str, number: str, origin: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "numero_facture": number,
        "origine": {"numero_facture": origin},
        "date_vente": TODAY.isoformat(),
        **fields,
    }


def close(till: Till, *, day: str = DAY, **report: Any) -> dict[str, Any]:
    answer = till.call("POST", CALL, json.dumps({"jour": day, **report}).encode())
    assert answer.status_code == 200, answer.content
    return answer.json()


def listing(**amounts: Any) -> list[dict[str, Any]]:
    return [{"numero_facture": number, "montant": amount} for number, amount in amounts.items()]


def compare(till: Till, **amounts: Any) -> dict[str, Any]:
    """Close the day by a list, and return the lists of differences that are not empty."""
    answer = close(till, ventes=listing(**amounts))
    found = {
        name: answer[name]
        for name in ("manquantes", "en_trop", "differentes", "en_attente", "a_corriger")
        if answer[name]
    }
    assert answer["resultat"] == ("ecart" if found else "egal")
    return found


def total(amount: Any, *, mode: str = "CASH", currency: str = "CDF", count: int | None = None) -> dict[str, Any]:
    return {"mode": mode, "devise": currency, "montant": amount, **({} if count is None else {"nombre": count})}


# By list


def test_a_list_that_agrees_is_equal(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)), sold("B", line(cast.oil, price=75000)))
    assert compare(till, A="25000.00", B=75000) == {}


def test_what_the_server_has_in_no_form_is_missing(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)))
    assert compare(till, A=25000, B=1000, C=1000) == {"manquantes": ["B", "C"]}
    till.settle(sold("B", line(cast.rice, price=1000)), sold("C", line(cast.rice, price=1000)))
    assert compare(till, A=25000, B=1000, C=1000) == {}


def test_what_the_list_leaves_out_is_extra(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)), sold("B", line(cast.rice)), sold("C", line(cast.rice), days_ago=1))
    assert compare(till, A=25000) == {"en_trop": ["B"]}
    assert compare(till) == {"en_trop": ["A", "B"]}


def test_a_different_amount_is_listed_with_both_amounts(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice, price=49000)))
    assert compare(till, A="50000") == {
        "differentes": [{"numero_facture": "A", "montant_caisse": "50000.00", "montant_serveur": "49000.00"}]
    }
    assert compare(till, A="48999.995") == {}


def test_a_number_recorded_under_another_day_of_the_till_is_not_missing(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice), days_ago=1), sold("B", line(cast.rice)))
    assert compare(till, A=25000, B=25000) == {}
    assert compare(till, B=25000) == {}


def test_the_tills_own_day_counts_and_not_the_shops_business_day(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice), days_ago=60))
    document = Sale.objects.get()
    long_ago = (TODAY - timedelta(days=60)).date()
    assert (document.till_day, document.warnings) == (long_ago, ["horloge"])
    assert close(till, ventes=[])["en_trop"] == []
    assert close(till, day=long_ago.isoformat(), ventes=[])["en_trop"] == ["A"]
    report = {
        "ventes": listing(A=25000),
        "totaux": [total(25000)],
        "caisse": {"especes_comptees": [{"montant": 25000}]},
    }
    assert close(till, day=long_ago.isoformat(), **report)["resultat"] == "egal"
    assert close(till, totaux=[])["resultat"] == "sommes_egales"


def test_a_sale_handed_over_and_not_posted_waits(cast: Cast, till: Till) -> None:
    till.hand_over(sold("A", line(cast.rice)), sold("B", line(cast.rice)))
    assert compare(till, A=25000, B=25000) == {"en_attente": ["A", "B"]}
    till.post_next()
    assert compare(till, A=25000, B=25000) == {"en_attente": ["B"]}
    till.post_all()
    assert compare(till, A=25000, B=25000) == {}


def test_a_document_that_waits_for_its_origin_waits(cast: Cast, till: Till) -> None:
    till.settle(follower("annulation", "V", "A"))
    assert compare(till, V=25000) == {"en_attente": ["V"]}
    till.settle(sold("A", line(cast.rice)))
    assert compare(till, A=25000, V=25000) == {}


def test_a_refused_sale_is_to_be_corrected_listed_or_not(cast: Cast, till: Till) -> None:
    refused = sold("R", line(cast.rice, quantity=1000))
    till.settle(sold("A", line(cast.rice)), refused, {"numero_facture": "X"}, {})
    answer = close(till, ventes=listing(R=25000000, A=25000))
    assert (answer["a_corriger"], answer["manquantes"], answer["resultat"]) == (["R", "X", "N/A"], [], "ecart")
    elsewhere = close(till, day="2024-11-04", ventes=listing(R=25000000))
    assert (elsewhere["a_corriger"], elsewhere["manquantes"]) == (["R"], [])


def test_a_refused_sale_that_went_through_since_is_neither_missing_nor_to_correct(cast: Cast, till: Till) -> None:
    refused = sold("R", line(cast.rice, quantity=150, price=10))
    till.settle(refused)
    assert compare(till, R=1500) == {"a_corriger": ["R"]}
    type(cast.rice.base_unit).objects.filter(pk=cast.rice.base_unit_id).update(stock=1000)
    till.settle(refused)
    assert compare(till, R=1500) == {}


def test_a_conflict_is_different_and_to_be_corrected(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)), sold("A", line(cast.rice, price=30000)))
    assert compare(till, A=30000) == {
        "differentes": [{"numero_facture": "A", "montant_caisse": "30000.00", "montant_serveur": "25000.00"}],
        "a_corriger": ["A"],
    }


def test_a_sale_set_aside_does_not_count_and_is_not_missing(cast: Cast, till: Till) -> None:
    till.settle(sold("R", line(cast.rice, quantity=1000)))
    SaleOutcome.objects.update(status="set_aside", code="ecartee")
    assert compare(till, R=25000000) == {
        "differentes": [{"numero_facture": "R", "montant_caisse": "25000000.00", "montant_serveur": "0.00"}]
    }


def test_voids_returns_and_payments_are_documents_of_the_list(cast: Cast, till: Till) -> None:
    till.settle(
        sold("A", line(cast.rice, quantity=2)),
        sold("B", line(cast.oil, price=75000)),
        sold("C", line(cast.rice), paye=False),
        follower("retour", "RET-1", "A", lignes=[{"ligne": 1, "quantite": 1}]),
        follower("annulation", "AVO-1", "B"),
        follower("paiement", "PAI-1", "C", montant=10000),
    )
    everything = listing(A=50000, B=75000, C=25000) + [
        {"numero_facture": number, "montant": amount}
        for number, amount in (("RET-1", 25000), ("AVO-1", 75000), ("PAI-1", 10000))
    ]
    assert close(till, ventes=everything)["resultat"] == "egal"
    assert close(till, ventes=everything[:3])["en_trop"] == ["RET-1", "AVO-1", "PAI-1"]


def test_two_documents_under_one_number_are_each_compared(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)))
    restored = Till(make_device(cast.terminal))
    restored.settle(sold("A", line(cast.rice, price=30000)))
    assert sorted(Sale.objects.values_list("variant", flat=True)) == [1, 2]

    def named(*amounts: int) -> dict[str, Any]:
        answer = close(till, ventes=[{"numero_facture": "A", "montant": amount} for amount in amounts])
        return {name: answer[name] for name in ("manquantes", "en_trop", "differentes")} | {"is": answer["resultat"]}

    nothing: dict[str, Any] = {"manquantes": [], "en_trop": [], "differentes": []}
    assert named(25000, 30000) == {**nothing, "is": "egal"}
    assert named(30000) == {**nothing, "en_trop": ["A"], "is": "ecart"}
    different = {"numero_facture": "A", "montant_caisse": "31000.00", "montant_serveur": "30000.00"}
    assert named(25000, 31000) == {**nothing, "differentes": [different], "is": "ecart"}
    assert named(25000, 30000, 40000) == {**nothing, "manquantes": ["A"], "is": "ecart"}


def test_a_document_of_another_day_under_a_listed_number_is_not_extra(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice), days_ago=1))
    Till(make_device(cast.terminal)).settle(sold("A", line(cast.rice, price=30000)))
    assert compare(till, A=30000) == {}


def test_a_number_listed_twice_with_one_amount_counts_once(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)))
    twice = [{"numero_facture": " A ", "montant": 25000}, {"numero_facture": "A", "montant": "25000.00"}]
    assert close(till, ventes=twice)["resultat"] == "egal"
    twice_missing = [{"numero_facture": "B", "montant": 1}] * 2
    assert close(till, ventes=[*twice, *twice_missing])["manquantes"] == ["B"]


def test_a_sale_posted_during_the_comparison_is_found(cast: Cast, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posted between the query of waiting sales and all later ones, it counts as recorded."""
    from backend.sales.days import reconciliation

    till.hand_over(sold("A", line(cast.rice)), sold("B", line(cast.rice, quantity=1000)), sold("C", line(cast.rice)))
    look = reconciliation.pending_named

    def look_and_post(*arguments: Any) -> Any:
        found = look(*arguments)
        till.post_next(2)
        return found

    monkeypatch.setattr(reconciliation, "pending_named", look_and_post)
    answer = close(till, ventes=listing(A=25000, B=25000000, C=25000))
    assert (answer["manquantes"], answer["a_corriger"]) == ([], ["B"])
    assert "A" not in answer["en_attente"]
    assert "C" in answer["en_attente"]


# By sums


def busy_day(cast: Cast, till: Till) -> None:
    split = [{"mode": "CASH", "montant": 46500}, {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 10, "taux": 2850}]
    deposit = [{"mode": "CASH", "montant": 5000}]
    till.settle(
        sold("A", line(cast.rice, quantity=2)),
        sold("B", line(cast.oil, price=75000), paiements=split),
        sold("C", line(cast.rice), paye=False, paiements=deposit),
        sold("D", line(cast.rice, price="30.50"), devise="USD"),
        sold("E", line(cast.rice, price=12000), mode_paiement="carte"),
        follower("retour", "RET-1", "A", lignes=[{"ligne": 1, "quantite": 1}]),
        follower("annulation", "AVO-1", "E", mode_paiement="CARTE"),
        follower("paiement", "PAI-1", "C", montant=10000, mode_paiement="MOBILE_MONEY"),
        follower("annulation", "AVO-2", "C"),
    )


BUSY_DAY = [
    {"mode": "CARTE", "devise": "CDF", "nombre": 2, "montant": "0.00"},
    {"mode": "CASH", "devise": "CDF", "nombre": 5, "montant": "71500.00"},
    {"mode": "MOBILE_MONEY", "devise": "CDF", "nombre": 2, "montant": "0.00"},
    {"mode": "CASH", "devise": "USD", "nombre": 1, "montant": "30.50"},
    {"mode": "MOBILE_MONEY", "devise": "USD", "nombre": 1, "montant": "10.00"},
]


def test_sums_that_agree_are_equal_sums(cast: Cast, till: Till) -> None:
    busy_day(cast, till)
    answer = close(till, totaux=BUSY_DAY)
    assert (answer["resultat"], answer["totaux"]) == ("sommes_egales", BUSY_DAY)
    # A missing sum is zero; counts are compared if given; modes in any case of letters.
    shorter = [{**one, "mode": one["mode"].lower(), "nombre": None} for one in BUSY_DAY[1:]]
    assert close(till, totaux=shorter)["resultat"] == "sommes_egales"


@pytest.mark.parametrize(
    "changed",
    [
        {"montant": "71500.01"},
        {"nombre": 4},
        {"devise": "EUR"},
        {"mode": "CHEQUE"},
        {"montant": "-71500"},
    ],
)
def test_sums_that_differ_are_listed_beside_ours(cast: Cast, till: Till, changed: dict[str, Any]) -> None:
    busy_day(cast, till)
    answer = close(till, totaux=[BUSY_DAY[0], BUSY_DAY[1] | changed, *BUSY_DAY[2:]])
    assert (answer["resultat"], answer["totaux"]) == ("ecart", BUSY_DAY)


def test_a_day_that_gave_back_more_than_it_took_has_a_sum_below_zero(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice), days_ago=1), follower("annulation", "AVO-1", "A"))
    assert close(till, totaux=[total("-25000", count=1)])["resultat"] == "sommes_egales"
    assert close(till, totaux=[])["resultat"] == "ecart"


def test_a_list_and_sums_are_equal_only_together(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)))
    assert close(till, ventes=listing(A=25000), totaux=[total(25000)])["resultat"] == "egal"
    assert close(till, ventes=listing(A=25000), totaux=[total(24000)])["resultat"] == "ecart"
    assert close(till, ventes=listing(A=24000), totaux=[total(25000)])["resultat"] == "ecart"


def test_the_dashboard_and_the_closing_have_the_same_figures(cast: Cast, till: Till) -> None:
    """With one till whose day is the shop's, money in less money back is the same on both."""
    busy_day(cast, till)
    assert set(Sale.objects.values_list("business_day", flat=True)) == {TODAY.date()}
    day = TODAY.date()
    shown = takings_shown(takings_by_day(shop_id=cast.shop.pk, days=[day])[day], shop=cast.shop, day=day)
    counted = {(one["devise"], one["mode"]): Decimal(one["montant"]) for one in close(till, totaux=[])["totaux"]}
    assert counted == {(one.currency, one.mode): one.amount for one in shown.in_hand_by_mode}
    refunded = {one.currency: one.amount for one in shown.refunded}
    assert refunded == {"CDF": Decimal(52000)}
    assert [one.amount - refunded.get(one.currency, 0) for one in shown.cash_in] == [
        one.amount for one in shown.in_hand
    ]


def test_another_till_and_another_shop_have_their_own_day(cast: Cast, till: Till, charlies_till: Till) -> None:
    till.settle(sold("A", line(cast.rice)))
    neighbour = Till(make_device(make_terminal(cast.shop)))
    for other in (neighbour, charlies_till):
        answer = close(other, ventes=listing(A=25000), totaux=[])
        assert (answer["manquantes"], answer["totaux"], answer["en_trop"]) == (["A"], [], [])
    charlies_till.settle(sold("R", line(cast.other_article, quantity=1000)))
    assert compare(till, A=25000) == {}


# With the drawer


def test_the_drawer_of_the_contract(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice, price=172000)), sold("B", line(cast.rice, price=5), mode_paiement="CARTE"))
    drawer = {
        "caissier": "C2",
        "fond_ouverture": [{"devise": "CDF", "montant": "20000.00"}],
        "sorties": [{"motif": "transport", "devise": "CDF", "montant": "3000.00"}],
        "especes_comptees": [{"devise": "CDF", "montant": "201000.00"}],
    }
    answer = close(till, caisse=drawer)
    assert answer["caisse"] == [{"devise": "CDF", "attendu": "189000.00", "compte": "201000.00", "ecart": "12000.00"}]
    assert answer["resultat"] == "ecart"
    drawer["especes_comptees"] = [{"devise": "CDF", "montant": 100000}, {"montant": 89000}]
    answer = close(till, caisse=drawer)
    assert answer["caisse"] == [{"devise": "CDF", "attendu": "189000.00", "compte": "189000.00", "ecart": "0.00"}]
    assert answer["resultat"] == "sommes_egales"


def test_a_drawer_is_computed_per_currency(cast: Cast, till: Till) -> None:
    busy_day(cast, till)
    answer = close(till, caisse={"especes_comptees": [{"devise": "EUR", "montant": 5}, {"montant": 71500}]})
    assert answer["caisse"] == [
        {"devise": "CDF", "attendu": "71500.00", "compte": "71500.00", "ecart": "0.00"},
        {"devise": "EUR", "attendu": "0.00", "compte": "5.00", "ecart": "5.00"},
        {"devise": "USD", "attendu": "30.50", "compte": "0.00", "ecart": "-30.50", "non_compte": True},
    ]


def expected_cash(till: Till, cashier: str | None) -> str:
    [drawer] = close(till, caisse={"caissier": cashier, "fond_ouverture": [{"montant": 1000}]})["caisse"]
    return drawer["attendu"]


def test_only_the_cashiers_own_documents_count_towards_the_drawer(cast: Cast, till: Till) -> None:
    till.settle(
        sold("A", line(cast.rice, price=100), caissier={"code": "C1", "nom": "Awa"}),
        sold("B", line(cast.rice, price=20), caissier={"code": "C2", "nom": "C1"}),
        sold("C", line(cast.rice, price=5), caissier={"nom": "Awa"}),
        sold("D", line(cast.rice, price=1)),
    )
    assert expected_cash(till, "C1") == "1100.00"
    assert expected_cash(till, "C2") == "1020.00"
    assert expected_cash(till, "Awa") == "1005.00"
    assert expected_cash(till, "C9") == "1000.00"
    assert expected_cash(till, None) == "1126.00"


def test_where_no_document_names_a_cashier_all_count(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice, price=100)), sold("B", line(cast.rice, price=20)))
    assert expected_cash(till, "C1") == "1120.00"


# Kept, and refused


def test_every_closing_is_stored_with_its_request_and_answer(cast: Cast, till: Till) -> None:
    till.settle(sold("A", line(cast.rice)))
    report = {
        "ventes": [{"numero_facture": "A", "montant": "25000.00"}],
        "totaux": [{"mode": "CASH", "devise": "CDF", "nombre": 1, "montant": "25000.00"}],
        "caisse": {
            "caissier": "C2",
            "fond_ouverture": [],
            "sorties": [],
            "especes_comptees": [{"devise": "CDF", "montant": "25000"}],
        },
    }
    first, second = close(till, **report), close(till, **report)
    assert first["rapprochement"] < second["rapprochement"]
    kept = TillClosing.objects.get(pk=first["rapprochement"])
    assert (kept.shop_id, kept.terminal_id, kept.device_id) == (cast.shop.pk, cast.terminal.pk, cast.device.pk)
    assert (kept.day, kept.cashier, kept.result) == (TODAY.date(), "C2", "egal")
    assert kept.said["ventes"] == report["ventes"]
    assert kept.said["caisse"]["especes_comptees"] == [{"devise": "CDF", "montant": "25000"}]
    assert kept.answered | {"rapprochement": kept.pk} == first


NUMBERED = {"numero_facture": "A", "montant": 1}


@pytest.mark.parametrize(
    ("report", "path"),
    [
        ({}, "ventes"),
        ({"ventes": None, "totaux": None, "caisse": None}, "ventes"),
        ({"jour": "hier", "ventes": []}, "jour"),
        ({"jour": "2024-13-01", "ventes": []}, "jour"),
        ({"jour": "2024-11-04T10:00:00", "ventes": []}, "jour"),
        ({"jour": "1970-01-01", "ventes": []}, "jour"),
        ({"jour": 20241104, "ventes": []}, "jour"),
        ({"ventes": {}}, "ventes"),
        ({"ventes": [NUMBERED] * 5001}, "ventes"),
        ({"ventes": [NUMBERED, {"montant": 1}]}, "ventes[1].numero_facture"),
        ({"ventes": [{"numero_facture": "A"}]}, "ventes[0].montant"),
        ({"ventes": [NUMBERED, {"numero_facture": " ", "montant": 1}]}, "ventes[1].numero_facture"),
        ({"ventes": [{"numero_facture": "A~2", "montant": 1}]}, "ventes[0].numero_facture"),
        ({"ventes": [{"numero_facture": "A", "montant": "NaN"}]}, "ventes[0].montant"),
        ({"ventes": [{"numero_facture": "A", "montant": -1}]}, "ventes[0].montant"),
        ({"ventes": [{"numero_facture": "A", "montant": "1e400"}]}, "ventes[0].montant"),
        ({"ventes": [{"numero_facture": "A", "montant": 10**12}]}, "ventes[0].montant"),
        ({"ventes": [{"numero_facture": "A", "montant": True}]}, "ventes[0].montant"),
        ({"totaux": [total(1, mode=f"M{at}") for at in range(101)]}, "totaux"),
        ({"totaux": [total("Infinity")]}, "totaux[0].montant"),
        ({"totaux": [total("sNaN")]}, "totaux[0].montant"),
        ({"totaux": [total("-1e400")]}, "totaux[0].montant"),
        ({"totaux": [total(1, currency="francs")]}, "totaux[0].devise"),
        ({"totaux": [total(1, mode=" ")]}, "totaux[0].mode"),
        ({"totaux": [total(1, mode="cash"), total(1)]}, "totaux[1]"),
        ({"totaux": [total(1, count=-1)]}, "totaux[0].nombre"),
        ({"caisse": {"fond_ouverture": [{"montant": -1}]}}, "caisse.fond_ouverture[0].montant"),
        ({"caisse": {"sorties": [{"motif": "x", "montant": "NaN"}]}}, "caisse.sorties[0].montant"),
        ({"caisse": {"sorties": [{"motif": "x" * 301, "montant": 1}]}}, "caisse.sorties[0].motif"),
        ({"caisse": {"especes_comptees": [{"devise": "CDF"}]}}, "caisse.especes_comptees[0].montant"),
        ({"caisse": {"especes_comptees": [{"montant": 1}] * 101}}, "caisse.especes_comptees"),
        ({"caisse": {"caissier": "C" * 121}}, "caisse.caissier"),
        ({"caisse": []}, "caisse"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path_and_nothing_is_stored(
    till: Till, report: dict[str, Any], path: str
) -> None:
    answer = till.call("POST", CALL, json.dumps({"jour": DAY, **report}).encode())
    assert (answer.status_code, answer.json()["code"]) == (400, "parametre_invalide")
    assert f"{path} " in answer.json()["detail"]
    assert not TillClosing.objects.exists()
    close(till, ventes=[], totaux=[], caisse={})
    assert TillClosing.objects.count() == 1


def test_the_limits_themselves_are_accepted_and_cost_a_bounded_number_of_queries(
    cast: Cast, till: Till, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    till.settle(sold("N0", line(cast.rice)), sold("N1", line(cast.rice, quantity=1000)))
    till.hand_over(sold("N2", line(cast.rice)))
    numbers = [{"numero_facture": f"N{at}", "montant": 25000} for at in range(5000)]
    sums = [total(0, mode=f"M{at}") for at in range(99)]
    with django_assert_max_num_queries(QUERIES_MAX):
        answer = close(till, ventes=numbers, totaux=[*sums, total(25000)], caisse={"caissier": "C" * 120})
    assert len(answer["manquantes"]) == 4997
    assert (answer["en_attente"], answer["a_corriger"]) == (["N2"], ["N1"])
