"""An article's page: its actions, each done once per form."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.inventory.catalogue import change_unit
from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.shops.models import StockPolicy
from backend.testing import Cast, add_unit, make_user
from tests.invariants import check_stock
from tests.shop_day import post, recorded, sale
from tests.tills import stock_of
from tests.web.page_forms import form_of
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

ARTICLE_QUERIES_MAX = 9
NEW = "/commercant/stock/nouveau/"


def page_of(article: Article) -> str:
    return reverse("web:article", args=[article.pk])


def action_of(name: str, target: Article | ArticleUnit) -> str:
    arguments = [target.pk] if isinstance(target, Article) else [target.article_id, target.pk]
    return reverse(f"web:{name}", args=arguments)


@pytest.fixture
def bob(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.bob)
    return client


@pytest.fixture
def pallet(cast: Cast) -> ArticleUnit:
    return add_unit(cast.rice, level=UnitLevel.CARTON, mark="PALETTE", stock=2, holds=Decimal(40), price=900000)


@pytest.fixture
def fill(cast: Cast, bob: Client) -> Callable[..., dict[str, str]]:
    """Fill in a form of the rice's page as Bob's browser shows it: `fill("move_unit", unit, quantite="5")`."""

    def fill(name: str, target: Article | ArticleUnit, /, **typed: str) -> dict[str, str]:
        return form_of(bob.get(page_of(cast.rice)), action_of(name, target), **typed)

    return fill


class TestThePage:
    def test_it_shows_units_prices_and_stocks(
        self, cast: Cast, bob: Client, pallet: ArticleUnit, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        ArticleUnit.objects.filter(pk=cast.rice.base_unit_id).update(vat_rate=16, low_stock_threshold=100)
        with django_assert_max_num_queries(ARTICLE_QUERIES_MAX):
            words = seen(bob.get(page_of(cast.rice)))
        assert "Riz 25 kg Actif Code RIZ25" in words
        assert words.index("PALETTE Carton") < words.index("PCE Pièce Unité de base Bas")
        assert "Prix 900 000 FC" in words
        assert "Contient 40 PCE" in words
        assert "100 en stock" in words
        assert "TVA 16 %" in words
        assert "Ouvrir PALETTE en PCE" in words
        assert "Ouvrir PCE" not in words

    def test_a_viewer_sees_no_form_and_changes_nothing(
        self, cast: Cast, client: Client, bob: Client, pallet: ArticleUnit
    ) -> None:
        client.force_login(cast.victor)
        words = seen(client.get(page_of(cast.rice)))
        assert "100 en stock" in words
        assert "Entrée, sortie, comptage" not in words
        assert "Modifier" not in words
        assert client.get(NEW).status_code == 403
        for name, target in (
            ("move_unit", pallet),
            ("open_unit", pallet),
            ("change_unit", pallet),
            ("add_unit", cast.rice),
            ("change_article", cast.rice),
        ):
            filled = form_of(bob.get(page_of(cast.rice)), action_of(name, target))
            assert client.post(action_of(name, target), filled).status_code == 403

    def test_an_article_of_another_shop_does_not_exist(self, cast: Cast, alice: Client, charlie: Client) -> None:
        for article, stranger in ((cast.rice, charlie), (cast.other_article, alice)):
            unit = article.base_unit
            assert stranger.get(page_of(article)).status_code == 404
            for name in ("move_unit", "open_unit", "change_unit"):
                assert stranger.post(action_of(name, unit), {"key": "a" * 20}).status_code == 404
            for name in ("add_unit", "change_article"):
                assert stranger.post(action_of(name, article), {"key": "a" * 20}).status_code == 404

    def test_a_unit_of_another_article_or_shop_is_not_found_through_ones_own_article(
        self, cast: Cast, alice: Client
    ) -> None:
        entry = {"action": "entree", "quantite": "5", "key": "a" * 20}
        for foreign in (cast.oil.base_unit, cast.other_article.base_unit):
            action = reverse("web:move_unit", args=[cast.rice.pk, foreign.pk])
            assert alice.post(action, entry).status_code == 404
            assert foreign.movements.count() == 1

    def test_a_change_does_not_follow_an_id_to_another_of_ones_shops(self, cast: Cast, client: Client) -> None:
        client.force_login(make_user("dora", cast.shop, cast.other_shop))
        client.get("/commercant/stock/", {"boutique": "BTQ-777"})
        action = action_of("move_unit", cast.rice.base_unit)
        entry = {"action": "entree", "quantite": "5", "key": "a" * 20}
        assert client.post(action, entry).status_code == 404
        assert client.post(f"{action}?boutique=BTQ-009", entry).status_code == 302
        assert client.get(page_of(cast.rice)).status_code == 200

    def test_an_action_asked_for_again_by_reloading_shows_the_article(self, cast: Cast, bob: Client) -> None:
        for name, target in (("move_unit", cast.rice.base_unit), ("add_unit", cast.rice)):
            assert bob.get(action_of(name, target))["Location"] == page_of(cast.rice)


class TestStockWork:
    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            (("entree", "1 000,5", ""), ("1100.5", MovementType.ENTRY)),
            (("sortie", "40", "Don"), ("60", MovementType.EXIT)),
            (("ajustement", "−3", "Casse"), ("97", MovementType.ADJUSTMENT)),
            (("ajustement", "3", "Retrouvés"), ("103", MovementType.ADJUSTMENT)),
            (("compte", "98", "Inventaire"), ("98", MovementType.ADJUSTMENT)),
        ],
    )
    def test_it_moves_the_stock_and_says_so(
        self, typed: tuple[str, str, str], expected: tuple[str, str], cast: Cast, bob: Client, fill: Callable
    ) -> None:
        unit = cast.rice.base_unit
        action, amount, reason = typed
        filled = fill("move_unit", unit, action=action, quantite=amount, motif=reason)
        words = seen(bob.post(action_of("move_unit", unit), filled, follow=True))
        assert "Stock de PCE : 100 →" in words
        movement = StockMovement.objects.latest("pk")
        assert (stock_of(cast.rice), movement.type) == (Decimal(expected[0]), expected[1])
        assert (movement.author, movement.comment) == ("bob", reason)
        check_stock()

    def test_a_count_that_agrees_changes_nothing(self, cast: Cast, bob: Client, fill: Callable) -> None:
        unit = cast.rice.base_unit
        filled = fill("move_unit", unit, action="compte", quantite="100", motif="Inventaire")
        assert "Le compte est juste" in seen(bob.post(action_of("move_unit", unit), filled, follow=True))
        assert unit.movements.count() == 1

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"action": "entree", "quantite": "-3"}, "plus grande que zéro"),
            ({"action": "sortie", "quantite": "0"}, "plus grande que zéro"),
            ({"action": "sortie", "quantite": "101"}, "Stock insuffisant pour Riz 25 kg · PCE"),
            ({"action": "entree", "quantite": "1,2345"}, "trois décimales au plus"),
            ({"action": "entree", "quantite": "1.500"}, "est ambigu"),
            ({"action": "entree", "quantite": "dix"}, "n'est pas un nombre"),
            ({"action": "entree", "quantite": "9" * 12}, "nombre trop grand"),
            ({"action": "ajustement", "quantite": "-3"}, "doit dire pourquoi"),
            ({"action": "ajustement", "quantite": "-101", "motif": "Casse"}, "ne peut pas mettre"),
            ({"action": "compte", "quantite": "3"}, "doit dire pourquoi"),
            ({"action": "compte", "quantite": "-3", "motif": "x"}, "ne peut pas être négatif"),
            ({"action": "vente", "quantite": "3"}, "choix valide"),
            ({"action": "entree", "quantite": ""}, "obligatoire"),
            ({"action": "entree", "quantite": "3", "motif": "x" * 301}, "300 caractères"),
        ],
    )
    def test_a_refusal_is_shown_at_its_field(
        self, typed: dict[str, str], said: str, cast: Cast, bob: Client, fill: Callable
    ) -> None:
        unit = cast.rice.base_unit
        filled = fill("move_unit", unit, **typed)
        answer = bob.post(action_of("move_unit", unit), filled)
        assert said in seen(answer)
        assert "<details open>" in answer.content.decode()
        assert stock_of(cast.rice) == 100
        # The same form, corrected, is accepted.
        right = filled | {"action": "entree", "quantite": "1", "motif": ""}
        assert "100 → 101" in seen(bob.post(action_of("move_unit", unit), right, follow=True))

    def test_a_shop_that_accepts_it_may_have_negative_stock(self, cast: Cast, bob: Client, fill: Callable) -> None:
        type(cast.shop).objects.filter(pk=cast.shop.pk).update(stock_policy=StockPolicy.ACCEPT)
        unit = cast.rice.base_unit
        filled = fill("move_unit", unit, action="sortie", quantite="101")
        assert "−1 en stock" in seen(bob.post(action_of("move_unit", unit), filled, follow=True))

    def test_a_form_sent_twice_is_done_once(self, cast: Cast, bob: Client, fill: Callable) -> None:
        unit = cast.rice.base_unit
        filled = fill("move_unit", unit, action="entree", quantite="5")
        assert "100 → 105" in seen(bob.post(action_of("move_unit", unit), filled, follow=True))
        post(cast.device, sale(cast.rice))
        assert "rien n'a été fait une seconde fois" in seen(bob.post(action_of("move_unit", unit), filled, follow=True))
        assert stock_of(cast.rice) == 104
        again = fill("move_unit", unit, action="entree", quantite="5")
        assert "104 → 109" in seen(bob.post(action_of("move_unit", unit), again, follow=True))

    def test_an_old_form_with_other_values_is_refused(self, cast: Cast, bob: Client, fill: Callable) -> None:
        unit = cast.rice.base_unit
        filled = fill("move_unit", unit, action="entree", quantite="5")
        bob.post(action_of("move_unit", unit), filled)
        assert "a déjà servi" in seen(bob.post(action_of("move_unit", unit), filled | {"quantite": "6"}))
        other = bob.post(action_of("move_unit", cast.oil.base_unit), filled)
        assert "a déjà servi" in seen(other)
        assert (stock_of(cast.rice), stock_of(cast.oil)) == (105, 100)

    @pytest.mark.parametrize("key", ["", "court", "a" * 65, "clé-avec-tirets-et-accents"])
    def test_a_form_without_a_key_of_ours_does_nothing(self, key: str, cast: Cast, bob: Client, fill: Callable) -> None:
        unit = cast.rice.base_unit
        filled = fill("move_unit", unit, action="entree", quantite="5", key=key)
        assert "alert" in bob.post(action_of("move_unit", unit), filled).content.decode()
        assert stock_of(cast.rice) == 100

    def test_two_shops_may_use_the_same_key(self, cast: Cast, bob: Client, charlie: Client, fill: Callable) -> None:
        filled = fill("move_unit", cast.rice.base_unit, action="entree", quantite="5")
        bob.post(action_of("move_unit", cast.rice.base_unit), filled)
        charlie.post(action_of("move_unit", cast.other_article.base_unit), filled)
        assert stock_of(cast.other_article) == 105


class TestOpening:
    def test_a_carton_becomes_what_it_holds_once(
        self, cast: Cast, bob: Client, pallet: ArticleUnit, fill: Callable
    ) -> None:
        filled = fill("open_unit", pallet, nombre="1")
        words = seen(bob.post(action_of("open_unit", pallet), filled, follow=True))
        assert "Ouvert : 1 PALETTE, devenus 40 PCE." in words
        assert "seconde fois" in seen(bob.post(action_of("open_unit", pallet), filled, follow=True))
        pallet.refresh_from_db()
        assert (pallet.stock, stock_of(cast.rice)) == (1, 140)

    @pytest.mark.parametrize(
        ("count", "said"), [("3", "Stock insuffisant"), ("0", "plus grand que zéro"), ("1,5", "un nombre entier")]
    )
    def test_a_refusal_opens_nothing(
        self, count: str, said: str, pallet: ArticleUnit, fill: Callable, bob: Client
    ) -> None:
        filled = fill("open_unit", pallet, nombre=count)
        assert said in seen(bob.post(action_of("open_unit", pallet), filled))
        assert stock_of(pallet.article) == 100

    def test_a_carton_of_unknown_content_is_refused(
        self, cast: Cast, bob: Client, pallet: ArticleUnit, fill: Callable
    ) -> None:
        filled = fill("open_unit", pallet, nombre="1")
        ArticleUnit.objects.filter(pk=pallet.pk).update(holds=None)
        assert "Dites d'abord combien elle contient" in seen(bob.get(page_of(cast.rice)))
        assert "Il faut d'abord dire combien contient" in seen(bob.post(action_of("open_unit", pallet), filled))

    def test_a_unit_with_nothing_smaller_cannot_be_opened(self, cast: Cast, bob: Client) -> None:
        form = {"nombre": "1", "key": "a" * 20}
        answer = bob.post(action_of("open_unit", cast.rice.base_unit), form)
        assert answer.status_code == 200
        assert stock_of(cast.rice) == 100


class TestChanges:
    def test_a_mark_is_renamed_and_no_past_sale_changes(self, cast: Cast, bob: Client, fill: Callable) -> None:
        sold = recorded(post(cast.device, sale(cast.rice)))
        unit = cast.rice.base_unit
        filled = fill("change_unit", unit, marque="SAC", prix="26 000,50", seuil="10", taux_tva="16")
        words = seen(bob.post(action_of("change_unit", unit), filled, follow=True))
        assert "Unité enregistrée. Les ventes passées ne changent pas." in words
        assert "SAC Pièce" in words
        assert "Prix 26 000,50 FC" in words
        assert "Seuil de stock bas 10" in words
        assert "Riz 25 kg PCE" in seen(bob.get(reverse("web:sale", args=[sold.pk])))

    def test_a_change_made_meanwhile_is_not_undone(self, cast: Cast, bob: Client, fill: Callable) -> None:
        unit = cast.rice.base_unit
        filled = fill("change_unit", unit, marque="SAC")
        change_unit(shop=cast.shop, unit_uuid=unit.uuid, changes={"price": Decimal(30000)})
        bob.post(action_of("change_unit", unit), filled)
        unit.refresh_from_db()
        assert (unit.mark, unit.price) == ("SAC", 30000)

    def test_a_threshold_is_taken_away_by_emptying_it(self, cast: Cast, bob: Client, fill: Callable) -> None:
        unit = cast.rice.base_unit
        ArticleUnit.objects.filter(pk=unit.pk).update(low_stock_threshold=5)
        bob.post(action_of("change_unit", unit), fill("change_unit", unit, seuil=""))
        unit.refresh_from_db()
        assert unit.low_stock_threshold is None

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"prix": "-1"}, "ne peut pas être négatif"),
            ({"prix": "1,234"}, "est ambigu"),
            ({"prix": "0,125"}, "2 décimales au plus"),
            ({"prix": ""}, "obligatoire"),
            ({"devise": "EUR"}, "choix valide"),
            ({"taux_tva": "101"}, "trop grand"),
            ({"contient": "5"}, "ne contient rien de plus petit"),
            ({"seuil": "-1"}, "ne peut pas être négatif"),
            ({"marque": "x" * 25}, "24 caractères"),
        ],
    )
    def test_an_impossible_unit_is_refused(
        self, typed: dict[str, str], said: str, cast: Cast, bob: Client, fill: Callable
    ) -> None:
        unit = cast.rice.base_unit
        assert said in seen(bob.post(action_of("change_unit", unit), fill("change_unit", unit, **typed))).lower()
        unit.refresh_from_db()
        assert (unit.price, unit.currency, unit.mark) == (25000, "CDF", "PCE")

    def test_an_article_is_renamed_and_taken_off_sale(
        self, cast: Cast, bob: Client, pallet: ArticleUnit, fill: Callable
    ) -> None:
        typed = {"nom": "Riz long", "code": "RIZL", "code_barres": "54490", "unite_base": str(pallet.pk)}
        filled = fill("change_article", cast.rice, **typed, actif=None)
        words = seen(bob.post(action_of("change_article", cast.rice), filled, follow=True))
        assert "Riz long Inactif Code RIZL · code-barres 54490" in words
        cast.rice.refresh_from_db()
        assert cast.rice.base_unit_id == pallet.pk

    def test_a_code_that_is_taken_is_refused(self, cast: Cast, bob: Client, fill: Callable) -> None:
        filled = fill("change_article", cast.rice, code="HUI20")
        answer = seen(bob.post(action_of("change_article", cast.rice), filled))
        assert "Le code HUI20 est déjà celui d'un autre article." in answer
        cast.rice.refresh_from_db()
        assert cast.rice.code == "RIZ25"

    def test_another_articles_unit_is_no_base(self, cast: Cast, bob: Client, fill: Callable) -> None:
        filled = fill("change_article", cast.rice, unite_base=str(cast.oil.base_unit_id))
        assert "choix" in seen(bob.post(action_of("change_article", cast.rice), filled))
        cast.rice.refresh_from_db()
        assert cast.rice.base_unit.article_id == cast.rice.pk

    def test_a_level_is_added_once_and_the_base_stays(self, cast: Cast, bob: Client, fill: Callable) -> None:
        filled = fill("add_unit", cast.rice, niveau="CARTON", marque="PAL", prix="900000", contient="40")
        action = action_of("add_unit", cast.rice)
        assert "Unité ajoutée." in seen(bob.post(action, filled, follow=True))
        assert "seconde fois" in seen(bob.post(action, filled, follow=True))
        other = filled | {"key": "b" * 20}
        assert "Cet article a déjà une unité CARTON." in seen(bob.post(action, other))
        cast.rice.refresh_from_db()
        assert cast.rice.base_unit.level == UnitLevel.PIECE
        assert cast.rice.units.count() == 2


class TestNewArticle:
    def test_it_is_created_with_its_unit_and_its_stock_once(self, cast: Cast, bob: Client) -> None:
        typed = {"nom": "Sel 1 kg", "code": "SEL1", "marque": "SAC", "prix": "1 500", "quantite": "12", "seuil": "3"}
        filled = form_of(bob.get(NEW), NEW, **typed)
        words = seen(bob.post(NEW, filled, follow=True))
        assert "Sel 1 kg Actif Code SEL1" in words
        assert "12 en stock" in words
        article = Article.objects.get(shop=cast.shop, code="SEL1")
        assert article.base_unit.level == UnitLevel.PIECE
        assert article.base_unit.movements.get().comment == "Stock d'ouverture"
        again = bob.post(NEW, filled, follow=True)
        assert "seconde fois" in seen(again)
        assert "Sel 1 kg" in seen(again)
        assert Article.objects.filter(shop=cast.shop).count() == 3
        check_stock()

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"code": "RIZ25"}, "Le code RIZ25 est déjà celui d'un autre article."),
            ({"nom": ""}, "obligatoire"),
            ({"quantite": "-1"}, "doit être positive"),
            ({"quantite": "1,2345"}, "trois décimales au plus"),
            ({"contient": "5"}, "ne contient rien de plus petit"),
            ({"niveau": "PALETTE"}, "choix valide"),
        ],
    )
    def test_errors_are_shown_and_nothing_is_created(
        self, typed: dict[str, str], said: str, cast: Cast, bob: Client
    ) -> None:
        filled = form_of(bob.get(NEW), NEW, **({"nom": "Sel", "code": "SEL1", "prix": "1500"} | typed))
        answer: HttpResponse = bob.post(NEW, filled)
        assert said in seen(answer)
        assert Article.objects.filter(shop=cast.shop).count() == 2
        assert "Sel Actif" in seen(
            bob.post(
                NEW,
                filled | {"nom": "Sel", "code": "SEL1", "quantite": "1", "contient": "", "niveau": "PIECE"},
                follow=True,
            )
        )
