"""Answers about the till's shop: articles with their units, and stock movements."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from backend.inventory.change_feed import ChangedArticle
from backend.inventory.models import ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.sales.wire.structs import Identifier
from backend.sales.wire.vocabulary import (
    Amount,
    Answer,
    Count,
    Currency,
    Cursor,
    Instant,
    Quantity,
    Url,
    number,
    one_of,
    timestamp,
)


class Unite(Answer, frozen=True):
    uuid: UUID
    niveau: Annotated[str, one_of(*UnitLevel.values)]
    marque: str
    contient: Annotated[Quantity | None, Meta(description="Combien de l'unité plus petite ; null si inconnu")]
    prix: Amount
    devise: Currency
    taux_tva: Annotated[Amount, Meta(examples=["16.00"])]
    stock: Quantity
    seuil: Annotated[Quantity | None, Meta(description="En dessous, le stock est bas ; null s'il n'y en a pas")]


class Article(Answer, frozen=True):
    id: Identifier
    uuid: UUID
    code: str
    code_barres: str | None
    nom: str
    actif: bool
    unite_base: Annotated[UUID | None, Meta(description="Ce que `article_id` veut dire sur une ligne")]
    unites: list[Unite]


class Catalogue(Answer, frozen=True):
    articles: list[Article]
    curseur: Cursor
    fin: bool


class Mouvement(Answer, frozen=True):
    id: Identifier
    article_id: Identifier
    article_nom: str
    article_code: str
    unite_uuid: UUID
    type_mouvement: Annotated[str, one_of(*MovementType.values)]
    quantite: Annotated[Quantity, Meta(description="Négative quand le stock baisse")]
    stock_avant: Quantity
    stock_apres: Quantity
    reference_document: str
    commentaire: str
    date_mouvement: Instant
    utilisateur: Annotated[str, Meta(description="Qui l'a fait : une caisse, ou une personne")]


class Mouvements(Answer, frozen=True):
    success: Annotated[bool, Meta(extra_json_schema={"enum": [True]})]
    boutique_id: Identifier
    boutique_nom: str
    count: Annotated[Count, Meta(description="Ceux de cette page")]
    mouvements: list[Mouvement]
    suivant: Url | None


def describe_article(changed: ChangedArticle) -> Article:
    article = changed.article
    return Article(
        id=article.pk,
        uuid=article.uuid,
        code=article.code,
        code_barres=article.barcode,
        nom=article.name,
        actif=article.is_active,
        unite_base=changed.base_unit.uuid if changed.base_unit else None,
        unites=[_unit(unit) for unit in changed.units],
    )


def _unit(unit: ArticleUnit) -> Unite:
    return Unite(
        uuid=unit.uuid,
        niveau=unit.level,
        marque=unit.mark,
        contient=None if unit.holds is None else number(unit.holds),
        prix=unit.price,
        devise=unit.currency,
        taux_tva=unit.vat_rate,
        stock=number(unit.stock),
        seuil=None if unit.low_stock_threshold is None else number(unit.low_stock_threshold),
    )


def describe_movement(movement: StockMovement, *, comment: str) -> Mouvement:
    unit = movement.unit
    return Mouvement(
        id=movement.pk,
        article_id=unit.article_id,
        article_nom=unit.article.name,
        article_code=unit.article.code,
        unite_uuid=unit.uuid,
        type_mouvement=movement.type,
        quantite=number(movement.quantity),
        stock_avant=number(movement.stock_before),
        stock_apres=number(movement.stock_after),
        reference_document=movement.reference,
        commentaire=comment,
        date_mouvement=timestamp(movement.at),
        utilisateur=movement.author,
    )
