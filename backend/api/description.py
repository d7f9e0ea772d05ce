"""The OpenAPI document: what each call takes and every answer that it can give. Says so; decides nothing."""

from collections import defaultdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView

from backend.api.problems import CONTENT_TYPE, PROBLEMS
from backend.api.shapes import COUNT, IDENTIFIER, TEXT, UUID, Schema, listed, one_of, ref, thing
from backend.api.shapes_answered import ANSWERED
from backend.api.shapes_sent import SENT, SENT_NUMBER
from backend.sales.cutting import NUMBER_LENGTH_MAX

JSON = "application/json"

# What any call can be refused with.
OF_EVERY_CALL = (
    "header_manquant",
    "terminal_sans_boutique",
    "jeton_manquant",
    "jeton_invalide",
    "terminal_desactive",
    "terminal_inconnu",
    "format_non_disponible",
    "trop_de_requetes",
    "indisponible",
)
OF_EVERY_BODY = ("json_invalide", "gzip_invalide", "lot_trop_grand", "type_non_supporte")


def add_shapes(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Put the named shapes into the document (a hook of drf-spectacular's)."""
    result.setdefault("components", {})["schemas"] = dict(sorted((SENT | ANSWERED).items()))
    return result


def problem_schema(status: int, codes: list[str]) -> Schema:
    properties = {
        "type": {"type": "string", "format": "uri-reference", "enum": [f"/docs/erreurs#{code}" for code in codes]},
        "title": one_of(*dict.fromkeys(PROBLEMS[code][1] for code in codes)),
        "status": {"type": "integer", "enum": [status]},
        "detail": TEXT,
        "code": one_of(*codes),
        "error": TEXT | {"description": "La même phrase que detail"},
    }
    return thing(properties | ({"limites": ref("Limites")} if "lot_trop_grand" in codes else {}))


def problems(*codes: str) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the answers for these codes and for those of every call, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in (*OF_EVERY_CALL, *codes):
        by_status[PROBLEMS[code][0]].append(code)
    return {
        (status, CONTENT_TYPE): OpenApiResponse(
            problem_schema(status, group), description=" · ".join(PROBLEMS[code][2] for code in group)
        )
        for status, group in sorted(by_status.items())
    }


def answer(name: str, description: str) -> OpenApiResponse:
    return OpenApiResponse(ref(name), description=description)


def sent_header(name: str, schema: Schema, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)


def answered_header(name: str, schema: Schema, description: str, *statuses: int) -> OpenApiParameter:
    return OpenApiParameter(
        name, schema, OpenApiParameter.HEADER, required=True, description=description, response=list(statuses)
    )


def query(name: str, schema: Schema, description: str, **more: object) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **more)


FLAG = one_of("0", "1")
RETRY_AFTER = {"type": "integer", "minimum": 1}
ENTITY_TAG = {"type": "string", "pattern": r'^(W/)?"[0-9]+-[0-9]+-[0-9]+"$'}

EVERY_CALL = [
    sent_header("X-App-Version", TEXT, "La version de l'application de la caisse ; 32 caractères sont gardés"),
    sent_header("X-Request-Id", TEXT, "Suit l'appel dans les journaux : 8 à 64 caractères parmi A-Z a-z 0-9 . _ -"),
    OpenApiParameter(
        "X-Request-Id",
        {"type": "string", "pattern": r"^[A-Za-z0-9._-]{8,64}$"},
        OpenApiParameter.HEADER,
        description="Celui de l'appel, ou un nouveau",
        required=True,
        response=sorted({200, 201, 202, 304, *(status for status, *_ in PROBLEMS.values())}),
    ),
    answered_header("WWW-Authenticate", TEXT, "Bearer", 401),
    answered_header("Retry-After", RETRY_AFTER, "Secondes à attendre", 429, 503),
]
CONTENT_ENCODING = sent_header("Content-Encoding", one_of("identity", "gzip"), "Un seul membre gzip, borné une fois lu")
PREFER = sent_header("Prefer", TEXT, "wait=N : attendre N secondes (au plus 10) que le lot soit traité")

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


describe_state = extend_schema(
    operation_id="lire_l_etat",
    tags=["caisse"],
    summary="L'heure du serveur, la boutique, les limites et ce qui reste ouvert",
    parameters=EVERY_CALL,
    responses={(200, JSON): answer("Etat", "L'état de la caisse"), **problems()},
)


class DocumentView(SpectacularAPIView):
    """The document itself. It has one version: what a query asks for is not written into headers."""

    def _get_version_parameter(self, request: object) -> None:
        return None
