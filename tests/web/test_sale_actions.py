"""In what money, and from which drawer, a sale is undone or paid on the pages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backend.sales.models import MoneyMovement, Sale, SaleOutcome
from backend.sales.repair.back_office import record_from_page
from backend.shops.exchange_rates import set_rate
from backend.shops.models import TerminalState
from backend.testing import Cast
from tests.invariants import check_invariants
from tests.shop_day import post, recorded, sale
from tests.web.page_forms import form_of
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

SPLIT = [{"mode": "CASH", "devise": "USD", "montant": 5, "taux": 2850}, {"mode": "CASH", "montant": 10750}]
C2 = {"code": "C2", "nom": "Béatrice"}


def sold(cast: Cast, **fields: object) -> Sale:
    return recorded(post(cast.device, sale(cast.rice, numero_facture="FAC-1", caissier=C2, **fields)))


def page_of(name: str, document: Sale) -> str:
    return reverse(f"web:{name}", args=[document.pk])


def do(client: Client, name: str, document: Sale, **typed: str) -> HttpResponse:
    """Open the page, fill its form in, and send it."""
    path = page_of(name, document)
    return client.post(path, form_of(client.get(path), path, **typed), follow=True)


def moved(document: Sale, kind: str) -> list[tuple[object, ...]]:
    """Return the money that the sale's follower of this kind moved, and in whose drawer."""
    rows = MoneyMovement.objects.filter(document__origin=document, document__kind=kind).order_by("document", "position")
    return [(one.mode, one.currency, one.amount, one.terminal_id, one.cashier) for one in rows]


@pytest.fixture
def rate(cast: Cast) -> None:
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2850), user=cast.alice)


# ---- A void ----


def test_a_void_gives_back_exactly_what_was_paid_from_the_drawer_that_it_is_in(cast: Cast, bob: Client) -> None:
    document = sold(cast, paiements=SPLIT)
    asked = seen(bob.get(page_of("void_sale", document)))
    assert "5,00 $US et 10 750 FC en espèces, comme la vente a été payée." in asked
    assert "Pris dans la caisse : Terminal MAUI · C2." in asked
    words = seen(do(bob, "void_sale", document, motif="erreur"))
    assert "Argent à rendre au client : 5,00 $US et 10 750 FC en espèces." in words
    till = cast.terminal.pk
    assert moved(document, "annulation") == [("CASH", "USD", -5, till, "C2"), ("CASH", "CDF", -10750, till, "C2")]
    check_invariants()


def test_a_sale_of_another_day_is_given_back_by_the_bureau(cast: Cast, bob: Client) -> None:
    document = sold(cast, date_vente=(datetime.now(UTC) - timedelta(days=2)).isoformat())
    assert "Pris dans la caisse : Bureau." in seen(bob.get(page_of("void_sale", document)))
    do(bob, "void_sale", document, motif="erreur")
    office = Sale.objects.get(kind="annulation").terminal
    assert office.is_office
    assert moved(document, "annulation") == [("CASH", "CDF", -25000, office.pk, "bob")]


def test_a_till_that_is_turned_off_is_offered_only_for_money_of_today(cast: Cast, bob: Client) -> None:
    document = sold(cast)
    type(cast.terminal).objects.filter(shop=cast.shop).update(state=TerminalState.DISABLED)
    offered = bob.get(page_of("void_sale", document)).content.decode()
    assert f'value="{cast.terminal.pk}:C2" selected' in offered
    assert f'value="{cast.token_device.terminal_id}"' not in offered


def test_a_void_may_give_the_money_back_in_another_way(cast: Cast, bob: Client, rate: None) -> None:
    document = sold(cast, mode_paiement="MOBILE_MONEY")
    page = bob.get(page_of("void_sale", document))
    assert "25 000 FC (Mobile money), comme la vente a été payée." in seen(page)
    sent = form_of(page, page_of("void_sale", document), motif="erreur", mode="CASH", devise="USD", tiroir="")
    answers = [bob.post(page_of("void_sale", document), sent, follow=True) for _ in range(2)]
    assert all("Argent à rendre au client : 8,77 $US en espèces." in seen(answer) for answer in answers)
    void = Sale.objects.get(kind="annulation")
    assert moved(document, "annulation") == [("CASH", "USD", Decimal("-8.77"), void.terminal_id, "bob")]
    assert void.warnings == []
    check_invariants()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"mode": "CASH", "devise": "USD", "cours_USD": ""}, "Écrivez le cours"),
        ({"mode": "CASH", "devise": "USD", "cours_USD": "2.850"}, "est ambigu"),
        ({"mode": "CASH", "devise": "USD", "cours_USD": "99999999"}, "moins que la plus petite pièce"),
        ({"mode": "CASH", "devise": "XXX"}, "Sélectionnez un choix valide"),
        ({"mode": "CREDIT"}, "Sélectionnez un choix valide"),
        ({"mode": "CASH", "valeur": "24000"}, "L'argent de cette vente a changé"),
        ({"mode": "CASH", "valeur": ""}, "L'argent de cette vente a changé"),
        ({"motif": ""}, "Ce champ est obligatoire."),
    ],
)
def test_a_void_that_is_not_filled_in_rightly_gives_nothing_back(
    typed: dict[str, str], words: str, cast: Cast, bob: Client, rate: None
) -> None:
    document = sold(cast)
    assert words in seen(do(bob, "void_sale", document, **{"motif": "erreur", **typed})).replace("’", "'")
    assert document.followers.count() == 0


