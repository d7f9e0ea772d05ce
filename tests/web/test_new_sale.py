"""A sale made on the web: the same numbers, the same stock and the same refusals as a till's."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse
from django.test import Client

from backend.inventory.fields import NAME_CHARACTERS_MAX
from backend.inventory.models import Article, ArticleUnit
from backend.sales.models import MoneyMovement, OutcomeHistory, Sale
from backend.shops.exchange_rates import set_rate
from backend.testing import Cast
from tests.invariants import check_invariants
from tests.shop_day import post, sale
from tests.web.page_forms import form_of
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

PAGE = "/commercant/ventes/nouvelle/"
RECORD = {"faire": "enregistrer"}


def key_on(page: HttpResponse) -> str:
    return re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]


def basket(cast: Cast, *, quantity: str = "1", price: str = "25000", **fields: object) -> dict[str, object]:
    """Return the form's values with one line of rice."""
    line = {"unite": str(cast.rice.base_unit.uuid), "quantite": quantity, "prix": price}
    return {"remise": "", "devise": "CDF", "mode": "CASH", **line, **fields}


def sell(person: Client, cast: Cast, **fields: object) -> HttpResponse:
    given = basket(cast, **fields)
    return person.post(PAGE, {"key": key_on(person.get(PAGE)), "faire": "enregistrer", **given}, follow=True)


def stock(cast: Cast) -> Decimal:
    return ArticleUnit.objects.get(pk=cast.rice.base_unit_id).stock


def test_invoices_made_on_the_web_take_the_registers_numbers_one_after_the_other(cast: Cast, bob: Client) -> None:
    now = datetime.now(UTC).astimezone(ZoneInfo(cast.shop.timezone))
    last_month = now - timedelta(days=now.day)
    post(cast.device, *(sale(cast.rice, date_vente=last_month.isoformat()) for _ in range(3)))
    for number in (1, 2, 3):
        words = seen(sell(bob, cast))
        assert f"Vente enregistrée sous le numéro FAC-BTQ-009-{now:%Y%m}-{number:06}." in words
        assert "Facture à imprimer" in words
    post(cast.device, sale(cast.rice))
    assert f"FAC-BTQ-009-{now:%Y%m}-000005" in seen(sell(bob, cast))
    counted = Sale.objects.filter(register_month=last_month.month).values_list("register_number", flat=True)
    assert sorted(counted) == [1, 2, 3]
    check_invariants()


def test_a_sale_is_made_without_any_script(cast: Cast, bob: Client) -> None:
    page = bob.get(PAGE)
    assert "Riz 25 kg" in seen(page)
    key = key_on(page)
    head = {"key": key, "devise": "CDF", "mode": "CASH"}
    page = bob.post(PAGE, {**head, "q": "hui", "faire": "chercher"})
    assert "Huile 20 L" in seen(page)
    assert "Riz 25 kg" not in seen(page)
    page = bob.post(PAGE, {**head, "q": "hui", "faire": f"ajouter:{cast.oil.base_unit.uuid}"})
    assert "Somme des lignes 75 000 FC" in seen(page)
    line = {"unite": str(cast.oil.base_unit.uuid), "quantite": "1", "prix": "75000", "remise": ""}
    page = bob.post(PAGE, {**head, **line, "faire": f"ajouter:{cast.oil.base_unit.uuid}"})
    assert "Somme des lignes 150 000 FC" in seen(page)
    page = bob.post(PAGE, {**head, **line, "faire": "retirer:0"})
    assert "Rien encore." in seen(page)
    assert key_on(page) == key
    assert Sale.objects.count() == 0


def test_what_was_typed_is_what_is_sold(cast: Cast, bob: Client) -> None:
    words = seen(
        sell(
            bob, cast, quantity="2,5", price="24 000", remise="500", remise_vente="1000", mode="MOBILE_MONEY",
            client="Maman Chantal", telephone="+243 81", nif="A1", devise="USD", prix_en="USD",
        )
    )  # fmt: skip
    for expected in ("Total 58 500,00 $US", "Mobile money", "Client Maman Chantal +243 81 NIF A1", "500,00 $US"):
        assert expected in words
    made = Sale.objects.get()
    assert (made.total, made.discount, made.currency, made.cashier_code) == (58500, 1000, "USD", "bob")
    assert stock(cast) == Decimal("97.5")


