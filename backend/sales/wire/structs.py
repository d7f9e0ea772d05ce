"""A sale as the contract writes it: the names that tills in the field send, and their types."""

import re
from decimal import Decimal
from typing import Annotated

import msgspec

BIGINT_MAX = 2**63 - 1

Identifier = Annotated[int, msgspec.Meta(ge=1, le=BIGINT_MAX)]
Counter = Annotated[int, msgspec.Meta(ge=0, le=BIGINT_MAX)]

_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")


class WireLine(msgspec.Struct, frozen=True):
    quantite: Decimal | None = None
    prix_unitaire: Decimal | None = None
    unite_uuid: str | None = None
    article_uuid: str | None = None
    article_id: Identifier | None = None
    ligne: Identifier | None = None
    remise: Decimal | None = None
    taux_tva: Decimal | None = None


class WirePayment(msgspec.Struct, frozen=True):
    montant: Decimal
    mode: str = "CASH"
    devise: str | None = None
    taux: Decimal | None = None


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
    """A sale as the contract writes it. What it does not name stays in the bytes and is ignored."""

    numero_facture: str | None = None
    type: str | None = None
    lignes: list[WireLine] | None = None
    origine: WireOrigin | None = None
    date_vente: str | None = None
    devise: str | None = None
    remise: Decimal | None = None
    montant: Decimal | None = None
    montant_total: Decimal | None = None
    mode_paiement: str | None = None
    paye: bool | None = None
    paiements: list[WirePayment] | None = None
    sequence: Counter | None = None
    caissier: WirePerson | None = None
    client: WirePerson | None = None
    motif: str | None = None
    # Absent is empty: of `Raw | None` msgspec takes nothing but null.
    fiscal: msgspec.Raw = msgspec.Raw(b"")


def path_of(error: msgspec.ValidationError) -> str:
    """Return where in a sale msgspec refused it: its own place, and the field that is missing there."""
    place = _AT.search(str(error))
    path = place["path"] if place else ""
    missing = _MISSING.search(str(error))
    if missing:
        path = f"{path}.{missing['name']}".lstrip(".")
    return path
