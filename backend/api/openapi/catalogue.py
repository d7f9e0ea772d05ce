"""OpenAPI descriptions of the calls about articles and stock movements."""

from typing import Annotated

from msgspec import Meta

from backend.api.answers.catalogue import Catalogue, Mouvements
from backend.api.openapi.operations import Answered, Operation, query
from backend.sales.wire.structs import Identifier
from backend.sales.wire.vocabulary import Cursor

Moment = Annotated[
    str,
    Meta(
        examples=["2024-11-04", "2024-11-04T17:42:10+01:00"],
        extra_json_schema={"anyOf": [{"format": "date"}, {"format": "date-time"}]},
    ),
]


def _limit(page: int, page_max: int) -> object:
    return Annotated[int, Meta(ge=1, le=page_max, extra_json_schema={"default": page})]


def describe_articles(*, page: int, page_max: int) -> Operation:
    return Operation(
        name="lire_les_articles",
        tag="boutique",
        summary="Le catalogue, ses prix et son stock, ou ce qui en a changé depuis un curseur",
        description=(
            "Sans `depuis`, tout le catalogue. Demander la suite avec `curseur` jusqu'à `fin` ; garder alors ce "
            "curseur et le rendre la fois suivante. Un article est donné en entier, avec toutes ses unités, dès que "
            "lui ou l'une d'elles a changé, stock compris. Aucun changement ne manque jamais ; le même peut venir "
            "plusieurs fois, et une page peut compter moins d'articles que `limit` sans que ce soit la fin. Un article "
            "retiré de la vente reste, avec `actif: false`. Avec le curseur d'une autre boutique, tout est donné."
        ),
        parameters=(
            query("depuis", Cursor, "Le `curseur` de la réponse précédente"),
            query("limit", _limit(page, page_max), "Articles par page, au plus"),
        ),
        answers={200: Answered("Une page d'articles", Catalogue)},
        problems=("parametre_invalide",),
    )


def describe_movements(*, page: int, page_max: int) -> Operation:
    return Operation(
        name="lire_les_mouvements",
        tag="boutique",
        summary="Les mouvements de stock de la boutique, du plus récent au plus ancien",
        description=(
            "Une date veut dire toute la journée de la boutique, dans son fuseau ; un instant porte son décalage. "
            "`suivant` est l'adresse de la page suivante, avec les mêmes filtres."
        ),
        parameters=(
            query("article_id", Identifier, "Seulement ceux des unités de cet article"),
            query("date_debut", Moment, "À partir de ce jour ou de cet instant, compris"),
            query("date_fin", Moment, "Jusqu'à ce jour ou à cet instant, compris"),
            query("limit", _limit(page, page_max), "Mouvements par page, au plus"),
            query("curseur", Identifier, "La page suivante : donné par `suivant`"),
        ),
        answers={200: Answered("Une page de mouvements", Mouvements)},
        problems=("parametre_invalide", "introuvable"),
    )
