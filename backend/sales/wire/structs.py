"""A sale as the contract writes it: the names that tills in the field send, and their types."""

import re
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

BIGINT_MAX = 2**63 - 1
NUMBER_LENGTH_MAX = 64
MODE_LENGTH_MAX = 32
LINES_MAX = 200
PAYMENTS_MAX = 20
FISCAL_BYTES_MAX = 8 * 1024

Identifier = Annotated[int, Meta(ge=1, le=BIGINT_MAX)]
Counter = Annotated[int, Meta(ge=0, le=BIGINT_MAX)]

# Rules that a type alone does not express are in `extra_json_schema`, for the OpenAPI document only. A sale that breaks
# such a rule is refused by our own checks, with path and sentence, and not before them by msgspec.
NUMBER_EXAMPLE = "FAC-20241104-003"
Number = Annotated[
    str,
    Meta(
        description=f"Le numéro de la caisse : 1 à {NUMBER_LENGTH_MAX} caractères imprimables, sans ~",
        examples=[NUMBER_EXAMPLE],
        extra_json_schema={"minLength": 1, "maxLength": NUMBER_LENGTH_MAX, "pattern": r"^[^~\x00-\x1f\x7f]+$"},
    ),
]
AMOUNT = {"minimum": 0, "exclusiveMaximum": 10**11, "pattern": r"^\d{1,11}(\.\d{1,20})?$"}
Amount = Annotated[Decimal, Meta(examples=[25000, "25000.00"], extra_json_schema=AMOUNT)]
Quantity = Annotated[
    Decimal, Meta(examples=[2, "1.5"], extra_json_schema=AMOUNT | {"minimum": 0.001, "exclusiveMaximum": 10**10})
]
Currency = Annotated[
    str, Meta(description="Par défaut celle de la boutique", extra_json_schema={"pattern": r"^[A-Za-z]{3}$"})
]
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
DATE = "ISO 8601, de préférence avec le décalage horaire ; sans lui, l'heure est celle de la boutique"

_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")


class WireLine(msgspec.Struct, frozen=True):
    quantite: Quantity | None = None
    prix_unitaire: Amount | None = None
    unite_uuid: Uuid | None = None
    article_uuid: Uuid | None = None
    article_id: Identifier | None = None
    ligne: Identifier | None = None
    remise: Annotated[Amount, Meta(description="Un montant TTC, ôté de la ligne")] | None = None
    taux_tva: (
        Annotated[Amount, Meta(description="Par défaut celui de l'unité", extra_json_schema={"maximum": 100})] | None
    ) = None


class WirePayment(msgspec.Struct, frozen=True):
    montant: Amount
    mode: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MODE_LENGTH_MAX})] = "CASH"
    devise: Currency | None = None
    taux: Annotated[Amount, Meta(description="Unités de la devise de la vente pour une du paiement")] | None = None


class WireChange(msgspec.Struct, frozen=True):
    montant: Amount
    mode: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MODE_LENGTH_MAX})] = "CASH"
    devise: Currency | None = None
    taux: Annotated[Amount, Meta(description="Par défaut celui du paiement dans cette devise")] | None = None


class WirePerson(msgspec.Struct, frozen=True):
    code: str | None = None
    nom: str | None = None
    telephone: str | None = None
    nif: str | None = None


class WireOrigin(msgspec.Struct, frozen=True):
    numero_facture: str | None = None
    numero_enregistrement: str | None = None
    vente_id: Identifier | None = None


class WireSale(msgspec.Struct, frozen=True):
    """A sale as the contract writes it. Fields that it does not name stay in the bytes and are ignored."""

    numero_facture: Number | None = None
    type: str | None = None
    lignes: Annotated[list[WireLine], Meta(extra_json_schema={"minItems": 1, "maxItems": LINES_MAX})] | None = None
    origine: Annotated[
        WireOrigin | None, Meta(description="L'un des trois", extra_json_schema={"minProperties": 1})
    ] = None
    date_vente: (
        Annotated[
            str,
            Meta(description=DATE, examples=["2024-11-04T17:42:10+01:00"], extra_json_schema={"maxLength": 64}),
        ]
        | None
    ) = None
    devise: Currency | None = None
    remise: Annotated[Amount, Meta(description="Un montant TTC, ôté de la somme des lignes")] | None = None
    montant: Amount | None = None
    montant_total: Annotated[Amount, Meta(description="Comparé seulement : les lignes comptent")] | None = None
    mode_paiement: Annotated[str, Meta(extra_json_schema={"maxLength": MODE_LENGTH_MAX, "default": "CASH"})] | None = (
        None
    )
    paye: Annotated[bool, Meta(extra_json_schema={"default": True})] | None = None
    paiements: Annotated[list[WirePayment], Meta(extra_json_schema={"maxItems": PAYMENTS_MAX})] | None = None
    rendu: (
        Annotated[
            list[WireChange],
            Meta(description="La monnaie rendue au client", extra_json_schema={"maxItems": PAYMENTS_MAX}),
        ]
        | None
    ) = None
    taux: Annotated[Amount, Meta(description="D'un paiement dans une autre devise que celle de la vente")] | None = None
    sequence: Annotated[Counter, Meta(description="Le compteur de la caisse : ses trous sont signalés")] | None = None
    caissier: WirePerson | None = None
    client: WirePerson | None = None
    motif: str | None = None
    # Absent is empty: for `Raw | None` msgspec accepts only null, and it cannot describe a default that is Raw.
    fiscal: Annotated[
        msgspec.Raw,
        Meta(
            description=f"Données d'un appareil fiscal certifié, gardées telles quelles ; {FISCAL_BYTES_MAX} octets",
            extra_json_schema={"type": ["object", "null"]},
        ),
    ] = msgspec.field(default_factory=msgspec.Raw)


def path_of(error: msgspec.ValidationError) -> str:
    """Return the path at which msgspec refused a sale, with the missing field's name if one is missing."""
    place = _AT.search(str(error))
    path = place["path"] if place else ""
    missing = _MISSING.search(str(error))
    if missing:
        path = f"{path}.{missing['name']}".lstrip(".")
    return path
