"""How the calls about articles and stock movements are described."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema

from backend.api.openapi.operations import EVERY_CALL, JSON, answer, problems, query
from backend.api.openapi.parts import (
    AMOUNT,
    COUNT,
    CURRENCY,
    CURSOR,
    IDENTIFIER,
    INSTANT,
    QUANTITY,
    TEXT,
    URL,
    UUID,
    Schema,
    listed,
    one_of,
    or_null,
    ref,
    thing,
)
from backend.inventory.models import MovementType, UnitLevel

SHAPES: dict[str, Schema] = {
    "Catalogue": thing({"articles": listed(ref("Article")), "curseur": CURSOR, "fin": {"type": "boolean"}}),
    "Article": thing(
        {
            "id": IDENTIFIER,
            "uuid": UUID,
            "code": TEXT,
            "code_barres": or_null(TEXT),
            "nom": TEXT,
            "actif": {"type": "boolean"},
            "unite_base": or_null(UUID) | {"description": "Ce que `article_id` veut dire sur une ligne"},
            "unites": listed(ref("Unite")),
        }
    ),
    "Unite": thing(
        {
            "uuid": UUID,
            "niveau": one_of(*UnitLevel.values),
            "marque": TEXT,
            "contient": or_null(QUANTITY) | {"description": "Combien de l'unité plus petite ; null si inconnu"},
            "prix": AMOUNT,
            "devise": CURRENCY,
            "taux_tva": AMOUNT | {"examples": ["16.00"]},
            "stock": QUANTITY,
            "seuil": or_null(QUANTITY) | {"description": "En dessous, le stock est bas ; null s'il n'y en a pas"},
        }
    ),
    "Mouvements": thing(
        {
            "success": {"type": "boolean", "enum": [True]},
            "boutique_id": IDENTIFIER,
            "boutique_nom": TEXT,
            "count": COUNT | {"description": "Ceux de cette page"},
            "mouvements": listed(ref("Mouvement")),
            "suivant": or_null(URL),
        }
    ),
    "Mouvement": thing(
        {
            "id": IDENTIFIER,
            "article_id": IDENTIFIER,
            "article_nom": TEXT,
            "article_code": TEXT,
            "unite_uuid": UUID,
            "type_mouvement": one_of(*MovementType.values),
            "quantite": QUANTITY | {"description": "Négative quand le stock baisse"},
            "stock_avant": QUANTITY,
            "stock_apres": QUANTITY,
            "reference_document": TEXT,
            "commentaire": TEXT,
            "date_mouvement": INSTANT,
            "utilisateur": TEXT | {"description": "Qui l'a fait : une caisse, ou une personne"},
        }
    ),
}
MOMENT = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
    "examples": ["2024-11-04", "2024-11-04T17:42:10+01:00"],
}


def _limit(page: int, page_max: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": page_max, "default": page}


def describe_articles(*, page: int, page_max: int) -> Callable:
    return extend_schema(
        operation_id="lire_les_articles",
        tags=["boutique"],
        summary="Le catalogue, ses prix et son stock, ou ce qui en a changé depuis un curseur",
        description=(
            "Sans `depuis`, tout le catalogue. Demander la suite avec `curseur` jusqu'à `fin` ; garder alors ce "
            "curseur et le rendre la fois suivante. Un article est donné en entier, avec toutes ses unités, dès que "
            "lui ou l'une d'elles a changé, stock compris. Aucun changement ne manque jamais ; le même peut venir "
            "plusieurs fois, et une page peut compter moins d'articles que `limit` sans que ce soit la fin. Un article "
            "retiré de la vente reste, avec `actif: false`. Avec le curseur d'une autre boutique, tout est donné."
        ),
        parameters=[
            *EVERY_CALL,
            query("depuis", CURSOR, "Le `curseur` de la réponse précédente"),
            query("limit", _limit(page, page_max), "Articles par page, au plus"),
        ],
        responses={(200, JSON): answer("Catalogue", "Une page d'articles"), **problems("parametre_invalide")},
    )


def describe_movements(*, page: int, page_max: int) -> Callable:
    return extend_schema(
        operation_id="lire_les_mouvements",
        tags=["boutique"],
        summary="Les mouvements de stock de la boutique, du plus récent au plus ancien",
        description=(
            "Une date veut dire toute la journée de la boutique, dans son fuseau ; un instant porte son décalage. "
            "`suivant` est l'adresse de la page suivante, avec les mêmes filtres."
        ),
        parameters=[
            *EVERY_CALL,
            query("article_id", IDENTIFIER, "Seulement ceux des unités de cet article"),
            query("date_debut", MOMENT, "À partir de ce jour ou de cet instant, compris"),
            query("date_fin", MOMENT, "Jusqu'à ce jour ou à cet instant, compris"),
            query("limit", _limit(page, page_max), "Mouvements par page, au plus"),
            query("curseur", IDENTIFIER, "La page suivante : donné par `suivant`"),
        ],
        responses={
            (200, JSON): answer("Mouvements", "Une page de mouvements"),
            **problems("parametre_invalide", "introuvable"),
        },
    )
