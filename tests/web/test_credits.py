"""The page of open credits."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.sales.errors import KeyReused
from backend.sales.models import MoneyMovement, Sale
from backend.sales.money.owed import owed_for
from backend.sales.repair import back_office
from backend.sales.repair.customer_payment import Share, record_shares
from backend.testing import Cast
from backend.web.selectors import credits as selectors
from tests.invariants import check_invariants
from tests.shop_day import post, sale
from tests.web.page_forms import form_of
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

PAGE = "/commercant/credits/"
PAY = "/commercant/credits/paiement/"
QUERIES_MAX = 9


def on_credit(cast: Cast, number: str, *, name: str = "", days_ago: int = 0, **fields: object) -> dict[str, object]:
    moment = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    customer = {"client": {"nom": name}} if name else {}
    return sale(cast.rice, numero_facture=number, paye=False, date_vente=moment, **customer, **fields)


def follow(origin: str, kind: str, **fields: object) -> dict[str, object]:
    origin_of = {"type": kind, "origine": {"numero_facture": origin}}
    return {**origin_of, "date_vente": datetime.now(UTC).isoformat(), **fields}


def numbers_on(page: object) -> list[str]:
    return re.findall(r'class="touch"[^>]*>([^<]+)</a>', page.content.decode())


def test_nobody_owes_anything(alice: Client) -> None:
    assert "Personne ne doit rien." in seen(alice.get(PAGE))


def test_open_credits_are_listed_oldest_first_and_by_customer(cast: Cast, alice: Client) -> None:
    mixed = [{"mode": "CASH", "montant": 5000}, {"mode": "CASH", "devise": "USD", "montant": 1, "taux": "2850.555"}]
    post(
        cast.device,
        sale(cast.rice, numero_facture="PAID"),
        on_credit(cast, "NEW", name="Chantal"),
        on_credit(cast, "OLD", name="Aristote", days_ago=9),
        on_credit(cast, "DOLLARS", name="Chantal", devise="USD", price=10),
        on_credit(cast, "PART", name="Aristote", days_ago=3, paiements=mixed),
        on_credit(cast, "VOIDED", name="Aristote"),
        on_credit(cast, "SETTLED", name="Aristote"),
        on_credit(cast, "BACK", name="Aristote", quantity=2),
        on_credit(cast, "ATONCE", paiements=[{"mode": "CASH", "montant": 25000}]),
        follow("VOIDED", "annulation", numero_facture="V"),
        follow("SETTLED", "paiement", numero_facture="P1", montant=25000),
        follow("BACK", "retour", numero_facture="R", lignes=[{"ligne": 1, "quantite": 1}]),
        follow("NEW", "paiement", numero_facture="P2", montant=1000),
    )
    post(cast.other_device, sale(cast.other_article, numero_facture="THEIRS", paye=False))
    page = alice.get(PAGE)
    assert numbers_on(page) == ["OLD", "PART", "NEW", "DOLLARS", "BACK"]
    owed = sum(owed_for(one) for one in Sale.objects.filter(shop=cast.shop, currency="CDF", kind="vente"))
    assert str(owed) == "91149.44"
    words = seen(page)
    assert "Reste dû à la boutique 91 149,44 FC 10,00 $US" in words
    assert "Aristote 3 ventes 67 149,44 FC" in words
    assert "Chantal 1 vente 24 000 FC" in words
    assert "25 000 FC 24 000 FC" in words
    only = alice.get(PAGE, {"client": "Chantal"})
    assert numbers_on(only) == ["NEW", "DOLLARS"]
    assert "24 000 FC 10,00 $US" in seen(only)


def test_sales_without_a_customer_are_listed_together(cast: Cast, alice: Client) -> None:
    post(cast.device, on_credit(cast, "NOBODY"), on_credit(cast, "SOMEBODY", name="Chantal"))
    page = alice.get(PAGE)
    address = re.search(r'href="([^"]+client=)"', page.content.decode())[1]
    assert numbers_on(alice.get(address)) == ["NOBODY"]


def test_its_pages_hold_each_sale_once(cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_CREDITS_MAX", 2)
    post(cast.device, *(on_credit(cast, f"N{n}", days_ago=n // 2) for n in range(5)))
    found, address = [], PAGE
    while address:
        page = alice.get(address)
        found += numbers_on(page)
        following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        address = following and following[1].replace("&amp;", "&")
    assert found == ["N4", "N2", "N3", "N0", "N1"]
    assert alice.get(PAGE, {"apres": "x"}).status_code == 404


def test_only_a_manager_takes_a_payment_from_here(cast: Cast, bob: Client, victor: Client, charlie: Client) -> None:
    post(cast.device, on_credit(cast, "NEW", name="Chantal"))
    path = reverse("web:take_payment", args=[Sale.objects.get(number="NEW").pk])
    assert path in bob.get(PAGE).content.decode()
    assert path not in victor.get(PAGE).content.decode()
    assert "Chantal" in seen(victor.get(PAGE))
    assert "Personne ne doit rien." in seen(charlie.get(PAGE))


def test_its_queries_do_not_grow_with_the_credits(
    cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    post(cast.device, *(on_credit(cast, f"N{n}", name=f"Client {n}") for n in range(60)))
    with django_assert_max_num_queries(QUERIES_MAX):
        assert len(numbers_on(alice.get(PAGE))) == selectors.PAGE_CREDITS_MAX


# ---- A payment over several sales ----


def preview(person: Client, customer: str, **typed: str) -> HttpResponse:
    """Fill in the form on the customer's page, and return the page that shows the shares."""
    return person.get(PAY, form_of(person.get(PAGE, {"client": customer}), PAY, **typed))


