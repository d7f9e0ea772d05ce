"""The answer to the end of a till's day."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from backend.sales.days.day_report import NUMBERS_MAX, Day
from backend.sales.wire.structs import Identifier
from backend.sales.wire.vocabulary import Amount, Answer, Count, Currency, one_of

EQUAL, SUMS_EQUAL, DIFFERENT = "egal", "sommes_egales", "ecart"


class Difference(Answer, frozen=True):
    numero_facture: str
    montant_caisse: Amount
    montant_serveur: Amount


class TotalCompte(Answer, frozen=True):
    mode: str
    devise: Currency
    nombre: Count
    montant: Amount


class TiroirCompte(Answer, frozen=True):
    devise: Currency
    attendu: Amount
    compte: Amount
    ecart: Amount
    non_compte: (
        Annotated[bool, Meta(description="Vrai quand la caisse n'a pas dit ce qu'elle a compté dans cette devise")]
        | UnsetType
    ) = UNSET


def _listed(description: str) -> Meta:
    return Meta(max_length=NUMBERS_MAX, description=description)


class Comparaison(Answer, frozen=True):
    """A reconciliation as it is stored; the till's answer also has its id."""

    jour: Day
    resultat: Annotated[
        str,
        one_of(EQUAL, SUMS_EQUAL, DIFFERENT),
        Meta(
            description=f"`{EQUAL}` : la liste et tout ce qui a été comparé s'accordent ; `{SUMS_EQUAL}` : il "
            f"n'y avait pas de liste, les sommes s'accordent ; `{DIFFERENT}` sinon"
        ),
    ]
    manquantes: Annotated[list[str], _listed("Le serveur ne les a sous aucune forme : à envoyer")]
    en_trop: Annotated[list[str], _listed("Enregistrées pour ce jour et pas dans la liste")]
    differentes: Annotated[
        list[Difference],
        _listed("Le serveur compte un autre montant ; 0.00 quand la boutique a mis la vente de côté"),
    ]
    en_attente: Annotated[list[str], _listed("Reçues, pas encore enregistrées")]
    a_corriger: Annotated[list[str], _listed("Refusées, de la liste ou de ce jour : la boutique doit décider")]
    totaux: Annotated[
        list[TotalCompte],
        Meta(
            description="Ce que le serveur compte dans le tiroir : encaissé moins rendu, et le nombre de documents "
            "qui l'ont fait"
        ),
    ]
    caisse: Annotated[
        list[TiroirCompte],
        Meta(description="attendu = fond + espèces de la journée − sorties ; ecart = compte − attendu"),
    ]


class Rapprochement(Comparaison, frozen=True):
    rapprochement: Identifier
