"""The money of a document, on its page and on its papers: what came in, change, and what was given back."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from backend.sales.models import Sale, SaleOutcome
from backend.sales.repair.desk import Desk
from backend.testing import Cast
from tests.shop_day import post, recorded, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

DOLLARS = {"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}


def pages(client: Client, document: Sale) -> list[str]:
    """Return the texts of the document's page and of its invoice."""
    return [seen(client.get(reverse(f"web:{name}", args=[document.pk]))) for name in ("sale", "invoice")]


def follow(document: Sale, kind: str, **fields: object) -> dict[str, object]:
    origin = {"numero_facture": document.number}
    return {"type": kind, "origine": origin, "date_vente": datetime.now(UTC).isoformat(), **fields}


def test_change_is_told_from_what_came_in(cast: Cast, victor: Client) -> None:
    change = [{"mode": "CASH", "montant": 3500}]
    document = recorded(post(cast.device, sale(cast.rice, paiements=[DOLLARS], rendu=change)))
    assert document.warnings == []
    for words in pages(victor, document):
        assert "Espèces 10,00 $US (taux 2 850)" in words
        assert "Monnaie rendue : Espèces 3 500 FC" in words
        assert "en tout" not in words


def test_the_total_and_what_was_received_are_both_shown_where_they_differ(cast: Cast, victor: Client) -> None:
    too_much = [{"mode": "CASH", "montant": 20000}, {"mode": "MOBILE_MONEY", "montant": 10000}]
    document = recorded(post(cast.device, sale(cast.rice, paiements=too_much)))
    on_page, on_paper = pages(victor, document)
    assert "L'argent reçu ou rendu n'est pas le montant du document : les deux sont montrés." in on_page
    for words in (on_page, on_paper):
        assert "25 000 FC" in words
        assert "Espèces 20 000 FC" in words
        assert "Mobile money 10 000 FC" in words
        assert "Reçu en tout 30 000 FC" in words


def test_what_a_return_gave_back_otherwise_is_shown_beside_its_worth(cast: Cast, victor: Client) -> None:
    document = recorded(post(cast.device, sale(cast.rice, quantity=2, numero_facture="A")))
    less = [{"mode": "CASH", "montant": 20000}]
    back = follow(document, "retour", numero_facture="R", lignes=[{"ligne": 1, "quantite": 1}], paiements=less)
    returned = recorded(post(cast.device, back))
    for words in pages(victor, returned):
        assert "Rendu : Espèces 20 000 FC" in words
        assert "Rendu en tout 20 000 FC" in words
        assert "−20 000" not in words
    assert "Articles retournés 25 000 FC" in pages(victor, document)[0]


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"mode_paiement": "CREDIT"}, "La caisse a dit « à crédit » sans dire si c'était payé"),
        ({"paiements": [DOLLARS], "total": 28500}, ""),
    ],
)
def test_what_was_assumed_is_said_in_words(fields: dict, warning: str, cast: Cast, victor: Client) -> None:
    fields = {**fields}
    price = fields.pop("total", 25000)
    document = recorded(post(cast.device, sale(cast.rice, price=price, **fields)))
    if warning:
        assert warning in pages(victor, document)[0]
        return
    void = recorded(post(cast.device, follow(document, "retour", numero_facture="R", lignes=[
        {"ligne": 1, "quantite": 1}])))  # fmt: skip
    assert void.warnings == ["mode_suppose"]
    assert "La caisse n'a pas dit comment l'argent a été rendu" in pages(victor, void)[0]


def test_a_correction_says_that_nobody_gave_money_back(cast: Cast, victor: Client) -> None:
    document = recorded(post(cast.device, sale(cast.rice, numero_facture="A")))
    post(cast.device, sale(cast.rice, price=2600, numero_facture="A"))
    conflict = SaleOutcome.objects.get(status="conflict")
    Desk(shop=cast.shop, user=cast.bob).replace_first(conflict.batch_id, conflict.position, key="aaaa1111")
    words, paper = pages(victor, document.followers.get())
    assert "C'est une correction : personne n'a rendu d'argent." in words
    assert "Correction : Espèces 25 000 FC" in words
    assert "Correction : Espèces 25 000 FC" in paper
    by_hand = recorded(post(cast.device, sale(cast.rice, numero_facture="B")))
    void = recorded(post(cast.device, follow(by_hand, "annulation", numero_facture="V")))
    words, _paper = pages(victor, void)
    assert "Rendu : Espèces 25 000 FC" in words
    assert "C'est une correction" not in words