def test_a_void_says_that_nothing_is_to_be_given_back(cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=False)
    asked = seen(bob.get(page_of("void_sale", document)))
    assert "Rien : la vente n'a rien fait entrer en caisse. Ce qui reste dû ne l'est plus." in asked
    sent = {"key": "a" * 12, "motif": "x"}
    words = seen(bob.post(page_of("void_sale", document), sent, follow=True))
    assert "La vente est annulée" in words
    assert "Argent à rendre" not in words
    assert moved(document, "annulation") == []
    check_invariants()


def test_money_that_came_in_since_the_page_was_opened_is_read_again(cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=False)
    path = page_of("void_sale", document)
    pay(cast, document, 10000)
    page = bob.get(path)
    pay(cast, document, 5000)
    sent = form_of(page, path, motif="erreur", mode="CARD")
    page = bob.post(path, sent)
    assert "L'argent de cette vente a changé depuis que la page est ouverte" in seen(page)
    assert "15 000 FC en espèces" in seen(page)
    bob.post(path, form_of(page, path))
    assert [row[:3] for row in moved(document, "annulation")] == [("CARD", "CDF", -15000)]


def pay(cast: Cast, document: Sale, amount: int) -> None:
    paid = {"type": "paiement", "origine": {"vente_id": document.pk}, "montant": amount}
    record_from_page(shop=cast.shop, user=cast.bob, document=paid, key=f"{amount}paiement")


# ---- A return ----


def test_a_return_goes_back_in_the_mode_of_the_sale(cast: Cast, bob: Client) -> None:
    document = sold(cast, mode_paiement="MOBILE_MONEY")
    asked = seen(bob.get(page_of("return_lines", document)))
    assert "Rendu en FC, la devise de la vente, au prix de la vente." in asked
    assert "Elle a été payée : 25 000 FC (Mobile money)." in asked
    words = seen(do(bob, "return_lines", document, motif="cassé", ligne_1="1"))
    assert "Argent à rendre au client : 25 000 FC (Mobile money)." in words
    assert moved(document, "retour") == [("MOBILE_MONEY", "CDF", -25000, cast.terminal.pk, "C2")]
    assert Sale.objects.get(kind="retour").warnings == []
    check_invariants()


def test_where_the_mode_cannot_be_told_the_page_names_one(cast: Cast, bob: Client) -> None:
    document = sold(cast, quantity=2, price=12500, paiements=SPLIT)
    path = page_of("return_lines", document)
    page = bob.get(path)
    assert form_of(page, path)["mode"] == "CASH"
    sent = form_of(page, path, motif="cassé", ligne_1="1")
    answers = [bob.post(path, sent, follow=True) for _ in range(2)]
    assert all("Argent à rendre au client : 12 500 FC en espèces." in seen(answer) for answer in answers)
    assert [row[:3] for row in moved(document, "retour")] == [("CASH", "CDF", -12500)]
    assert Sale.objects.get(kind="retour").warnings == []


def test_a_return_of_a_sale_on_credit_lessens_the_debt(cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=False)
    asked = seen(bob.get(page_of("return_lines", document)))
    assert "ce qui revient est d'abord retiré de ce qui reste dû (25 000 FC). Il n'y a pas d'argent à rendre." in asked
    path = page_of("return_lines", document)
    words = seen(bob.post(path, {"key": "a" * 12, "motif": "cassé", "ligne_1": "1"}, follow=True))
    assert "Retour enregistré pour 25 000 FC" in words
    assert "Argent à rendre" not in words
    assert moved(document, "retour") == []


