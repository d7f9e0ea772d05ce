"""What descriptions of calls are made of: parameters, headers, answers, refusals."""

from collections import defaultdict

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from backend.api.openapi.parts import TEXT, Schema, one_of, ref, thing
from backend.api.problems import CONTENT_TYPE, PROBLEMS

JSON = "application/json"

# What any call can be refused with, and what one by a device that is known.
OF_ANYBODY = ("format_non_disponible", "trop_de_requetes", "indisponible")
OF_EVERY_CALL = (
    "header_manquant",
    "terminal_sans_boutique",
    "jeton_manquant",
    "jeton_invalide",
    "terminal_desactive",
    "terminal_inconnu",
    *OF_ANYBODY,
)
OF_EVERY_BODY = ("json_invalide", "gzip_invalide", "lot_trop_grand", "type_non_supporte")


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


def problems(*codes: str, always: tuple[str, ...] = OF_EVERY_CALL) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the answers for these codes and for those that a call can `always` be refused with, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in (*always, *codes):
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
