"""How enrolling a device and renewing its token are described."""

from drf_spectacular.utils import extend_schema

from backend.api.openapi.operations import (
    CONTENT_ENCODING,
    EVERY_CALL,
    JSON,
    OF_ANYBODY,
    OF_EVERY_BODY,
    answer,
    answered_header,
    problems,
)
from backend.api.openapi.parts import TEXT, Schema, one_of, or_null, ref, thing
from backend.sales.wire.structs import BIGINT_MAX
from backend.shops.devices import SERIAL_LENGTH_MAX
from backend.shops.models import AnswerMode

TOKEN = TEXT | {"minLength": 43, "description": "Montré une seule fois : le serveur n'en garde qu'une empreinte"}

SHAPES: dict[str, Schema] = {
    "DemandeDInscription": thing(
        {
            "code": TEXT
            | {
                "description": "Comme il a été tapé : minuscules, espaces et tirets ne comptent pas",
                "examples": ["K7Q49XTD"],
            },
            "numero_serie": TEXT
            | {
                "minLength": 1,
                "maxLength": SERIAL_LENGTH_MAX,
                "description": "Celui que l'appareil enverra dans X-Device-Serial",
                "examples": ["0a1badae951f8473"],
            },
            "version": {"type": ["string", "null"], "examples": ["3.2.1"]},
            "modele": {"type": ["string", "null"], "examples": ["Sunmi V2"]},
        },
        optional=("version", "modele"),
    ),
    "Inscription": thing(
        {
            "jeton": TOKEN,
            "terminal": ref("Terminal"),
            "boutique": ref("Boutique"),
            "sequence": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": BIGINT_MAX,
                "description": "Le plus haut compteur connu de cette caisse ; continuer après lui",
            },
            "dernier_numero": or_null(TEXT) | {"description": "Le numéro du dernier document de cette caisse"},
            "mode_reponse": one_of(*AnswerMode.values),
        }
    ),
    "Jeton": thing({"jeton": TOKEN}),
}

NOT_STORED = answered_header("Cache-Control", one_of("no-store"), "La réponse porte un secret", 201)

describe_enrolment = extend_schema(
    operation_id="inscrire_un_appareil",
    tags=["caisse"],
    summary="Inscrire un appareil avec un code à usage unique",
    description=(
        "L'appareil devient celui de la caisse du code, et prend la place de celui que le code nomme. Si la réponse se "
        "perd, le même code et le même numéro de série rendent un nouveau jeton tant que le code vit ; un jeton jamais "
        "utilisé cesse alors de valoir. Un refus n'use pas le code."
    ),
    auth=[],
    parameters=[*EVERY_CALL, CONTENT_ENCODING, NOT_STORED],
    request={JSON: ref("DemandeDInscription")},
    responses={
        (201, JSON): answer("Inscription", "L'appareil est celui de la caisse"),
        **problems(
            *OF_EVERY_BODY,
            "parametre_invalide",
            "terminal_sans_boutique",
            "terminal_desactive",
            "code_inconnu",
            "serie_deja_prise",
            "code_expire",
            always=OF_ANYBODY,
        ),
    },
)

describe_token = extend_schema(
    operation_id="renouveler_le_jeton",
    tags=["caisse"],
    summary="Demander un nouveau jeton",
    description=(
        "Avec son jeton seulement : le numéro de série seul n'en donne pas. L'ancien vaut jusqu'à la première "
        "utilisation du nouveau ; de plusieurs demandés avant, seul le dernier vaut."
    ),
    auth=[{"serie": [], "jeton": []}, {"serie_des_sources": [], "jeton": []}],
    parameters=[*EVERY_CALL, NOT_STORED],
    request=None,
    responses={(201, JSON): answer("Jeton", "Le nouveau jeton"), **problems()},
)
