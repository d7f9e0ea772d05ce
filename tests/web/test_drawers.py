"""A till's drawer explained, from the opening float to what was counted, movement by movement."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.sales.days.day_report import WireDay, read_day_report
from backend.sales.days.reconciliation import reconcile
from backend.sales.models import Sale, SaleOutcome, TillClosing
from backend.sales.repair.back_office import record_from_page
from backend.sales.repair.desk import Desk
from backend.shops.models import Terminal
from backend.testing import Cast
from backend.web.selectors import drawers
from tests.shop_day import post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

QUERIES_MAX = 12


def noon(**ago: int) -> str:
    local = datetime.now(ZoneInfo("Africa/Kinshasa"))
    return (local.replace(hour=12, minute=0) - timedelta(**ago)).isoformat()


def today() -> date:
    return date.fromisoformat(noon()[:10])


def sold(cast: Cast, number: str, **fields: Any) -> dict[str, Any]:
    return sale(cast.rice, **{"numero_facture": number, "date_vente": noon(), **fields})


def follow(kind: str, number: str, **fields: Any) -> dict[str, Any]:
    origin = {"numero_facture": number}
    return {"type": kind, "numero_facture": f"{kind}-{number}", "date_vente": noon(), "origine": origin, **fields}


def close(terminal: Terminal, **drawer: Any) -> TillClosing:
    wire = msgspec.convert({"jour": today().isoformat(), "caisse": drawer}, WireDay)
    answer = reconcile(
        terminal=terminal,
        device=None,
        report=read_day_report(wire, shop=terminal.shop),
        said=msgspec.to_builtins(wire),
        now=datetime.now(UTC),
    )
    return TillClosing.objects.get(pk=answer.rapprochement)


def explained(client: Client, closing: TillClosing, **parameters: str) -> str:
    return seen(client.get(reverse("web:closing_drawer", args=[closing.pk]), parameters))


def of_till(client: Client, terminal: Terminal, **parameters: str) -> str:
    return seen(client.get(reverse("web:till_drawer", args=[terminal.pk]), parameters))


def test_it_goes_from_the_opening_to_the_counted_cash(
    cast: Cast, victor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    dollars = [{"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}]
    post(
        cast.device,
        sold(cast, "A"),
        sold(cast, "B", paiements=dollars, rendu=[{"mode": "CASH", "montant": 3500}]),
        sold(cast, "C", paye=False),
        sold(cast, "D", quantity=2, price=1000),
        sold(cast, "E", price=700),
        sold(cast, "F", price=900, mode_paiement="MOBILE_MONEY"),
        follow("paiement", "C", montant=5000),
        follow("retour", "D", lignes=[{"ligne": 1, "quantite": 1}]),
        follow("annulation", "E"),
    )
    closing = close(
        cast.terminal,
        fond_ouverture=[{"montant": "20000"}],
        sorties=[{"montant": "3000", "motif": "transport"}],
        especes_comptees=[{"montant": "44400"}, {"devise": "USD", "montant": "10"}],
    )
    with django_assert_max_num_queries(QUERIES_MAX):
        words = explained(victor, closing)
    assert (
        "CDF Fond au début 20 000 FC Ventes (3) +27 700 FC Paiements de crédits (1) +5 000 FC"
        " Monnaie rendue (1) −3 500 FC Rendu pour des retours (1) −1 000 FC Rendu pour des annulations (1) −700 FC"
        " Sortie de la caisse (transport) −3 000 FC Attendu 44 500 FC Compté 44 400 FC Différence 100 FC en moins"
    ) in words
    assert (
        "USD Fond au début 0,00 $US Ventes (1) +10,00 $US Attendu 10,00 $US Compté 10,00 $US Différence juste" in words
    )
    assert "Mobile money USD" not in words
    assert "Mobile money CDF 1 mouvement 900 FC" in words
    moves = words[words.index("Chaque mouvement : Espèces, CDF") :]
    assert "Fond au début 20 000 FC" in moves
    running = [
        "Vente A 12:00 · Encaissement Encaissement +25 000 FC 45 000 FC",
        "Vente B 12:00 · Monnaie rendue Monnaie rendue −3 500 FC 41 500 FC",
        "Vente D 12:00 · Encaissement Encaissement +2 000 FC 43 500 FC",
        "Vente E 12:00 · Encaissement Encaissement +700 FC 44 200 FC",
        "Paiement paiement-C 12:00 · Paiement d'un crédit Paiement d'un crédit +5 000 FC 49 200 FC",
        "Retour retour-D 12:00 · Retour, Rendu Rendu −1 000 FC 48 200 FC",
        "Annulation annulation-E 12:00 · Annulation, Rendu Rendu −700 FC 47 500 FC",
    ]
    places = [moves.index(row) for row in running]
    assert places == sorted(places)
    assert "Vente B 12:00 · Encaissement Encaissement +10,00 $US 10,00 $US" in explained(victor, closing, devise="USD")
    assert "Vente F 12:00 · Encaissement Encaissement +900 FC 900 FC" in explained(
        victor, closing, devise="CDF", mode="MOBILE_MONEY"
    )


def test_it_is_linked_from_the_closing_and_from_the_till(cast: Cast, victor: Client) -> None:
    closing = close(cast.terminal, especes_comptees=[])
    page = victor.get(reverse("web:closing", args=[closing.pk])).content.decode()
    assert reverse("web:closing_drawer", args=[closing.pk]) in page
    assert reverse("web:till_drawer", args=[cast.terminal.pk]) in victor.get(
        reverse("web:till", args=[cast.terminal.pk])
    ).content.decode()  # fmt: skip
    assert reverse("web:closing_drawer", args=[closing.pk]) in victor.get(
        reverse("web:till_drawer", args=[cast.terminal.pk])
    ).content.decode()  # fmt: skip
    assert "Aucun argent n'a bougé dans cette caisse ce jour-là." in explained(victor, closing)
    assert "Compté non compté" not in of_till(victor, cast.terminal)


def test_a_long_day_comes_in_pages_with_the_sum_carried_on(
    cast: Cast, victor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawers, "PAGE_MOVES_MAX", 2)
    split = [{"mode": "CASH", "montant": 400}, {"mode": "CASH", "montant": 600}]
    post(cast.device, *(sold(cast, f"N{place}", price=1000, paiements=split) for place in range(3)))
    closing = close(cast.terminal, fond_ouverture=[{"montant": "50"}], especes_comptees=[{"montant": "3050"}])
    address, sums, befores = reverse("web:closing_drawer", args=[closing.pk]), [], []
    while address:
        page = victor.get(address)
        words = seen(page)
        moves = words[words.index("Chaque mouvement") :]
        sums += re.findall(r"\+(?:400|600) FC (\d[\d ]*) FC", moves)
        befores += re.findall(r"(?:Fond au début|Jusque-là) ([\d ]+) FC", moves)
        following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        address = html.unescape(following[1]).partition("#")[0] if following else ""
    assert sums == ["450", "1 050", "1 450", "2 050", "2 450", "3 050"]
    assert befores == ["50", "1 050", "2 050"]
    address = reverse("web:closing_drawer", args=[closing.pk])
    for cursor in ("x", "1", "1_2_3", "-1_2", "9" * 30 + "_1"):
        assert victor.get(address, {"apres": cursor}).status_code == 404


def test_it_is_of_the_cashier_whom_the_closing_names(cast: Cast, victor: Client) -> None:
    post(
        cast.device,
        sold(cast, "A", price=100, caissier={"code": "C2"}),
        sold(cast, "B", price=70, caissier={"code": "c2"}),
        sold(cast, "C", price=5),
    )
    words = explained(victor, close(cast.terminal, caissier="C2", especes_comptees=[{"montant": "100"}]))
    assert "caissier C2" in words
    assert "Ventes (1) +100 FC Attendu 100 FC Compté 100 FC Différence juste" in words
    assert "Vente B" not in words
    assert "Ventes (3) +175 FC" in explained(victor, close(cast.terminal, especes_comptees=[{"montant": "1"}]))
    assert "Caissier : tous C2 c2" in of_till(victor, cast.terminal)
    assert "Ventes (1) +70 FC" in of_till(victor, cast.terminal, caissier="c2")


def test_a_correction_shows_as_one_and_after_the_closing(cast: Cast, victor: Client) -> None:
    post(cast.device, sold(cast, "A", price=6650))
    closing = close(cast.terminal, especes_comptees=[{"montant": "2600"}])
    post(cast.device, sold(cast, "A", price=2600))
    assert "après la clôture" not in explained(victor, closing)
    conflict = SaleOutcome.objects.get(status="conflict")
    Desk(shop=cast.shop, user=cast.bob).replace_first(conflict.batch_id, conflict.position, key="aaaa1111")
    words = explained(victor, closing)
    assert (
        "Ventes (2) +9 250 FC Corrections (1) −6 650 FC Attendu 2 600 FC Attendu au moment de la clôture 6 650 FC"
        " Compté 2 600 FC Différence juste"
    ) in words
    assert "Rendu pour des annulations" not in words
    assert "De l'argent a été enregistré pour cette journée après la clôture" in words
    assert re.search(
        r"Annulation BUR\S* .{0,40}· Annulation, Correction Correction Enregistré après la clôture −6 650 FC 0 FC",
        words,
    )
    assert "Aucun argent" in of_till(victor, Terminal.objects.get(shop=cast.shop, is_office=True))


def test_a_void_on_the_pages_out_of_the_tills_drawer_is_no_correction(cast: Cast, victor: Client) -> None:
    post(cast.device, sold(cast, "A", price=500))
    drawer = {"caisse": cast.terminal.pk, "caissier": ""}
    void = {"type": "annulation", "origine": {"vente_id": Sale.objects.get(number="A").pk}, "tiroir": drawer}
    record_from_page(shop=cast.shop, user=cast.bob, document=void, key="annuler01")
    words = of_till(victor, cast.terminal)
    assert "Ventes (1) +500 FC Rendu pour des annulations (1) −500 FC Encaissé, moins rendu 0 FC" in words
    assert "Correction" not in words


def test_another_day_is_chosen_and_another_shops_is_not_found(cast: Cast, victor: Client, charlie: Client) -> None:
    post(cast.device, sold(cast, "OLD", price=300, date_vente=noon(days=1)), sold(cast, "NEW", price=400))
    yesterday = (today() - timedelta(days=1)).isoformat()
    assert "Vente OLD" in of_till(victor, cast.terminal, jour=yesterday)
    words = of_till(victor, cast.terminal)
    assert ("Vente NEW" in words, "Vente OLD" in words) == (True, False)
    assert "Ce jour n'est pas encore venu." in of_till(victor, cast.terminal, jour="2999-01-01")
    closing = close(cast.terminal, especes_comptees=[])
    assert charlie.get(reverse("web:closing_drawer", args=[closing.pk])).status_code == 404
    assert charlie.get(reverse("web:till_drawer", args=[cast.terminal.pk])).status_code == 404