def confirmed(page: HttpResponse) -> dict[str, object]:
    """Return what the page's second form sends."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.content.decode().split("<table")[0])
    sent = {name: value for name, value in fields if name not in ("part", "csrfmiddlewaretoken")}
    return {**sent, "part": [value for name, value in fields if name == "part"]}


def paid_on(number: str) -> list[Decimal]:
    return list(Sale.objects.filter(origin__number=number, kind="paiement").values_list("total", flat=True))


@pytest.fixture
def debts(cast: Cast) -> None:
    post(
        cast.device,
        on_credit(cast, "NEW", name="Zoé T"),
        on_credit(cast, "OLD", name="Zoé T", days_ago=9),
        on_credit(cast, "MIDDLE", name="Zoé T", days_ago=3),
        on_credit(cast, "DOLLARS", name="Zoé T", days_ago=20, devise="USD", price=10),
        on_credit(cast, "OTHER", name="Zoe T", days_ago=30),
        on_credit(cast, "NOBODY", days_ago=40),
    )


def test_a_payment_is_shared_out_oldest_first_and_shown_before_and_after(cast: Cast, bob: Client, debts: None) -> None:
    page = preview(bob, "Zoé T", montant="30 000", tiroir=str(cast.terminal.pk))
    words = seen(page)
    assert words.index("OLD ") < words.index("MIDDLE ")
    assert "25 000 FC 25 000 FC 0 FC" in words
    assert "25 000 FC 5 000 FC 20 000 FC" in words
    assert "NEW" not in words
    assert Sale.objects.filter(kind="paiement").count() == 0
    sent = confirmed(page)
    answers = [seen(bob.post(PAY, sent, follow=True)) for _ in range(2)]
    said = "Paiement de 30 000 FC enregistré : 25 000 FC sur OLD, 5 000 FC sur MIDDLE."
    assert [said in answer for answer in answers] == [True, True]
    assert (paid_on("OLD"), paid_on("MIDDLE"), paid_on("NEW")) == ([25000], [5000], [])
    drawers = MoneyMovement.objects.filter(document__kind="paiement").values_list("terminal_id", "cashier").distinct()
    assert list(drawers) == [(cast.terminal.pk, "")]
    check_invariants()


def test_a_payment_of_everything_settles_the_currency_that_was_chosen(cast: Cast, bob: Client, debts: None) -> None:
    page = preview(bob, "Zoé T", montant="75000")
    sent = confirmed(page)
    for _ in range(2):
        assert "Reste dû à la boutique 10,00 $US" in seen(bob.post(PAY, sent, follow=True))
    sent = confirmed(preview(bob, "Zoé T", montant="10", devise="USD"))
    for _ in range(2):
        assert "Personne ne doit rien." in seen(bob.post(PAY, sent, follow=True))
    assert [len(paid_on(number)) for number in ("OLD", "MIDDLE", "NEW", "DOLLARS", "OTHER")] == [1, 1, 1, 1, 0]
    check_invariants()


def test_a_payment_that_was_cut_off_between_two_sales_is_finished_by_the_same_form(
    cast: Cast, bob: Client, debts: None
) -> None:
    sent = confirmed(preview(bob, "Zoé T", montant="60000"))
    first = Share(Sale.objects.get(number="OLD").pk, Decimal("25000.00"))
    record_shares(shop=cast.shop, user=cast.bob, shares=[first], key=sent["key"], mode="CASH", drawer={})
    assert (paid_on("OLD"), paid_on("MIDDLE")) == ([25000], [])
    assert "Paiement de 60 000 FC enregistré" in seen(bob.post(PAY, sent, follow=True))
    assert (paid_on("OLD"), paid_on("MIDDLE"), paid_on("NEW")) == ([25000], [25000], [10000])
    check_invariants()


def test_the_same_form_with_other_values_is_refused(cast: Cast, bob: Client, debts: None) -> None:
    sent = confirmed(preview(bob, "Zoé T", montant="60000"))
    bob.post(PAY, sent)
    assert "Ce formulaire a déjà servi, avec d'autres valeurs." in seen(bob.post(PAY, {**sent, "mode": "CARD"}))
    shares = [Share(Sale.objects.get(number="OLD").pk, Decimal(1))]
    with pytest.raises(KeyReused):
        record_shares(shop=cast.shop, user=cast.bob, shares=shares, key=sent["key"], mode="CASH", drawer={})
    assert Sale.objects.filter(kind="paiement").count() == 3


def test_a_debt_that_has_changed_since_is_shared_out_anew(cast: Cast, bob: Client, debts: None) -> None:
    sent = confirmed(preview(bob, "Zoé T", montant="30000"))
    post(cast.device, follow("OLD", "paiement", numero_facture="P", montant=20000))
    page = bob.post(PAY, sent)
    assert "Ce que ce client doit a changé : relisez le partage, puis recommencez." in seen(page)
    assert "5 000 FC 5 000 FC 0 FC" in seen(page)
    bob.post(PAY, confirmed(page))
    assert (paid_on("OLD"), paid_on("MIDDLE")) == ([20000, 5000], [25000])


def test_a_sale_that_refuses_its_share_leaves_the_others_theirs(
    cast: Cast, bob: Client, debts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = confirmed(preview(bob, "Zoé T", montant="30000"))
    hand_over = back_office.receive_batch

    def hand_over_too_late(**arguments: object) -> object:
        """A till voids the second sale between the page's own check and the posting."""
        if not Sale.objects.filter(number="V").exists():
            post(cast.device, follow("MIDDLE", "annulation", numero_facture="V"))
        return hand_over(**arguments)

    monkeypatch.setattr(back_office, "receive_batch", hand_over_too_late)
    words = seen(bob.post(PAY, sent, follow=True))
    assert "Paiement de 25 000 FC enregistré : 25 000 FC sur OLD." in words
    assert "5 000 FC sur MIDDLE n'est pas enregistré : Vente déjà annulée" in words
    check_invariants()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"montant": "75000,01"}, "C'est plus que ce qui reste dû : 75 000 FC."),
        ({"montant": "0"}, "Écrivez un nombre plus grand que zéro."),
        ({"montant": "x"}, "« x » n'est pas un nombre."),
        ({"montant": "5", "devise": "EUR"}, "Sélectionnez un choix valide"),
        ({"montant": "5", "mode": "CREDIT"}, "Sélectionnez un choix valide"),
        ({"montant": "5", "tiroir": "x"}, "Sélectionnez un choix valide"),
    ],
)
def test_an_amount_that_cannot_be_shared_out_is_refused(
    typed: dict[str, str], words: str, cast: Cast, bob: Client, debts: None
) -> None:
    page = preview(bob, "Zoé T", **typed)
    assert words in seen(page).replace("’", "'")
    assert 'name="part"' not in page.content.decode()
    sent = {**confirmed(preview(bob, "Zoé T", montant="75000")), **typed}
    assert bob.post(PAY, sent).status_code == 200
    assert Sale.objects.filter(kind="paiement").count() == 0