def test_a_sale_on_credit_requires_a_customer(cast: Cast, bob: Client) -> None:
    assert "Écrivez qui doit cet argent." in seen(sell(bob, cast, mode="CREDIT"))
    assert Sale.objects.count() == 0
    assert "Reste dû 25 000 FC" in seen(sell(bob, cast, mode="CREDIT", client="Maman Chantal"))
    assert not Sale.objects.get().is_paid


def test_a_refusal_keeps_what_was_typed(cast: Cast, bob: Client) -> None:
    page = sell(bob, cast, quantity="101", client="Maman Chantal")
    assert "Stock insuffisant pour Riz 25 kg (demandé 101, disponible 100)" in seen(page)
    body = page.content.decode()
    assert 'value="101"' in body
    assert 'value="Maman Chantal"' in body
    assert Sale.objects.count() == 0
    typed = {**basket(cast, quantity="100"), "key": key_on(page), "faire": "enregistrer"}
    assert "Vente enregistrée" in seen(bob.post(PAGE, typed, follow=True))
    assert stock(cast) == 0
    check_invariants()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"quantity": "0"}, "Écrivez un nombre plus grand que zéro."),
        ({"quantity": "deux"}, "« deux » n'est pas un nombre."),
        ({"price": ""}, "Ce champ est obligatoire."),
        ({"remise": "30000"}, "Plus que le montant de la ligne."),
        ({"remise_vente": "30000"}, "supérieure au montant de la vente"),
        ({"devise": "XXX"}, "Sélectionnez un choix valide"),
        ({"unite": "00000000-0000-0000-0000-000000000000"}, "Ajoutez au moins un article."),
        ({"unite": "x"}, "Ajoutez au moins un article."),
    ],
)
def test_an_error_is_shown_beside_its_field(wrong: dict[str, str], words: str, cast: Cast, bob: Client) -> None:
    assert words in seen(sell(bob, cast, **wrong)).replace("’", "'")
    assert Sale.objects.count() == 0


def test_a_long_refusal_is_kept_whole_with_what_was_set_aside(cast: Cast, bob: Client) -> None:
    Article.objects.filter(pk=cast.rice.pk).update(name="R" * NAME_CHARACTERS_MAX)
    sell(bob, cast, quantity="101")
    kept = OutcomeHistory.objects.get().reason
    assert len(kept) > 200
    assert kept.startswith("Refusée à l'écran : Stock insuffisant")
    assert kept.endswith("(demandé 101, disponible 100)")


def test_another_shops_article_does_not_exist(cast: Cast, bob: Client) -> None:
    theirs = str(cast.other_article.base_unit.uuid)
    assert "Ajoutez au moins un article." in seen(sell(bob, cast, unite=theirs))
    head = {"key": "aaaaaaaaaaaa", "devise": "CDF", "mode": "CASH"}
    page = bob.post(PAGE, {**head, "q": cast.other_article.name, "faire": f"ajouter:{theirs}"})
    assert "Rien encore." in seen(page)
    assert "Aucun article actif ne correspond" in seen(page)


def test_a_double_click_sells_once(cast: Cast, bob: Client) -> None:
    sent = {**basket(cast), "key": key_on(bob.get(PAGE)), "faire": "enregistrer"}
    assert ["Vente enregistrée" in seen(bob.post(PAGE, sent, follow=True)) for _ in range(2)] == [True, True]
    assert stock(cast) == 99
    changed = bob.post(PAGE, {**sent, "quantite": "2"})
    assert "Ce formulaire a déjà servi, avec d'autres valeurs." in seen(changed)
    assert key_on(changed) != sent["key"]
    assert stock(cast) == 99


def test_a_viewer_sells_nothing(cast: Cast, victor: Client) -> None:
    assert victor.get(PAGE).status_code == 403
    sent = {**basket(cast), "key": "aaaaaaaaaaaa", "faire": "enregistrer"}
    assert victor.post(PAGE, sent).status_code == 403
    assert "Nouvelle vente" not in seen(victor.get("/commercant/ventes/"))


