"""How the calls about sales are described: handing over, receipts, fates."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from backend.api.openapi.operations import (
    CONTENT_ENCODING,
    ENTITY_TAG,
    EVERY_CALL,
    FLAG,
    JSON,
    OF_EVERY_BODY,
    PREFER,
    RETRY_AFTER,
    answer,
    answered_header,
    problems,
    query,
    sent_header,
)
from backend.api.openapi.parts import COUNT, IDENTIFIER, TEXT, UUID, listed, one_of, ref, thing
from backend.api.openapi.sales_sent import SENT_NUMBER
from backend.sales.wire.split import NUMBER_LENGTH_MAX

describe_sync = extend_schema(
    operation_id="remettre_un_lot",
    tags=["ventes"],
    summary="Remettre un lot de ventes",
    description=(
        "Le lot est gardé octet pour octet avant la réponse. Une vente illisible n'empêche pas les autres : elle seule "
        "est refusée, dans le reçu. Un appareil en mode `complete` n'obtient de 2xx (201) qu'une fois chaque vente "
        "traitée ; sinon 503 `enregistrement_en_cours`, et il renvoie les mêmes octets."
    ),
    parameters=[
        *EVERY_CALL,
        CONTENT_ENCODING,
        PREFER,
        sent_header(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
            "La même clé avec les mêmes octets rend le même reçu ; avec d'autres, 422",
        ),
        answered_header("Location", {"type": "string", "format": "uri-reference"}, "L'adresse du reçu", 201, 202),
        answered_header("ETag", ENTITY_TAG, "La version du reçu", 201),
        answered_header("Retry-After", RETRY_AFTER, "Secondes avant de demander le reçu", 202),
        OpenApiParameter(
            "Idempotency-Replayed",
            one_of("true"),
            OpenApiParameter.HEADER,
            description="Présent quand la clé avait déjà servi pour ces octets",
            response=[201, 202],
        ),
    ],
    request={JSON: ref("Lot")},
    responses={
        (201, JSON): answer("RecuTraite", "Chaque vente a son sort (mode complete, ou Prefer: wait à temps)"),
        (202, JSON): answer("AccuseDeReception", "Le lot est gardé ; rien n'est encore dit de ses ventes"),
        **problems(
            *OF_EVERY_BODY,
            "tableau_attendu",
            "lot_vide",
            "parametre_invalide",
            "cle_reutilisee",
            "trop_de_lots_en_attente",
            "enregistrement_en_cours",
        ),
    },
)

describe_receipt = extend_schema(
    operation_id="lire_un_recu",
    tags=["ventes"],
    summary="Lire un reçu : le sort de chaque vente d'un lot",
    parameters=[
        *EVERY_CALL,
        PREFER,
        OpenApiParameter("recu", UUID, OpenApiParameter.PATH, description="Celui de l'accusé de réception"),
        query("depuis", COUNT | {"maximum": 2**63 - 1}, "Seulement ce qui a changé après cette version du reçu"),
        query("lignes", FLAG, "0 : sans les lignes des ventes"),
        sent_header("If-None-Match", TEXT, "L'ETag d'une lecture précédente"),
        answered_header("ETag", ENTITY_TAG, "La version du reçu", 200, 304),
        answered_header("Cache-Control", TEXT, "private, no-cache", 200, 304),
        OpenApiParameter(
            "Retry-After",
            RETRY_AFTER,
            OpenApiParameter.HEADER,
            description="Secondes avant de redemander, tant que tout n'est pas traité",
            response=[200, 304],
        ),
    ],
    responses={
        (200, JSON): answer("Recu", "Le reçu, en cours ou traité"),
        304: OpenApiResponse(description="Rien n'a changé depuis cet ETag"),
        **problems("parametre_invalide", "recu_inconnu"),
    },
)

describe_receipts = extend_schema(
    operation_id="lister_les_recus",
    tags=["ventes"],
    summary="Lister ses reçus, du plus récent au plus ancien",
    parameters=[
        *EVERY_CALL,
        query("ouverts", FLAG, "1 : seulement ceux qui ne sont pas encore traités"),
        query("curseur", IDENTIFIER, "La page suivante : donné par `suivant`"),
    ],
    responses={(200, JSON): answer("ListeDeRecus", "Une page de reçus"), **problems("parametre_invalide")},
)


def describe_fates(*, get_max: int, post_max: int) -> tuple:
    """Return the decorators of both ways to ask what became of some numbers."""
    answered = {(200, JSON): answer("Sorts", "Une entrée par contenu connu sous un numéro")}
    description = "La caisse n'efface une vente que si toutes les entrées de son numéro disent `purger`."
    number = {"type": "string", "maxLength": NUMBER_LENGTH_MAX, "examples": SENT_NUMBER["examples"]}
    by_get = extend_schema(
        operation_id="lire_le_sort",
        tags=["ventes"],
        summary=f"Demander le sort de ventes par leurs numéros, {get_max} au plus",
        description=description,
        parameters=[
            *EVERY_CALL,
            query("numero_facture", listed(number, minItems=1, maxItems=get_max), "Une fois par numéro", required=True),
        ],
        responses=answered
        | problems("parametre_invalide")
        | {414: OpenApiResponse(description="L'adresse dépasse ce que le serveur lit d'une ligne : demander par POST")},
    )
    by_post = extend_schema(
        operation_id="demander_le_sort",
        tags=["ventes"],
        summary=f"Demander le sort de ventes par leurs numéros, {post_max} au plus",
        description=description,
        parameters=[*EVERY_CALL, CONTENT_ENCODING],
        request={JSON: thing({"numeros": listed(number, minItems=1, maxItems=post_max)})},
        responses=answered | problems(*OF_EVERY_BODY, "parametre_invalide"),
    )
    return by_get, by_post
