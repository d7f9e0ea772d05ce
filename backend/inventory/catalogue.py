"""Services that create and change articles and their units within one shop.

Giving a code locks the shop's row; changing units locks the article's. Order of locks: shop, articles by id, units by
id. A posting takes neither of the first two, so sales do not wait for changes of the catalogue.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Literal

from django.db import transaction
from django.utils.translation import gettext_noop as _

from backend.inventory.carton_opening import LEVELS
from backend.inventory.comments import Comment
from backend.inventory.errors import CodeTaken, FieldInvalid, LevelTaken, NotFound
from backend.inventory.fields import ARTICLE_CHECKS, UNIT_FIELDS, checked_level, checked_unit_field
from backend.inventory.models import Article, ArticleUnit, MovementType
from backend.inventory.stock import move_stock
from backend.inventory.transactions import in_transaction
from backend.shops.models import Shop

ArticleChange = Literal["code", "name", "barcode", "is_active", "base_unit"]
UnitChange = Literal["mark", "holds", "price", "currency", "vat_rate", "low_stock_threshold"]


@dataclass(frozen=True, kw_only=True)
class NewUnit:
    """A unit to create. Its stock comes later, by movements. currency None: the shop's."""

    level: str
    price: Decimal
    mark: str = ""
    holds: Decimal | None = None
    currency: str | None = None
    vat_rate: Decimal = Decimal(0)
    low_stock_threshold: Decimal | None = None


def create_article(
    *, shop: Shop, code: str, name: str, base_unit: NewUnit, barcode: str | None = None, is_active: bool = True
) -> Article:
    """Create an article and its base unit, which a line with only `article_id` means.

    Raises FieldInvalid or CodeTaken.
    """
    values = {"code": code, "name": name, "barcode": barcode, "is_active": is_active}
    article = Article(shop=shop, **{field: ARTICLE_CHECKS[field](value) for field, value in values.items()})
    unit = _checked_unit(base_unit, shop=shop)

    def change() -> Article:
        lock_shop(shop)
        committed = Article.objects.filter(uuid=article.uuid).first()
        if committed:
            return committed
        check_code_is_free(article.code, shop=shop)
        # A retry inserts again what the first attempt rolled back.
        article.pk = unit.pk = article.base_unit = None
        article.save(force_insert=True)
        unit.article = article
        unit.save(force_insert=True)
        article.base_unit = unit
        article.save(update_fields=["base_unit", "changed_at"])
        return article

    return in_transaction(change, name="create_article")


def change_article(*, shop: Shop, article_uuid: uuid.UUID, changes: Mapping[ArticleChange, Any]) -> Article:
    """Change only the fields of the article that `changes` names.

    `base_unit` is the uuid of one of its units. Raises NotFound, FieldInvalid or CodeTaken.
    """
    checked = {field: ARTICLE_CHECKS[field](value) for field, value in changes.items() if field != "base_unit"}

    def change() -> Article:
        if "code" in checked:
            lock_shop(shop)
        article = lock_article(shop=shop, article_uuid=article_uuid)
        if "code" in checked:
            check_code_is_free(checked["code"], shop=shop, besides=article)
        for field, value in checked.items():
            setattr(article, field, value)
        if "base_unit" in changes:
            article.base_unit = _own_unit(article, changes["base_unit"])
        article.save(update_fields=[*changes, "changed_at"])
        return article

    return in_transaction(change, name="change_article")


def add_unit(*, shop: Shop, article_uuid: uuid.UUID, unit: NewUnit) -> ArticleUnit:
    """Add a level to an article. The base unit does not change, so old tills still sell the same unit.

    Unless the new unit is of the smallest level, the content of the next larger unit becomes unknown: it was counted in
    a smaller unit. Raises NotFound, FieldInvalid or LevelTaken.
    """
    added = _checked_unit(unit, shop=shop)

    def change() -> ArticleUnit:
        article = lock_article(shop=shop, article_uuid=article_uuid)
        committed = ArticleUnit.objects.filter(uuid=added.uuid).first()
        if committed:
            return committed
        if ArticleUnit.objects.filter(article=article, level=added.level).exists():
            raise LevelTaken(added.level)
        added.pk = None
        added.article = article
        added.save(force_insert=True)
        larger = _lock_next_larger(added)
        if larger and larger.holds is not None:
            larger.holds = None
            larger.save(update_fields=["holds", "changed_at"])
        return added

    return in_transaction(change, name="add_unit")