def test_shares_of_other_sales_are_refused(cast: Cast, bob: Client, debts: None) -> None:
    zoe = {"nom": "Zoé T"}
    post(cast.other_device, sale(cast.other_article, numero_facture="THEIRS", paye=False, client=zoe))
    sent = confirmed(preview(bob, "Zoé T", montant="25000"))
    theirs, others = Sale.objects.get(number="THEIRS").pk, Sale.objects.get(number="OTHER").pk
    for parts in (
        [f"{theirs}:25000.00"], [f"{others}:25000.00"], ["x"], ["1:x"], ["1:-5"], ["1:NaN"], ["1:"], [],
        [*sent["part"], *sent["part"]], [f"{'9' * 30}:1"], [f"{9 * 10**18 * 2}:25000"],
    ):  # fmt: skip
        page = bob.post(PAY, {**sent, "part": parts})
        assert "Ce formulaire est incomplet" in seen(page) or "a changé" in seen(page), parts
    assert "Ce formulaire est incomplet" in seen(bob.post(PAY, {**sent, "key": ""}))
    assert bob.post(PAY, {**sent, "key": "x y"}).status_code == 200
    assert bob.post(PAY, {**sent, "tiroir": str(cast.other_terminal.pk)}).status_code == 200
    assert Sale.objects.filter(kind="paiement").count() == 0


def test_nameless_sales_are_no_customers(cast: Cast, bob: Client, debts: None) -> None:
    assert PAY not in bob.get(PAGE, {"client": ""}).content.decode()
    assert PAY not in bob.get(PAGE).content.decode()
    for call in (bob.get, bob.post):
        assert call(PAY, {"montant": "5"})["Location"] == PAGE


def test_only_a_manager_takes_a_customers_payment(cast: Cast, bob: Client, victor: Client, debts: None) -> None:
    sent = confirmed(preview(bob, "Zoé T", montant="25000"))
    assert PAY not in victor.get(PAGE, {"client": "Zoé T"}).content.decode()
    assert (victor.get(PAY, {"client": "Zoé T"}).status_code, victor.post(PAY, sent).status_code) == (403, 403)
    assert Sale.objects.filter(kind="paiement").count() == 0


def test_one_payment_settles_a_bounded_number_of_sales(
    cast: Cast, bob: Client, monkeypatch: pytest.MonkeyPatch, debts: None
) -> None:
    monkeypatch.setattr(selectors, "SHARES_MAX", 2)
    words = seen(preview(bob, "Zoé T", montant="60000"))
    assert "Un paiement règle 2 ventes au plus à la fois : 50 000 FC." in words
    assert "Restera" in seen(preview(bob, "Zoé T", montant="50000"))
