"""Schemas of what a till sends. One Struct reads every kind of document; this module lists the fields of each kind."""

from backend.api.answers.limits import LIMITS
from backend.api.openapi.schemas import Schema, ref

# A Struct that reads requests → its name in the document.
NAMES = {
    "EnrolmentBody": "DemandeDInscription",
    "NumbersBody": "DemandeDeSort",
    "WireAmount": "MontantEnvoye",
    "WireDay": "Journee",
    "WireDrawer": "TiroirEnvoye",
    "WireHeartbeat": "Battement",
    "WireHeld": "AEnvoyer",
    "WireChange": "MonnaieRendue",
    "WireListed": "VenteListee",
    "WireOrigin": "Origine",
    "WirePayment": "PaiementRecu",
    "WirePayout": "SortieDeCaisse",
    "WirePerson": "Personne",
    "WireSum": "TotalEnvoye",
}
LINE = ("unite_uuid", "article_uuid", "article_id", "quantite", "prix_unitaire", "remise", "taux_tva")
RETURNED_LINE = ("ligne", "quantite")
CIRCUMSTANCES = (
    "numero_facture",
    "sequence",
    "date_vente",
    "devise",
    "mode_paiement",
    "caissier",
    "client",
    "motif",
    "fiscal",
)
# The fields of each kind beside its circumstances: the required ones, then the optional ones.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "vente": (("lignes",), ("remise", "montant_total", "paye", "paiements", "rendu")),
    "annulation": (("origine",), ("paiements",)),
    "retour": (("origine", "lignes"), ("paiements",)),
    "paiement": (("origine", "montant"), ("taux", "paiements", "rendu")),
}
LINES = {"vente": "LigneVendue", "retour": "LigneRendue"}


def add_batch(components: dict[str, Schema]) -> None:
    """Replace the Struct that reads every kind by one schema per kind, and add the batch of them."""
    sale, line = components.pop("WireSale"), components.pop("WireLine")
    components["LigneVendue"] = _part(line, LINE, required=("quantite", "prix_unitaire")) | {
        "description": "Nomme une unité, ou un article, et alors son unité de base"
    }
    components["LigneRendue"] = _part(line, RETURNED_LINE, required=RETURNED_LINE)
    for kind, (required, optional) in KINDS.items():
        shape = _part(sale, (*CIRCUMSTANCES, *required, *optional), required=("numero_facture", *required))
        named: Schema = {"type": "string", "enum": [kind]}
        if kind == "vente":
            named = {"type": ["string", "null"], "enum": [kind, None], "default": kind}
        else:
            shape["required"].append("type")
        shape["properties"] = {"type": named} | shape["properties"]
        if kind in LINES:
            shape["properties"]["lignes"]["items"] = ref(LINES[kind])
        components[kind.capitalize()] = shape
    components["Document"] = {"anyOf": [ref(kind.capitalize()) for kind in KINDS]}
    components["Lot"] = {
        "type": "array",
        "items": ref("Document"),
        "minItems": 1,
        "maxItems": LIMITS.ventes_par_lot,
    }


def _part(whole: Schema, names: tuple[str, ...], *, required: tuple[str, ...]) -> Schema:
    """Return the schema with only these fields. The required ones are never null."""
    fields = {name: whole["properties"][name] for name in names}
    never_null = {name: _never_null(fields[name]) for name in required}
    return {"type": "object", "properties": fields | never_null, "required": list(required)}


def _never_null(field: Schema) -> Schema:
    if "anyOf" in field:
        wanted: Schema = field["anyOf"][0]
        return wanted | {key: value for key, value in field.items() if key != "anyOf"}
    kinds = [kind for kind in field["type"] if kind != "null"]
    return field | {"type": kinds if len(kinds) > 1 else kinds[0]}
