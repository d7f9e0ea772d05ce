"""How a till's state is described."""

from drf_spectacular.utils import extend_schema

from backend.api.openapi.operations import EVERY_CALL, JSON, answer, problems
from backend.api.openapi.parts import COUNT, INSTANT, Schema, listed, one_of, ref, thing
from backend.shops.models import AnswerMode

SHAPES: dict[str, Schema] = {
    "Etat": thing(
        {
            "heure": INSTANT,
            "ecart_horloge_s": {"type": ["number", "null"]},
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
}

describe_state = extend_schema(
    operation_id="lire_l_etat",
    tags=["caisse"],
    summary="L'heure du serveur, la boutique, les limites et ce qui reste ouvert",
    parameters=EVERY_CALL,
    responses={(200, JSON): answer("Etat", "L'état de la caisse"), **problems()},
)
