"""How a till's state is described, and what the till says of itself."""

from drf_spectacular.utils import extend_schema

from backend.api.openapi.operations import CONTENT_ENCODING, EVERY_CALL, JSON, OF_EVERY_BODY, answer, problems
from backend.api.openapi.parts import COUNT, INSTANT, Schema, listed, one_of, ref, thing
from backend.api.openapi.sales_sent import SENT_AMOUNT, SENT_CURRENCY
from backend.sales.tills.heartbeat import HELD_COUNT_MAX
from backend.sales.wire.amount_lists import AMOUNTS_MAX
from backend.sales.wire.business_day import DATE_LENGTH_MAX
from backend.sales.wire.structs import BIGINT_MAX
from backend.shops.models import AnswerMode

SENT_MOMENT = {
    "type": ["string", "null"],
    "format": "date-time",
    "minLength": len("2024-11-04T18:00"),
    "maxLength": DATE_LENGTH_MAX,
    "description": "ISO 8601, de préférence avec le décalage horaire ; sans lui, l'heure est celle de la boutique",
    "examples": ["2024-11-04T18:00:00+01:00"],
}

SHAPES: dict[str, Schema] = {
    "Etat": thing(
        {
            "heure": INSTANT,
            "ecart_horloge_s": {
                "type": ["number", "null"],
                "description": "L'heure de la caisse moins celle du serveur, comme son dernier battement l'a montrée",
            },
            "boutique": ref("Boutique"),
            "terminal": ref("Terminal"),
            "mode_reponse": one_of(*AnswerMode.values),
            "limites": ref("Limites"),
            "en_attente": thing({"lots": COUNT, "ventes": COUNT}),
            "a_corriger": COUNT,
            "trous": listed(ref("Trou")),
            "pause": {"type": "boolean"},
        }
    ),
    "Battement": thing(
        {
            "heure": SENT_MOMENT,
            "a_envoyer": ref("AEnvoyer"),
            "sequence": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": BIGINT_MAX,
                "description": "Le dernier compteur que la caisse a donné : ce qui manque à la fin paraît dans `trous`",
            },
        },
        optional=("heure", "a_envoyer", "sequence"),
    ),
    "AEnvoyer": thing(
        {
            "nombre": {"type": "integer", "minimum": 0, "maximum": HELD_COUNT_MAX},
            "montants": {"type": ["array", "null"], "items": ref("MontantEnvoye"), "maxItems": AMOUNTS_MAX},
            "plus_ancienne": SENT_MOMENT,
        },
        optional=("montants", "plus_ancienne"),
        type=["object", "null"],
        description="Ce que la caisse garde encore ; `nombre` 0 dit qu'elle ne garde rien, et sans montant",
    ),
    "MontantEnvoye": thing({"devise": SENT_CURRENCY, "montant": SENT_AMOUNT}, optional=("devise",)),
}

describe_state = extend_schema(
    operation_id="lire_l_etat",
    tags=["caisse"],
    summary="L'heure du serveur, la boutique, les limites et ce qui reste ouvert",
    parameters=EVERY_CALL,
    responses={(200, JSON): answer("Etat", "L'état de la caisse"), **problems()},
)

describe_state_sent = extend_schema(
    operation_id="dire_son_etat",
    tags=["caisse"],
    summary="Le battement d'une caisse : son heure, ce qu'elle garde encore, son compteur",
    description=(
        "Chaque membre est facultatif, et ce qui n'est pas dit n'est jamais pris pour rien : sans `a_envoyer`, la "
        "boutique lit que la caisse ne dit pas ce qu'elle garde. Une heure impossible n'est pas refusée : "
        "`ecart_horloge_s` la dit. La réponse est celle du GET."
    ),
    parameters=[*EVERY_CALL, CONTENT_ENCODING],
    request={JSON: ref("Battement")},
    responses={(200, JSON): answer("Etat", "L'état de la caisse"), **problems(*OF_EVERY_BODY, "parametre_invalide")},
)
