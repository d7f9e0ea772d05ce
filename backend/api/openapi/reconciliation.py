"""How the end of a day is described."""

from drf_spectacular.utils import extend_schema

from backend.api.openapi.operations import CONTENT_ENCODING, EVERY_CALL, JSON, OF_EVERY_BODY, answer, problems
from backend.api.openapi.parts import (
    AMOUNT,
    COUNT,
    CURRENCY,
    IDENTIFIER,
    TEXT,
    Schema,
    listed,
    one_of,
    or_null,
    ref,
    thing,
)
from backend.api.openapi.sales_sent import SENT_AMOUNT, SENT_CURRENCY, SENT_MODE, SENT_NUMBER
from backend.sales.days.day_report import (
    CASHIER_LENGTH_MAX,
    COUNT_MAX,
    NUMBERS_MAX,
    PAYOUTS_MAX,
    REASON_LENGTH_MAX,
    SUMS_MAX,
)
from backend.sales.days.reconciliation import DIFFERENT, EQUAL, SUMS_EQUAL
from backend.sales.wire.amount_lists import AMOUNTS_MAX

DAY = {"type": "string", "format": "date", "pattern": r"^20\d{2}-\d{2}-\d{2}$", "examples": ["2024-11-04"]}
SIGNED_AMOUNT = SENT_AMOUNT | {
    "minimum": -(10**11) + 1,
    "pattern": r"^-?\d{1,11}(\.\d{1,20})?$",
    "description": "Négatif quand il a été rendu plus qu'encaissé",
}
NUMBERS = listed(TEXT, maxItems=NUMBERS_MAX)


def _amounts(description: str) -> Schema:
    return {
        "type": ["array", "null"],
        "items": ref("MontantEnvoye"),
        "maxItems": AMOUNTS_MAX,
        "description": f"{description} ; une devise donnée deux fois compte pour la somme",
    }


SHAPES: dict[str, Schema] = {
    "Journee": thing(
        {
            "jour": DAY | {"description": "Le jour de la caisse elle-même"},
            "ventes": {"type": ["array", "null"], "items": ref("VenteListee"), "maxItems": NUMBERS_MAX},
            "totaux": {"type": ["array", "null"], "items": ref("TotalEnvoye"), "maxItems": SUMS_MAX},
            "caisse": ref("TiroirEnvoye"),
        },
        optional=("ventes", "totaux", "caisse"),
        description="Au moins l'un des trois : ventes, totaux, caisse. Une liste vide dit qu'il n'y a rien eu",
    ),
    "VenteListee": thing(
        {
            "numero_facture": SENT_NUMBER,
            "montant": SENT_AMOUNT | {"description": "Sans signe, aussi pour un retour ou une annulation"},
        },
        description="Un document de la caisse : vente, annulation, retour ou paiement",
    ),
    "TotalEnvoye": thing(
        {
            "mode": {key: value for key, value in SENT_MODE.items() if key != "type"}
            | {"type": "string", "minLength": 1},
            "devise": SENT_CURRENCY,
            "nombre": or_null(COUNT) | {"maximum": COUNT_MAX, "description": "Comparé quand il est donné"},
            "montant": SIGNED_AMOUNT,
        },
        optional=("mode", "devise", "nombre"),
    ),
    "TiroirEnvoye": thing(
        {
            "caissier": or_null(TEXT)
            | {
                "maxLength": CASHIER_LENGTH_MAX,
                "description": "Son code, ou son nom s'il n'en a pas. Seuls ses documents comptent, si un document de "
                "la journée en nomme un",
            },
            "fond_ouverture": _amounts("Ce qu'il y avait d'abord dans le tiroir"),
            "sorties": {"type": ["array", "null"], "items": ref("SortieDeCaisse"), "maxItems": PAYOUTS_MAX},
            "especes_comptees": _amounts("Ce qui a été compté à la fin"),
        },
        optional=("caissier", "fond_ouverture", "sorties", "especes_comptees"),
        type=["object", "null"],
    ),
    "SortieDeCaisse": thing(
        {
            "motif": or_null(TEXT) | {"maxLength": REASON_LENGTH_MAX},
            "devise": SENT_CURRENCY,
            "montant": SENT_AMOUNT,
        },
        optional=("motif", "devise"),
    ),
    "Rapprochement": thing(
        {
            "jour": DAY,
            "resultat": one_of(EQUAL, SUMS_EQUAL, DIFFERENT)
            | {
                "description": f"`{EQUAL}` : la liste et tout ce qui a été comparé s'accordent ; `{SUMS_EQUAL}` : il "
                f"n'y avait pas de liste, les sommes s'accordent ; `{DIFFERENT}` sinon"
            },
            "manquantes": NUMBERS | {"description": "Le serveur ne les a sous aucune forme : à envoyer"},
            "en_trop": NUMBERS | {"description": "Enregistrées pour ce jour et pas dans la liste"},
            "differentes": listed(
                thing({"numero_facture": TEXT, "montant_caisse": AMOUNT, "montant_serveur": AMOUNT}),
                maxItems=NUMBERS_MAX,
                description="Le serveur compte un autre montant ; 0.00 quand la boutique a mis la vente de côté",
            ),
            "en_attente": NUMBERS | {"description": "Reçues, pas encore enregistrées"},
            "a_corriger": NUMBERS | {"description": "Refusées, de la liste ou de ce jour : la boutique doit décider"},
            "totaux": listed(
                thing({"mode": TEXT, "devise": CURRENCY, "nombre": COUNT, "montant": AMOUNT}),
                description="Ce que le serveur compte : encaissé moins rendu, et le nombre de documents qui l'ont fait",
            ),
            "caisse": listed(
                thing({"devise": CURRENCY, "attendu": AMOUNT, "compte": AMOUNT, "ecart": AMOUNT}),
                description="attendu = fond + espèces de la journée − sorties ; ecart = compte − attendu",
            ),
            "rapprochement": IDENTIFIER,
        }
    ),
}

describe_reconciliation = extend_schema(
    operation_id="rapprocher_une_journee",
    tags=["caisse"],
    summary="La fin de journée : ce que la caisse a vendu, comparé à ce qui est enregistré",
    description=(
        "Par liste (numéros et montants), par sommes (mode et devise) et avec le tiroir ; l'un des trois suffit. Le "
        "jour est celui de la caisse ; un numéro enregistré sous un autre jour n'est pas manquant. Chaque appel est "
        "gardé pour la boutique."
    ),
    parameters=[*EVERY_CALL, CONTENT_ENCODING],
    request={JSON: ref("Journee")},
    responses={
        (200, JSON): answer("Rapprochement", "La comparaison"),
        **problems(*OF_EVERY_BODY, "parametre_invalide"),
    },
)
