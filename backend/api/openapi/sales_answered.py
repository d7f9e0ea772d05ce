"""What a till is answered, as JSON Schemas: named parts of the OpenAPI document."""

from backend.api.limits import LIMITS
from backend.api.openapi.parts import (
    AMOUNT,
    COUNT,
    CURRENCY,
    IDENTIFIER,
    INSTANT,
    PLACE,
    QUANTITY,
    TEXT,
    URL,
    UUID,
    Schema,
    listed,
    one_of,
    or_null,
    ref,
    thing,
)
from backend.sales.errors import SaleRefused
from backend.sales.receipts.receipt import NO_NUMBER

GOOD_STATUSES = ("created", "voided", "returned", "paid")
REFUSED_STATUSES = ("conflict", "rejected", "deferred", "failed", "set_aside")
WARNINGS = (
    "montant_total_different",
    "stock_negatif",
    "horloge",
    "heure_sans_fuseau",
    "sans_heure",
    "arrondi",
    "article_inactif",
    "numero_reutilise",
    "mois_clos",
)
# A new refusal stands in the document as soon as it has a class.
SALE_CODES = tuple(dict.fromkeys(refusal.code for refusal in SaleRefused.__subclasses__()))

ENTRY = {"index": PLACE, "numero_facture": TEXT | {"description": f"{NO_NUMBER} quand la vente n'en a pas"}}
RECEIPT = {
    "recu": UUID,
    "statut": one_of("en_attente", "en_cours"),
    "version": COUNT,
    "recu_le": INSTANT,
    "message": TEXT,
    "ventes_creees": COUNT,
    "ventes_erreurs": COUNT,
    "details": ref("DetailsDuRecu"),
    "trous": listed(ref("Trou")),
    "boutique": ref("Boutique"),
    "terminal": ref("Terminal"),
    "statistiques": thing({"total_envoyees": COUNT, "reussies": COUNT, "erreurs": COUNT, "doublons": COUNT}),
}

ANSWERED: dict[str, Schema] = {
    "Boutique": thing({"id": IDENTIFIER, "nom": TEXT, "code": TEXT}),
    "Terminal": thing({"id": IDENTIFIER, "nom": TEXT, "numero_serie": TEXT}),
    "Trou": thing({"de": COUNT, "a": COUNT}),
    "AccuseDeReception": thing(
        {
            "recu": UUID,
            "statut": one_of("en_attente", "en_cours", "traite"),
            "ventes_recues": {"type": "integer", "minimum": 1},
            "url": URL,
            "message": TEXT,
            "boutique": ref("Boutique"),
            "terminal": ref("Terminal"),
        }
    ),
    "Recu": {"oneOf": [ref("RecuEnCours"), ref("RecuTraite")]},
    "RecuEnCours": thing(RECEIPT),
    "RecuTraite": thing(RECEIPT | {"statut": one_of("traite"), "traite_le": INSTANT, "success": {"type": "boolean"}}),
    "DetailsDuRecu": thing(
        {
            "creees": listed(ref("VenteEnregistree")),
            "erreurs": listed({"oneOf": [ref("Doublon"), ref("VenteRefusee")]}),
            "en_attente": listed(ref("VenteEnAttente")),
        }
    ),
    "VenteEnregistree": thing(
        {
            **ENTRY,
            "variante": {"type": "integer", "minimum": 1},
            "status": one_of(*GOOD_STATUSES),
            "action": one_of("purger"),
            "id": IDENTIFIER,
            "numero_enregistrement": TEXT,
            "boutique_id": IDENTIFIER,
            "boutique_nom": TEXT,
            "montant_total": AMOUNT,
            "devise": CURRENCY,
            "lignes_count": COUNT,
            "avertissements": listed(one_of(*WARNINGS)),
            "lignes": listed(ref("LigneEnregistree")),
        }
    ),
    "LigneEnregistree": thing(
        {
            "ligne": PLACE,
            "article_id": IDENTIFIER,
            "unite_uuid": UUID,
            "quantite": QUANTITY,
            "prix_unitaire": AMOUNT,
            "remise": AMOUNT,
            "montant": AMOUNT,
            "stock_apres": or_null(QUANTITY),
        }
    ),
    "Doublon": thing(
        {
            **ENTRY,
            "status": one_of("duplicate"),
            "action": one_of("purger"),
            "code": one_of("deja_existante"),
            "erreur": TEXT,
            "id": IDENTIFIER | {"description": "Celui de la première vente"},
            "numero_enregistrement": TEXT,
        }
    ),
    "VenteRefusee": thing(
        {
            **ENTRY,
            "status": one_of(*REFUSED_STATUSES),
            "action": one_of("purger", "garder", "corriger"),
            "code": one_of(*(code for code in SALE_CODES if code != "deja_existante")),
            "chemin": TEXT | {"description": "Où dans la vente, compté à partir de 0 : lignes[0].quantite"},
            "erreur": TEXT,
        },
        optional=("chemin",),
    ),
    "VenteEnAttente": thing({**ENTRY, "status": one_of("pending"), "action": one_of("attendre")}),
    "RecuResume": thing(
        {
            "recu": UUID,
            "statut": one_of("en_attente", "en_cours", "traite"),
            "version": COUNT,
            "recu_le": INSTANT,
            "ventes_recues": {"type": "integer", "minimum": 1},
            "ventes_creees": COUNT,
            "ventes_erreurs": COUNT,
            "url": URL,
        }
    ),
    "ListeDeRecus": thing({"recus": listed(ref("RecuResume")), "suivant": or_null(URL)}),
    "Sorts": thing({"ventes": listed({"oneOf": [ref("SortConnu"), ref("SortEnAttente"), ref("SortInconnu")]})}),
    "SortConnu": thing(
        {
            "numero_facture": TEXT,
            "status": one_of(*GOOD_STATUSES, "duplicate", *REFUSED_STATUSES),
            "action": one_of("purger", "garder", "corriger"),
            "recu": UUID,
            "index": PLACE,
            "id": IDENTIFIER,
            "numero_enregistrement": TEXT,
            "code": one_of(*SALE_CODES),
            "erreur": TEXT,
        },
        optional=("id", "numero_enregistrement", "code", "erreur"),
    ),
    "SortEnAttente": thing(
        {
            "numero_facture": TEXT,
            "status": one_of("pending"),
            "action": one_of("attendre"),
            "recu": UUID,
            "index": PLACE,
        }
    ),
    "SortInconnu": thing({"numero_facture": TEXT, "status": one_of("unknown"), "action": one_of("renvoyer")}),
    "Limites": thing({name: {"type": "integer", "minimum": 1} for name in LIMITS}),
}