# ---- Another currency ----


def with_rice(person: Client, cast: Cast, **typed: str) -> HttpResponse:
    """Open the page, add one line of rice to the basket, and return the page."""
    sent = form_of(person.get(PAGE), PAGE, **typed)
    return person.post(PAGE, {**sent, "faire": f"ajouter:{cast.rice.base_unit.uuid}"})


def prices(page: HttpResponse) -> list[str]:
    """Return the prices in the basket, as the fields of the page have them."""
    fields = re.findall(r'<input[^>]*name="prix"[^>]*>', page.content.decode())
    return [(re.findall(r'value="([^"]*)"', field) or [""])[0] for field in fields]


def test_a_price_never_stays_when_the_currency_changes(cast: Cast, bob: Client) -> None:
    ArticleUnit.objects.filter(pk=cast.rice.base_unit_id).update(price=200)
    page = with_rice(bob, cast)
    assert prices(page) == ["200"]
    sent = {**form_of(page, PAGE), "devise": "USD"}
    page = bob.post(PAGE, {**sent, **RECORD})
    assert prices(page) == [""]
    assert "La vente passe de FC en $US : un prix sans cours du jour est vidé." in seen(page)
    assert "Ce champ est obligatoire." in seen(bob.post(PAGE, {**form_of(page, PAGE), **RECORD}))
    assert Sale.objects.count() == 0


def test_prices_are_reckoned_at_the_rate_of_the_day_and_nothing_is_recorded_unseen(cast: Cast, bob: Client) -> None:
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2000), user=cast.alice)
    page = with_rice(bob, cast)
    sent = {**form_of(page, PAGE), "remise": "500", "remise_vente": "1000"}
    page = bob.post(PAGE, {**sent, "devise": "USD", **RECORD})
    words = seen(page)
    assert "les prix sont recalculés au cours du jour (1 $US = 2 000 FC). Vérifiez-les." in words
    assert "Somme des lignes 12,25 $US" in words
    assert prices(page) == ["12,5"]
    assert Sale.objects.count() == 0
    assert "Vente enregistrée" in seen(bob.post(PAGE, {**form_of(page, PAGE), **RECORD}, follow=True))
    made = Sale.objects.get()
    assert (made.total, made.discount, made.currency) == (Decimal("11.75"), Decimal("0.5"), "USD")
    check_invariants()


def test_a_currency_that_is_changed_back_leaves_the_catalogues_price(cast: Cast, bob: Client) -> None:
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2850), user=cast.alice)
    page = with_rice(bob, cast)
    for currency, price in (("USD", "8,77"), ("CDF", "25000")):
        page = bob.post(PAGE, {**form_of(page, PAGE), "devise": currency, "faire": "calculer"})
        assert prices(page) == [price]
    # One that a person typed is reckoned itself.
    page = bob.post(PAGE, {**form_of(page, PAGE), "prix": "28500", "devise": "USD", "faire": "calculer"})
    assert prices(page) == ["10"]


def test_an_article_is_added_at_its_price_in_the_currency_of_the_sale(cast: Cast, bob: Client) -> None:
    assert prices(with_rice(bob, cast, devise="USD", prix_en="USD")) == [""]
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2500), user=cast.alice)
    assert prices(with_rice(bob, cast, devise="USD", prix_en="USD")) == ["10"]
    ArticleUnit.objects.filter(pk=cast.rice.base_unit_id).update(price=10, currency="USD")
    assert prices(with_rice(bob, cast)) == ["25000"]
    # Less than the smallest coin is no price.
    ArticleUnit.objects.filter(pk=cast.rice.base_unit_id).update(price=10, currency="CDF")
    assert prices(with_rice(bob, cast, devise="USD", prix_en="USD")) == [""]


@pytest.mark.parametrize("lie", ["XXX", "USDX", "<b>"])
def test_prices_in_a_currency_that_nobody_knows_are_emptied(lie: str, cast: Cast, bob: Client) -> None:
    page = sell(bob, cast, prix_en=lie)
    assert prices(page) == [""]
    assert Sale.objects.count() == 0


# ---- What the customer gives, and the drawer ----