def test_a_return_of_a_credit_that_was_paid_gives_the_money_back(cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=False)
    do(bob, "take_payment", document, montant="25000", tiroir=str(cast.terminal.pk))
    words = seen(do(bob, "return_lines", document, motif="cassé", ligne_1="1", mode="CARD"))
    assert "Argent à rendre au client : 25 000 FC (Carte)." in words
    assert moved(document, "retour") == [("CARD", "CDF", -25000, cast.terminal.pk, "")]
    check_invariants()


# ---- A payment ----


def test_a_debt_in_francs_is_paid_in_dollars_at_the_rate_of_the_day(cast: Cast, bob: Client, rate: None) -> None:
    document = sold(cast, paye=False)
    path = page_of("take_payment", document)
    page = bob.get(path)
    assert "Reste dû : 25 000 FC soit 8,78 $US au cours du jour" in seen(page)
    sent = form_of(page, path, montant="8,78", devise="USD", tiroir=str(cast.terminal.pk))
    answers = [bob.post(path, sent, follow=True) for _ in range(2)]
    assert all("Paiement de 25 023 FC enregistré." in seen(answer) for answer in answers)
    assert moved(document, "paiement") == [("CASH", "USD", Decimal("8.78"), cast.terminal.pk, "")]
    assert "Crédit soldé" in seen(bob.get(page_of("sale", document)))
    check_invariants()


def test_a_large_debt_in_dollars_is_paid_in_francs(cast: Cast, bob: Client, rate: None) -> None:
    document = sold(cast, paye=False, devise="USD", price=1000)
    words = seen(do(bob, "take_payment", document, montant="2 850 000", devise="CDF"))
    assert "Paiement de 999,98 $US enregistré." in words
    assert SaleOutcome.objects.filter(code="paiement_excessif").count() == 0


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"montant": "8,79", "devise": "USD"}, "C'est plus que ce qui reste dû."),
        ({"montant": "25000,01"}, "C'est plus que ce qui reste dû."),
        ({"montant": "8", "devise": "USD", "cours_USD": ""}, "Écrivez le cours"),
        ({"montant": "8", "devise": "XXX"}, "Sélectionnez un choix valide"),
        ({"montant": "0"}, "Écrivez un nombre plus grand que zéro."),
        ({"montant": "8", "mode": "CREDIT"}, "Sélectionnez un choix valide"),
        ({"montant": "8", "tiroir": "0"}, "Sélectionnez un choix valide"),
    ],
)
def test_a_payment_that_is_not_filled_in_rightly_pays_nothing(
    typed: dict[str, str], words: str, cast: Cast, bob: Client, rate: None
) -> None:
    document = sold(cast, paye=False)
    assert words in seen(do(bob, "take_payment", document, **typed)).replace("’", "'")
    assert document.followers.count() == 0


# ---- Drawers of others ----


@pytest.mark.parametrize("name", ["void_sale", "return_lines", "take_payment"])
def test_another_shops_till_is_no_drawer(name: str, cast: Cast, bob: Client) -> None:
    document = sold(cast, paye=name != "take_payment")
    typed = {
        "void_sale": {"motif": "x"}, "return_lines": {"motif": "x", "ligne_1": "1"}, "take_payment": {"montant": "1"},
    }[name]  # fmt: skip
    for till in (cast.other_terminal.pk, f"{cast.other_terminal.pk}:C2"):
        words = seen(do(bob, name, document, tiroir=str(till), **typed)).replace("’", "'")
        assert "Sélectionnez un choix valide" in words
    assert document.followers.count() == 0
    assert MoneyMovement.objects.filter(terminal=cast.other_terminal).count() == 0
    do(bob, name, document, tiroir=str(cast.terminal.pk), **typed)
    assert document.followers.count() == 1


def test_posting_refuses_another_shops_till_too(cast: Cast) -> None:
    document = sold(cast)
    void = {"type": "annulation", "origine": {"vente_id": document.pk}}
    theirs = {"tiroir": {"caisse": cast.other_terminal.pk, "caissier": ""}}
    recording = record_from_page(shop=cast.shop, user=cast.bob, document=void | theirs, key="aaaa1111")
    assert (recording.outcome.status, recording.outcome.path) == ("rejected", "tiroir.caisse")
    own = {"tiroir": {"caisse": cast.terminal.pk, "caissier": ""}}
    recording = record_from_page(shop=cast.shop, user=cast.bob, document=void | own, key="bbbb2222")
    assert recording.outcome.status == "voided"
