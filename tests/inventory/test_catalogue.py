"""Changes of articles and units: what they change, what never changes, and that they stay in one shop."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from backend.inventory.catalogue import NewUnit, add_unit, change_article, change_unit, create_article
from backend.inventory.errors import CatalogueRefused, CodeTaken, FieldInvalid, LevelTaken, NotFound
from backend.inventory.models import Article, ArticleUnit, UnitLevel
from backend.testing import Cast
from tests.inventory.conftest import Nails
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

PIECE = NewUnit(level=UnitLevel.PIECE, price=Decimal(500))


def rows() -> list[object]:
    """Return every row that a change of the catalogue can touch."""
    return [list(model.objects.order_by("pk").values()) for model in (Article, ArticleUnit)]


def refused(refusal: type[CatalogueRefused], work: Callable[[], object], *, field: str) -> str:
    """Assert that `work` is refused over `field` and changes nothing; return the sentence."""
    before = rows()
    with pytest.raises(refusal) as caught:
        work()
    assert caught.value.field == field
    assert caught.value.code
    assert rows() == before
    return str(caught.value)


def test_a_new_article_has_its_base_unit(cast: Cast) -> None:
    unit = NewUnit(level="CARTON", price=Decimal("12000.50"), mark=" CTN ", holds=Decimal("24"), currency="USD")
    article = create_article(shop=cast.shop, code=" SEL1 ", name="Sel 1 kg", barcode="", base_unit=unit)
    article.refresh_from_db()
    assert (article.shop_id, article.code, article.name, article.barcode) == (cast.shop.pk, "SEL1", "Sel 1 kg", None)
    base = article.base_unit
    assert (base.article_id, base.shop_id, base.level, base.mark) == (article.pk, cast.shop.pk, "CARTON", "CTN")
    assert (base.price, base.currency, base.holds, base.stock) == (Decimal("12000.50"), "USD", 24, 0)
    assert create_article(shop=cast.shop, code="SEL2", name="Sel", base_unit=PIECE).base_unit.currency == "CDF"


def test_a_code_belongs_to_one_article_of_a_shop(cast: Cast) -> None:
    sentence = "Le code RIZ25 est déjà celui d'un autre article"

    def create(shop: object) -> Article:
        return create_article(shop=shop, code="RIZ25", name="Sel", base_unit=PIECE)

    assert refused(CodeTaken, lambda: create(cast.shop), field="code") == sentence
    assert create(cast.other_shop).shop_id == cast.other_shop.pk

    def recode(article: Article) -> Article:
        return change_article(shop=cast.shop, article_uuid=article.uuid, changes={"code": "RIZ25"})

    assert refused(CodeTaken, lambda: recode(cast.oil), field="code") == sentence
    # Its own code is not taken by another article.
    recode(cast.rice)


def test_only_the_named_fields_of_an_article_change(cast: Cast) -> None:
    before = Article.objects.get(pk=cast.rice.pk)
    changes = {"name": "Riz parfumé", "code": "RIZP", "barcode": "3017620422003", "is_active": False}
    change_article(shop=cast.shop, article_uuid=cast.rice.uuid, changes=changes)
    after = Article.objects.get(pk=cast.rice.pk)
    assert {field: getattr(after, field) for field in changes} == changes
    assert (after.uuid, after.base_unit_id) == (before.uuid, before.base_unit_id)
    assert after.changed_at > before.changed_at
    change_article(shop=cast.shop, article_uuid=cast.rice.uuid, changes={"barcode": ""})
    assert Article.objects.get(pk=cast.rice.pk).barcode is None
    assert Article.objects.get(pk=cast.rice.pk).name == "Riz parfumé"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("code", " ", "ne peut pas être vide"),
        ("code", "C" * 41, "40 caractères au plus"),
        ("code", "A\nB", "caractères imprimables seulement"),
        ("code", "\ud800", "caractères imprimables seulement"),
        ("name", "", "ne peut pas être vide"),
        ("name", "N" * 161, "160 caractères au plus"),
        ("barcode", "1" * 41, "40 caractères au plus"),
        ("is_active", "oui", "oui ou non attendu"),
    ],
)
def test_a_wrong_field_of_an_article_is_refused(cast: Cast, field: str, value: object, sentence: str) -> None:
    def change() -> object:
        return change_article(shop=cast.shop, article_uuid=cast.rice.uuid, changes={"name": "x", field: value})

    assert refused(FieldInvalid, change, field=field) == sentence


def test_one_accent_written_two_ways_is_one_code(cast: Cast) -> None:
    create_article(shop=cast.shop, code="CAFE\u0301", name="Café", base_unit=PIECE)
    refused(
        CodeTaken,
        lambda: create_article(shop=cast.shop, code="CAF\u00c9", name="Café", base_unit=PIECE),
        field="code",
    )


def test_only_the_named_fields_of_a_unit_change(cast: Cast, nails: Nails) -> None:
    before = ArticleUnit.objects.get(pk=nails.carton.pk)
    changes = {
        "mark": "BOX",
        "price": Decimal("99.99"),
        "currency": "USD",
        "vat_rate": Decimal("16"),
        "holds": Decimal("10.5"),
        "low_stock_threshold": Decimal("3"),
    }
    change_unit(shop=cast.shop, unit_uuid=nails.carton.uuid, changes=changes)
    after = ArticleUnit.objects.get(pk=nails.carton.pk)
    assert {field: getattr(after, field) for field in changes} == changes
    for field in ("uuid", "level", "article_id", "shop_id", "stock"):
        assert getattr(after, field) == getattr(before, field)
    assert after.changed_at > before.changed_at
    change_unit(shop=cast.shop, unit_uuid=nails.carton.uuid, changes={"holds": None, "low_stock_threshold": None})
    after.refresh_from_db()
    assert (after.holds, after.low_stock_threshold, after.mark) == (None, None, "BOX")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("mark", "M" * 25, "24 caractères au plus"),
        ("price", Decimal(-1), "ne peut pas être négatif"),
        ("price", Decimal("1.001"), "2 décimales au plus"),
        ("price", Decimal(10) ** 12, "nombre trop grand"),
        ("price", Decimal("NaN"), "nombre attendu"),
        ("vat_rate", Decimal("100.01"), "nombre trop grand"),
        ("currency", "EUR", "devise non acceptée par cette boutique (acceptées : CDF, USD)"),
        ("holds", Decimal(0), "doit être plus grand que zéro, ou vide s'il est inconnu"),
        ("holds", Decimal("0.0001"), "3 décimales au plus"),
        ("low_stock_threshold", Decimal(-1), "ne peut pas être négatif"),
    ],
)
def test_a_wrong_field_of_a_unit_is_refused(cast: Cast, nails: Nails, field: str, value: object, sentence: str) -> None:
    def change() -> object:
        return change_unit(shop=cast.shop, unit_uuid=nails.carton.uuid, changes={"mark": "x", field: value})

    assert refused(FieldInvalid, change, field=field) == sentence
    new = {"level": UnitLevel.CARTON, "price": Decimal(1), field: value}
    rice = cast.rice.uuid
    added = refused(FieldInvalid, lambda: add_unit(shop=cast.shop, article_uuid=rice, unit=NewUnit(**new)), field=field)
    assert added == sentence


def test_a_piece_holds_nothing(cast: Cast) -> None:
    changes = {"holds": Decimal(2)}
    unit_uuid = cast.rice.base_unit.uuid
    sentence = refused(
        FieldInvalid, lambda: change_unit(shop=cast.shop, unit_uuid=unit_uuid, changes=changes), field="holds"
    )
    assert sentence == "une pièce ne contient rien de plus petit"


def test_an_added_unit_does_not_change_the_base_unit(cast: Cast) -> None:
    till = Till(cast.device)
    carton = NewUnit(level=UnitLevel.CARTON, price=Decimal(90000), holds=Decimal(4))
    added = add_unit(shop=cast.shop, article_uuid=cast.rice.uuid, unit=carton)
    entry = till.settle_one(sale("FAC-1", line(cast.rice)))
    assert entry["lignes"][0]["unite_uuid"] == str(cast.rice.base_unit.uuid)
    changes = {"base_unit": added.uuid}
    change_article(shop=cast.shop, article_uuid=cast.rice.uuid, changes=changes)
    entry = till.settle_one(sale("FAC-2", line(cast.rice)))
    assert entry["code"] == "stock_insuffisant"


def test_an_article_has_a_level_once(cast: Cast) -> None:
    sentence = refused(
        LevelTaken, lambda: add_unit(shop=cast.shop, article_uuid=cast.rice.uuid, unit=PIECE), field="level"
    )
    assert sentence == "Cet article a déjà une unité PIECE"
    unknown = NewUnit(level="SAC", price=Decimal(1))
    sentence = refused(
        FieldInvalid, lambda: add_unit(shop=cast.shop, article_uuid=cast.rice.uuid, unit=unknown), field="level"
    )
    assert sentence == "niveau attendu : CARTON, MILLIER, PIECE"


def test_a_level_between_two_makes_the_larger_units_content_unknown(cast: Cast) -> None:
    """A carton of 12,000 pieces does not hold 12,000 thousands."""

    def add(level: UnitLevel, holds: object) -> ArticleUnit:
        unit = NewUnit(level=level, price=Decimal(1), holds=holds)
        return add_unit(shop=cast.shop, article_uuid=cast.rice.uuid, unit=unit)

    carton = add(UnitLevel.CARTON, Decimal(12000))
    carton.refresh_from_db()
    assert carton.holds == 12000
    thousand = add(UnitLevel.MILLIER, Decimal(1000))
    carton.refresh_from_db()
    assert (carton.holds, thousand.holds) == (None, 1000)


def test_a_piece_added_below_a_carton_does_not_change_its_content(cast: Cast) -> None:
    carton = NewUnit(level=UnitLevel.CARTON, price=Decimal(12000), holds=Decimal(24))
    article = create_article(shop=cast.shop, code="SEL", name="Sel", base_unit=carton)
    add_unit(shop=cast.shop, article_uuid=article.uuid, unit=PIECE)
    article.base_unit.refresh_from_db()
    assert article.base_unit.holds == 24


def test_the_base_unit_is_one_of_the_articles_own(cast: Cast) -> None:
    for stranger in (cast.oil.base_unit.uuid, cast.other_article.base_unit.uuid, uuid.uuid4()):
        changes = {"base_unit": stranger}
        refused(
            FieldInvalid,
            lambda changes=changes: change_article(shop=cast.shop, article_uuid=cast.rice.uuid, changes=changes),
            field="base_unit",
        )


def test_another_shops_articles_and_units_are_not_found(cast: Cast) -> None:
    theirs = cast.other_article
    for article_uuid, unit_uuid in ((theirs.uuid, theirs.base_unit.uuid), (uuid.uuid4(), uuid.uuid4())):
        for work in (rename, add_carton):
            sentence = refused(NotFound, partial(work, cast, article_uuid), field="article_uuid")
            assert sentence == "Article non trouvé dans cette boutique"
        sentence = refused(NotFound, partial(mark, cast, unit_uuid), field="unit_uuid")
        assert sentence == "Unité non trouvée dans cette boutique"
    for work in (rename, add_carton):
        work(cast, cast.rice.uuid)
    mark(cast, cast.rice.base_unit.uuid)


def rename(cast: Cast, article_uuid: uuid.UUID) -> object:
    return change_article(shop=cast.shop, article_uuid=article_uuid, changes={"name": "Pris"})


def add_carton(cast: Cast, article_uuid: uuid.UUID) -> object:
    unit = NewUnit(level=UnitLevel.CARTON, price=Decimal(1))
    return add_unit(shop=cast.shop, article_uuid=article_uuid, unit=unit)


def mark(cast: Cast, unit_uuid: uuid.UUID) -> object:
    return change_unit(shop=cast.shop, unit_uuid=unit_uuid, changes={"mark": "PRIS"})