def money_of(document: Sale) -> list[tuple[object, ...]]:
    rows = MoneyMovement.objects.filter(document=document).order_by("position")
    return [(one.kind, one.mode, one.currency, one.amount, one.value) for one in rows]


def test_change_is_reckoned_said_and_recorded(cast: Cast, bob: Client) -> None:
    page = with_rice(bob, cast)
    sent = {**form_of(page, PAGE), "recu": "30 000"}
    assert "Monnaie à rendre : 5 000 FC." in seen(bob.post(PAGE, {**sent, "faire": "calculer"}))
    page = bob.post(PAGE, {**sent, **RECORD}, follow=True)
    assert "Monnaie à rendre : 5 000 FC." in seen(page)
    document = Sale.objects.get()
    assert money_of(document) == [
        ("ENCAISSEMENT", "CASH", "CDF", 30000, 30000),
        ("RENDU", "CASH", "CDF", -5000, -5000),
    ]
    assert document.warnings == []
    check_invariants()


def test_dollars_for_a_sale_in_francs_give_change_in_francs(cast: Cast, bob: Client) -> None:
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2850), user=cast.alice)
    page = with_rice(bob, cast)
    sent = {**form_of(page, PAGE), "recu": "10", "recu_devise": "USD"}
    answers = [bob.post(PAGE, {**sent, **RECORD}, follow=True) for _ in range(2)]
    assert all("Monnaie à rendre : 3 500 FC." in seen(answer) for answer in answers)
    document = Sale.objects.get()
    assert money_of(document) == [
        ("ENCAISSEMENT", "CASH", "USD", 10, 28500),
        ("RENDU", "CASH", "CDF", -3500, -3500),
    ]
    assert document.warnings == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recu": "24 000"}, "Il manque 1 000 FC."),
        ({"recu": "beaucoup"}, "« beaucoup » n'est pas un nombre."),
        ({"recu_devise": "USD"}, "Écrivez combien le client a donné."),
        ({"recu": "10", "recu_devise": "USD"}, "Écrivez le cours : la devise n'est pas celle de la vente."),
        ({"recu": "10", "recu_devise": "USD", "cours_USD": "0"}, "Écrivez un nombre plus grand que zéro."),
        ({"recu": "8", "recu_devise": "USD", "cours_USD": "2850"}, "Il manque 2 200 FC."),
        ({"recu": "30000", "mode": "CREDIT", "client": "Zoé"}, "La vente est à crédit : enregistrez-la"),
        ({"tiroir": "x"}, "Sélectionnez un choix valide"),
        ({"tiroir": "99999999999999999999"}, "Sélectionnez un choix valide"),
    ],
)
def test_what_is_wrong_with_the_money_is_said_beside_its_field(
    given: dict[str, str], words: str, cast: Cast, bob: Client
) -> None:
    assert words in seen(sell(bob, cast, **given)).replace("’", "'")
    assert Sale.objects.count() == 0


def test_the_sum_may_be_met_to_half_a_cent_of_the_other_currency(cast: Cast, bob: Client) -> None:
    words = seen(sell(bob, cast, recu="8,77", recu_devise="USD", cours_USD="2850"))
    assert "Le compte est juste : rien à rendre." in words
    assert Sale.objects.get().warnings == []


def test_the_money_goes_into_the_drawer_that_is_chosen_and_into_no_other_shops(cast: Cast, bob: Client) -> None:
    theirs = seen(sell(bob, cast, tiroir=str(cast.other_terminal.pk))).replace("’", "'")
    assert "Sélectionnez un choix valide" in theirs
    assert Sale.objects.count() == 0
    post(cast.device, sale(cast.rice, caissier={"code": "C2"}))
    offered = bob.get(PAGE).content.decode()
    assert f'value="{cast.terminal.pk}:C2">Terminal MAUI · C2<' in offered
    sell(bob, cast, tiroir=f"{cast.terminal.pk}:C2")
    sell(bob, cast)
    drawers = MoneyMovement.objects.filter(document__terminal__is_office=True).order_by("document")
    office = drawers.last().terminal_id
    assert [(one.terminal_id, one.cashier) for one in drawers] == [(cast.terminal.pk, "C2"), (office, "bob")]
    check_invariants()
