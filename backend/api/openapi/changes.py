"""How `ventes/changements` is described."""

from drf_spectacular.utils import extend_schema

from backend.api.openapi.operations import EVERY_CALL, JSON, answer, problems, query
from backend.api.openapi.parts import CURSOR, IDENTIFIER, TEXT, UUID, Schema, listed, one_of, ref, thing
from backend.api.openapi.sales_answered import ENTRY, GOOD_STATUSES, REFUSED_STATUSES, SALE_CODES
from backend.sales.receipts.change_feed import CHANGES_PAGE_MAX

SHAPES: dict[str, Schema] = {
    "Changements": thing({"ventes": listed(ref("SortChange")), "curseur": CURSOR, "fin": {"type": "boolean"}}),
    "SortChange": thing(
        {
            "recu": UUID,
            **ENTRY,
            "status": one_of(*GOOD_STATUSES, "duplicate", *REFUSED_STATUSES),
            "action": one_of("purger", "garder", "corriger"),
            "id": IDENTIFIER | {"description": "Du document ; d'un doublon ou d'un conflit, la vente qui a le numéro"},
            "code": one_of(*SALE_CODES),
            "erreur": TEXT,
        },
        optional=("id", "code", "erreur"),
    ),
}

describe_changes = extend_schema(
    operation_id="lire_les_changements",
    tags=["ventes"],
    summary="Le sort de chaque vente de la caisse qui a changé depuis un curseur",
    description=(
        f"{CHANGES_PAGE_MAX} entrées par page, de la plus ancienne à la plus récente. Sans `depuis`, à partir de la "
        "première vente de la caisse. Demander la suite avec `curseur` jusqu'à `fin` ; garder alors ce curseur et le "
        "rendre la fois suivante. Aucun changement ne manque jamais, ni ceux qu'une personne décide des jours après ; "
        "le même peut venir plusieurs fois : la dernière entrée d'un `recu` et d'un `index` est la bonne."
    ),
    parameters=[*EVERY_CALL, query("depuis", CURSOR, "Le `curseur` de la réponse précédente")],
    responses={(200, JSON): answer("Changements", "Une page de sorts"), **problems("parametre_invalide")},
)
