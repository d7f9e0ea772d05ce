"""The pages of the shop's stock: low stock first, and the explanation of each unit's stock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backend.inventory.carton_opening import open_units
from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.inventory.stock import count_stock, move_stock
from backend.shops.models import StockPolicy
from backend.testing import Cast, add_unit, make_article, make_user
from backend.web.selectors import stock as selectors
from backend.web.selectors import stock_history
from tests.shop_day import post, recorded, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

STOCK = "/commercant/stock/"
MOVEMENTS = "/commercant/mouvements/"
STOCK_QUERIES_MAX = 7
UNIT_QUERIES_MAX = 10
MOVEMENTS_QUERIES_MAX = 9


def unit_page(unit: ArticleUnit) -> str:
    return reverse("web:unit", args=[unit.article_id, unit.pk])


def set_threshold(unit: ArticleUnit, threshold: int) -> None:
    ArticleUnit.objects.filter(pk=unit.pk).update(low_stock_threshold=threshold)


def sell_below_zero(cast: Cast, article: Article, quantity: int) -> None:
    type(cast.shop).objects.filter(pk=cast.shop.pk).update(stock_policy=StockPolicy.ACCEPT)
    post(cast.device, sale(article, quantity=quantity))


class TestLevels:
    def test_low_stock_comes_first(
        self, cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        salt = make_article(cast.shop, name="Sel", code="SEL", stock=3)
        sugar = make_article(cast.shop, name="Sucre", code="SUC", stock=3)
        set_threshold(salt.base_unit, 3)
        set_threshold(sugar.base_unit, 2)
        sell_below_zero(cast, cast.rice, 104)
        with django_assert_max_num_queries(STOCK_QUERIES_MAX):
            words = seen(alice.get(STOCK))
        assert "1 article a un stock négatif." in words
        assert "1 article est à réapprovisionner." in words
        in_order = ["Riz 25 kg", "−4 Négatif", "Sel", "3 Bas", "Huile 20 L", "Sucre"]
        places = [words.index(one) for one in in_order]
        assert places == sorted(places)
        assert words.count("Bas") == 1

    def test_an_article_shows_each_of_its_units(self, cast: Cast, alice: Client) -> None:
        add_unit(cast.rice, level=UnitLevel.CARTON, mark="PALETTE", stock=Decimal("2.5"))
        words = seen(alice.get(STOCK))
        assert "PALETTE 2,5 PCE 100" in words

    def test_an_empty_shop_is_told_how_to_begin(self, cast: Cast, client: Client) -> None:
        Article.objects.filter(shop=cast.shop).update(shop=cast.other_shop, is_active=False)
        client.force_login(cast.bob)
        words = seen(client.get(STOCK))
        assert "Aucun article pour l'instant." in words
        assert "Ajouter un article" in words
        assert "Importer" in words
        client.force_login(cast.victor)
        words = seen(client.get(STOCK))
        assert "Aucun article pour l'instant." in words
        assert "Ajouter un article" not in words

    @pytest.mark.parametrize("text", ["huile", "HUI2", "54490", " Huile "])
    def test_an_article_is_found_by_name_code_and_barcode(self, text: str, cast: Cast, alice: Client) -> None:
        Article.objects.filter(pk=cast.oil.pk).update(barcode="5449000000996")
        words = seen(alice.get(STOCK, {"q": text}))
        assert "Huile 20 L" in words
        assert "Riz 25 kg" not in words
        assert "Aucun article ne correspond" in seen(alice.get(STOCK, {"q": "zzz"}))

    def test_the_list_is_narrowed_by_state(self, cast: Cast, alice: Client) -> None:
        set_threshold(cast.oil.base_unit, 100)
        sell_below_zero(cast, cast.rice, 101)
        make_article(cast.shop, name="Vieux savon", is_active=False)
        expected = {
            "": ["Riz 25 kg", "Huile 20 L"],
            "bas": ["Riz 25 kg", "Huile 20 L"],
            "negatif": ["Riz 25 kg"],
            "inactifs": ["Vieux savon"],
        }
        for state, names in expected.items():
            words = seen(alice.get(STOCK, {"etat": state}))
            assert [n for n in ("Riz 25 kg", "Huile 20 L", "Vieux savon") if n in words] == names
        assert "choix valide" in seen(alice.get(STOCK, {"etat": "autre"}))

    def test_long_lists_have_pages_that_lose_and_repeat_nothing(
        self, cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selectors, "PAGE_ARTICLES_MAX", 3)
        for name in ("Sel", "Sel", "Sel", "Eponge", "Éponge", "Zeste"):
            set_threshold(make_article(cast.shop, name=name).base_unit, 500 if name == "Zeste" else 0)
        whole = selectors.stock_page(shop=cast.shop)
        found, cursor = [*whole.rows], whole.next_cursor
        while cursor:
            page = selectors.stock_page(shop=cast.shop, cursor=cursor)
            found, cursor = [*found, *page.rows], page.next_cursor
        assert found[0].name == "Zeste"
        assert len({article.pk for article in found}) == len(found) == 8
        assert "Articles suivants" in seen(alice.get(STOCK))
        following = seen(alice.get(STOCK, {"apres": whole.next_cursor}))
        assert "Retour au début" in following
        assert whole.rows[0].name not in following

    @pytest.mark.parametrize("cursor", ["x", "1_", "_1", "1_99999999", "²_1", f"0_{10**30}"])
    def test_an_invalid_cursor_is_a_404(self, cursor: str, alice: Client) -> None:
        assert alice.get(STOCK, {"apres": cursor}).status_code == 404

    def test_a_cursor_of_another_shop_is_a_404(self, cast: Cast, alice: Client) -> None:
        assert alice.get(STOCK, {"apres": f"2_{cast.rice.pk}"}).status_code == 200
        assert alice.get(STOCK, {"apres": f"2_{cast.other_article.pk}"}).status_code == 404

    def test_another_shops_stock_is_not_shown(self, cast: Cast, charlie: Client) -> None:
        words = seen(charlie.get(STOCK))
        assert cast.other_article.name in words
        assert "Riz 25 kg" not in words


class TestExplanation:
    def test_the_sums_and_the_movements_explain_the_stock(
        self, cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        unit = cast.rice.base_unit
        move_stock(unit=unit, quantity=Decimal(20), movement_type=MovementType.ENTRY, author="Bob", comment="Livraison")
        move_stock(unit=unit, quantity=Decimal(-5), movement_type=MovementType.EXIT, author="Bob", comment="Don")
        count_stock(unit=unit, counted=Decimal("114.5"), author="Alice", reason="Sac percé")
        post(cast.device, sale(cast.rice, quantity=10, numero_facture="FAC-EXPLIQUE"))
        kept = post(cast.device, sale(cast.rice, quantity=4, numero_facture="FAC-GARDE"))
        with django_assert_max_num_queries(UNIT_QUERIES_MAX):
            page = alice.get(unit_page(unit))
        words = seen(page)
        for expected in (
            "Au départ 0",
            "Entrées (2 mouvements) +120",
            "Sorties (1 mouvement) −5",
            "Ajustements (1 mouvement) −0,5",
            "Vendu (2 mouvements) −14",
            "Stock 100,5",
            "Livraison",
            "Sac percé",
            "Vente FAC-EXPLIQUE",
        ):
            assert expected in words
        assert "ne tombe pas juste" not in words
        # Newest first; each begins where the previous one ended.
        assert words.index("FAC-GARDE") < words.index("FAC-EXPLIQUE") < words.index("Sac percé") < words.index("Don")
        assert f'href="/commercant/ventes/{recorded(kept).pk}/"' in page.content.decode()

    def test_a_broken_chain_is_shown(self, cast: Cast, alice: Client) -> None:
        unit = cast.rice.base_unit
        assert "ne tombe pas juste" not in seen(alice.get(unit_page(unit)))
        wrong = {"stock_before": 90, "stock_after": 95, "quantity": 5, "type": MovementType.ENTRY}
        StockMovement(unit=unit, shop=cast.shop, at=datetime.now(UTC), **wrong).save(force_insert=True)
        assert "ne tombe pas juste" in seen(alice.get(unit_page(unit)))

    def test_days_narrow_the_movements_and_the_sum(self, cast: Cast, alice: Client) -> None:
        unit = cast.rice.base_unit
        today = timezone.localdate()
        words = seen(alice.get(unit_page(unit), {"au": str(today - timedelta(days=3))}))
        assert "Stock à la fin de ces jours 0" in words
        assert "Rien n'a bougé ces jours-là." in words
        words = seen(alice.get(unit_page(unit), {"du": str(today + timedelta(days=3))}))
        assert "Stock avant ces jours 100" in words
        assert "Stock 100" in words
        words = seen(alice.get(unit_page(unit), {"du": str(today - timedelta(days=3))}))
        assert "Stock avant ces jours 0 Entrées (1 mouvement) +100" in words

    @pytest.mark.parametrize(
        ("days", "message"),
        [
            ({"du": "2024-02-30"}, "date valide"),
            ({"du": "0001-01-01"}, "jour de ce siècle"),
            ({"au": "9999-12-31"}, "jour de ce siècle"),
            ({"du": "2024-03-02", "au": "2024-03-01"}, "vient avant le premier"),
        ],
    )
    def test_invalid_days_are_refused(self, days: dict[str, str], message: str, cast: Cast, alice: Client) -> None:
        words = seen(alice.get(unit_page(cast.rice.base_unit), days))
        assert message in words
        assert "Au départ" not in words

    def test_a_unit_that_never_moved_says_what_to_do(self, cast: Cast, alice: Client) -> None:
        carton = add_unit(cast.rice, level=UnitLevel.CARTON)
        assert "encore jamais bougé" in seen(alice.get(unit_page(carton)))

    def test_long_histories_have_pages(self, cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stock_history, "PAGE_MOVEMENTS_MAX", 2)
        unit = cast.rice.base_unit
        for number in range(1, 4):
            move_stock(
                unit=unit, quantity=Decimal(1), movement_type=MovementType.ENTRY, author="Bob", comment=f"n{number}"
            )
        first = alice.get(unit_page(unit))
        assert [comment in seen(first) for comment in ("n3", "n2", "n1")] == [True, True, False]
        cursor = stock_history.unit_history(unit=unit).before
        assert f"apres={cursor}" in first.content.decode()
        second = seen(alice.get(unit_page(unit), {"apres": cursor}))
        assert [comment in second for comment in ("n3", "n2", "n1")] == [False, False, True]
        assert "Entrées (4 mouvements) +103" in second
        assert "Plus anciens" not in second

    @pytest.mark.parametrize("cursor", ["x", "-1", "99999999", "1" * 40, "²"])
    def test_an_invalid_cursor_is_a_404(self, cursor: str, cast: Cast, alice: Client) -> None:
        assert alice.get(unit_page(cast.rice.base_unit), {"apres": cursor}).status_code == 404
        assert alice.get(MOVEMENTS, {"apres": cursor}).status_code == 404

    def test_a_movement_of_another_unit_or_shop_is_no_cursor(self, cast: Cast, alice: Client) -> None:
        foreign = cast.other_article.base_unit.movements.get()
        assert alice.get(unit_page(cast.rice.base_unit), {"apres": foreign.pk}).status_code == 404
        assert alice.get(MOVEMENTS, {"apres": foreign.pk}).status_code == 404
        other = cast.oil.base_unit.movements.get()
        assert alice.get(unit_page(cast.rice.base_unit), {"apres": other.pk}).status_code == 404
        assert alice.get(MOVEMENTS, {"apres": other.pk}).status_code == 200

    def test_a_unit_of_another_shop_or_article_does_not_exist(self, cast: Cast, alice: Client, charlie: Client) -> None:
        own, foreign = cast.rice.base_unit, cast.other_article.base_unit
        assert alice.get(unit_page(own)).status_code == 200
        assert charlie.get(unit_page(own)).status_code == 404
        assert alice.get(unit_page(foreign)).status_code == 404
        assert alice.get(reverse("web:unit", args=[cast.oil.pk, own.pk])).status_code == 404
        assert alice.get(reverse("web:unit", args=[cast.rice.pk, foreign.pk])).status_code == 404

    def test_a_unit_of_the_persons_other_shop_redirects_there(self, cast: Cast, client: Client) -> None:
        client.force_login(make_user("dora", cast.shop, cast.other_shop))
        client.get(STOCK, {"boutique": "BTQ-777"})
        page = unit_page(cast.rice.base_unit)
        assert client.get(page)["Location"] == f"{page}?boutique=BTQ-009"


class TestMovements:
    def test_all_that_moved_newest_first(
        self, cast: Cast, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        carton = add_unit(cast.rice, level=UnitLevel.CARTON, mark="PALETTE", stock=1, holds=Decimal(40))
        open_units(unit=carton, count=1, author="Bob")
        post(cast.device, sale(cast.oil, numero_facture="FAC-DERNIERE"))
        with django_assert_max_num_queries(MOVEMENTS_QUERIES_MAX):
            words = seen(alice.get(MOVEMENTS))
        assert words.index("FAC-DERNIERE") < words.index("Ouverture de 1 PALETTE : 40 PCE")
        assert "OUV-" in words
        assert cast.other_article.name not in words

    def test_they_are_narrowed_by_article_type_and_days(self, cast: Cast, alice: Client) -> None:
        post(cast.device, sale(cast.oil, numero_facture="FAC-HUILE"), sale(cast.rice, numero_facture="FAC-RIZ"))
        words = seen(alice.get(MOVEMENTS, {"article": "HUI20"}))
        assert "FAC-HUILE" in words
        assert "FAC-RIZ" not in words
        words = seen(alice.get(MOVEMENTS, {"article": "riz", "type": "VENTE"}))
        assert "FAC-RIZ" in words
        assert "+100" not in words
        assert "FAC-RIZ" not in seen(alice.get(MOVEMENTS, {"type": "ENTREE"}))
        tomorrow = timezone.localdate() + timedelta(days=2)
        assert "Rien ne correspond à ce choix." in seen(alice.get(MOVEMENTS, {"du": str(tomorrow)}))
        assert "choix valide" in seen(alice.get(MOVEMENTS, {"type": "VOL"}))

    def test_a_person_chooses_among_several_articles(self, cast: Cast, alice: Client) -> None:
        make_article(cast.shop, name="Riz parfumé", code="RIZP")
        answer = alice.get(MOVEMENTS, {"article": "riz"})
        assert "Lequel ? Riz 25 kg RIZ25 Riz parfumé RIZP" in seen(answer)
        assert f"{MOVEMENTS}?article=RIZP" in answer.content.decode()
        assert "Rien ne correspond à ce choix." in seen(alice.get(MOVEMENTS, {"article": "zzz"}))

    def test_a_shop_without_movements_is_told_what_to_do(self, cast: Cast, client: Client) -> None:
        shop = type(cast.shop).objects.create(code="BTQ-NEUVE", name="Neuve")
        client.force_login(make_user("emile", shop))
        assert "Rien n'est entré ni sorti pour l'instant." in seen(client.get(MOVEMENTS))

    def test_long_lists_have_pages(self, cast: Cast, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stock_history, "PAGE_MOVEMENTS_MAX", 1)
        first = alice.get(MOVEMENTS, {"type": "ENTREE"})
        assert "Huile 20 L" in seen(first)
        cursor = cast.oil.base_unit.movements.get().pk
        assert f"?type=ENTREE&amp;apres={cursor}" in first.content.decode()
        second = seen(alice.get(MOVEMENTS, {"type": "ENTREE", "apres": cursor}))
        assert "Riz 25 kg" in second
        assert "Huile 20 L" not in second


def test_a_viewer_sees_the_same_stock(cast: Cast, client: Client) -> None:
    client.force_login(cast.victor)
    assert "Riz 25 kg" in seen(client.get(STOCK))
    assert "Importer" not in seen(client.get(STOCK))
    assert "Entrées (1 mouvement) +100" in seen(client.get(unit_page(cast.rice.base_unit)))
    assert "Riz 25 kg" in seen(client.get(MOVEMENTS))
