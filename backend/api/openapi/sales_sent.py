"""What a till sends, as JSON Schemas: named parts of the OpenAPI document."""

from backend.api.limits import LIMITS
from backend.api.openapi.parts import IDENTIFIER, TEXT, UUID, Schema, listed, one_of, or_null, ref, thing
from backend.sales.wire.fields import MODE_LENGTH_MAX
from backend.sales.wire.parser import FISCAL_BYTES_MAX, LINES_MAX, PAYMENTS_MAX
from backend.sales.wire.structs import BIGINT_MAX

# Amounts may be numbers or strings. What is not named here is kept in the bytes, and ignored.
SENT_AMOUNT = {
    "type": ["number", "string"],
    "minimum": 0,
    "exclusiveMaximum": 10**11,
    "pattern": r"^\d{1,11}(\.\d{1,20})?$",
    "examples": [25000, "25000.00"],
}
SENT_QUANTITY = SENT_AMOUNT | {"minimum": 0.001, "exclusiveMaximum": 10**10, "examples": [2, "1.5"]}
SENT_TEXT = or_null(TEXT)
SENT_NUMBER = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "pattern": r"^[^~\x00-\x1f\x7f]+$",
    "description": "Le numéro de la caisse : 1 à 64 caractères imprimables, sans ~",
    "examples": ["FAC-20241104-003"],
}
SENT_MODE = {"type": ["string", "null"], "maxLength": MODE_LENGTH_MAX, "default": "CASH"}
SENT_CURRENCY = {
    "type": ["string", "null"],
    "pattern": r"^[A-Za-z]{3}$",
    "description": "Par défaut celle de la boutique",
}
SENT_DATE = {
    "type": ["string", "null"],
    "maxLength": 64,
    "description": "ISO 8601, de préférence avec le décalage horaire ; sans lui, l'heure est celle de la boutique",
    "examples": ["2024-11-04T17:42:10+01:00"],
}
PERSON_FIELDS = dict.fromkeys(("code", "nom", "telephone", "nif"), SENT_TEXT)

CIRCUMSTANCES: dict[str, Schema] = {
    "numero_facture": SENT_NUMBER,
    "sequence": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": BIGINT_MAX,
        "description": "Le compteur de la caisse : ses trous sont signalés",
    },
    "date_vente": SENT_DATE,
    "devise": SENT_CURRENCY,
    "mode_paiement": SENT_MODE,
    "caissier": ref("Personne"),
    "client": ref("Personne"),
    "motif": SENT_TEXT,
    "fiscal": {
        "type": ["object", "null"],
        "description": f"Données d'un appareil fiscal certifié, gardées telles quelles ; {FISCAL_BYTES_MAX} octets",
    },
}
CIRCUMSTANCES_OPTIONAL = tuple(name for name in CIRCUMSTANCES if name != "numero_facture")

SENT: dict[str, Schema] = {
    "Lot": listed(ref("Document"), minItems=1, maxItems=LIMITS["ventes_par_lot"]),
    "Document": {"anyOf": [ref("Vente"), ref("Annulation"), ref("Retour"), ref("Paiement")]},
    "Vente": thing(
        {
            "type": {"type": ["string", "null"], "enum": ["vente", None], "default": "vente"},
            **CIRCUMSTANCES,
            "lignes": listed(ref("LigneVendue"), minItems=1, maxItems=LINES_MAX),
            "remise": or_null(SENT_AMOUNT) | {"description": "Un montant TTC, ôté de la somme des lignes"},
            "montant_total": or_null(SENT_AMOUNT) | {"description": "Comparé seulement : les lignes comptent"},
            "paye": {"type": ["boolean", "null"], "default": True},
            "paiements": {"type": ["array", "null"], "items": ref("PaiementRecu"), "maxItems": PAYMENTS_MAX},
        },
        optional=("type", *CIRCUMSTANCES_OPTIONAL, "remise", "montant_total", "paye", "paiements"),
    ),
    "Annulation": thing(
        {"type": one_of("annulation"), **CIRCUMSTANCES, "origine": ref("Origine")}, optional=CIRCUMSTANCES_OPTIONAL
    ),
    "Retour": thing(
        {
            "type": one_of("retour"),
            **CIRCUMSTANCES,
            "origine": ref("Origine"),
            "lignes": listed(thing({"ligne": IDENTIFIER, "quantite": SENT_QUANTITY}), minItems=1, maxItems=LINES_MAX),
        },
        optional=CIRCUMSTANCES_OPTIONAL,
    ),
    "Paiement": thing(
        {"type": one_of("paiement"), **CIRCUMSTANCES, "origine": ref("Origine"), "montant": SENT_AMOUNT},
        optional=CIRCUMSTANCES_OPTIONAL,
    ),
    "LigneVendue": thing(
        {
            "unite_uuid": or_null(UUID),
            "article_uuid": or_null(UUID),
            "article_id": or_null(IDENTIFIER),
            "quantite": SENT_QUANTITY,
            "prix_unitaire": SENT_AMOUNT,
            "remise": or_null(SENT_AMOUNT) | {"description": "Un montant TTC, ôté de la ligne"},
            "taux_tva": or_null(SENT_AMOUNT) | {"maximum": 100, "description": "Par défaut celui de l'unité"},
        },
        optional=("unite_uuid", "article_uuid", "article_id", "remise", "taux_tva"),
        description="Nomme une unité, ou un article, et alors son unité de base",
    ),
    "PaiementRecu": thing(
        {
            "mode": {"type": "string", "minLength": 1, "maxLength": MODE_LENGTH_MAX, "default": "CASH"},
            "devise": SENT_CURRENCY,
            "montant": SENT_AMOUNT,
            "taux": or_null(SENT_AMOUNT) | {"description": "Unités de la devise de la vente pour une du paiement"},
        },
        optional=("mode", "devise", "taux"),
    ),
    "Personne": {"type": ["object", "null"], "properties": PERSON_FIELDS},
    "Origine": thing(
        {
            "numero_facture": SENT_TEXT,
            "numero_enregistrement": SENT_TEXT,
            "vente_id": or_null(IDENTIFIER),
        },
        optional=("numero_facture", "numero_enregistrement", "vente_id"),
        minProperties=1,
        description="L'un des trois",
    ),
}
