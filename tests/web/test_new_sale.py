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
from backend.sales.models import OutcomeHistory, Sale
from backend.testing import Cast
from tests.invariants import check_invariants
from tests.shop_day import post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

PAGE = "/commercant/ventes/nouvelle/"


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
            client="Maman Chantal", telephone="+243 81", nif="A1", devise="USD",
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