def change_unit(*, shop: Shop, unit_uuid: uuid.UUID, changes: Mapping[UnitChange, object]) -> ArticleUnit:
    """Change only the fields of the unit that `changes` names; its level and article never change.

    Raises NotFound or FieldInvalid.
    """

    def change() -> ArticleUnit:
        found = ArticleUnit.objects.filter(article__shop=shop, uuid=unit_uuid).values_list("pk", "article_id").first()
        if found is None:
            raise NotFound(_("Unité non trouvée dans cette boutique"), field="unit_uuid")
        unit_id, article_id = found
        Article.objects.select_for_update().get(pk=article_id)
        unit = ArticleUnit.objects.select_for_update().get(pk=unit_id)
        for field, value in changes.items():
            setattr(unit, field, checked_unit_field(field, value, shop=shop, level=unit.level))
        unit.save(update_fields=[*changes, "changed_at"])
        return unit

    return in_transaction(change, name="change_unit")


def lock_shop(shop: Shop) -> None:
    """Lock the shop's row: only one transaction at a time gives codes, so the check that a code is free holds."""
    Shop.objects.select_for_update().get(pk=shop.pk)


def lock_article(*, shop: Shop, article_uuid: uuid.UUID) -> Article:
    article_id = Article.objects.filter(shop=shop, uuid=article_uuid).values_list("pk", flat=True).first()
    if article_id is None:
        raise NotFound(_("Article non trouvé dans cette boutique"), field="article_uuid")
    return Article.objects.select_for_update().get(pk=article_id)


def check_code_is_free(code: str, *, shop: Shop, besides: Article | None = None) -> None:
    others = Article.objects.filter(shop=shop, code=code)
    if besides:
        others = others.exclude(pk=besides.pk)
    if others.exists():
        raise CodeTaken(code)


def _lock_next_larger(added: ArticleUnit) -> ArticleUnit | None:
    """Lock and return the unit whose content was counted in a smaller unit and is now counted in `added`, or None."""
    if added.level == LEVELS[-1]:
        return None
    above = LEVELS[: LEVELS.index(added.level)]
    units = ArticleUnit.objects.filter(article_id=added.article_id, level__in=above)
    ids = dict(units.values_list("level", "pk"))
    nearest = next((ids[level] for level in reversed(above) if level in ids), None)
    return ArticleUnit.objects.select_for_update().get(pk=nearest) if nearest else None


def _checked_unit(unit: NewUnit, *, shop: Shop) -> ArticleUnit:
    level = checked_level(unit.level)
    given = {field.name: getattr(unit, field.name) for field in fields(unit)} | {
        "currency": shop.currency if unit.currency is None else unit.currency
    }
    values = {field: checked_unit_field(field, given[field], shop=shop, level=level) for field in UNIT_FIELDS}
    return ArticleUnit(shop=shop, level=level, **values)


def _own_unit(article: Article, unit_uuid: uuid.UUID) -> ArticleUnit:
    unit = ArticleUnit.objects.filter(article=article, uuid=unit_uuid).first()
    if unit is None:
        raise FieldInvalid("base_unit", _("cette unité n'est pas de cet article"))
    return unit


def begin_article(
    *, shop: Shop, code: str, name: str, barcode: str | None, base_unit: NewUnit, opening: Decimal | None, author: str
) -> Article:
    """Create an article and bring in its opening stock, inside the caller's transaction (`do_once`).

    Raises what create_article and move_stock raise.
    """
    assert transaction.get_connection().in_atomic_block
    article = create_article(shop=shop, code=code, name=name, barcode=barcode, base_unit=base_unit)
    if opening:
        assert article.base_unit is not None, "it was created with one"
        move_stock(
            unit=article.base_unit,
            quantity=opening,
            movement_type=MovementType.ENTRY,
            author=author,
            comment=Comment.FIRST_STOCK(),
        )
    return article
