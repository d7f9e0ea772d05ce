"""Answers about what a till sent: a batch's acknowledgement, its receipt, a number's status, the change feed."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from backend.sales.errors import ACTIONS, SALE_CODES, AlreadyThere
from backend.sales.models import RECORDED, OutcomeStatus
from backend.sales.money.movements import CREDIT_ASSUMED, MODE_ASSUMED, PAYMENTS_DIFFER
from backend.sales.wire.structs import Identifier
from backend.sales.wire.vocabulary import (
    Amount,
    Answer,
    AtLeastOne,
    Count,
    Currency,
    Cursor,
    Instant,
    OneOf,
    Place,
    Quantity,
    Url,
    one_of,
)

REFUSED = (
    OutcomeStatus.CONFLICT,
    OutcomeStatus.REJECTED,
    OutcomeStatus.DEFERRED,
    OutcomeStatus.FAILED,
    OutcomeStatus.SET_ASIDE,
)
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
    PAYMENTS_DIFFER,
    CREDIT_ASSUMED,
    MODE_ASSUMED,
)
NO_NUMBER = "N/A"

Number = Annotated[str, Meta(description=f"{NO_NUMBER} quand la vente n'en a pas")]
State = Annotated[str, one_of("en_attente", "en_cours", "traite")]
SETTLED = one_of(*RECORDED, OutcomeStatus.DUPLICATE, *REFUSED)
Action = Annotated[str, one_of(*ACTIONS)]
Code = Annotated[str, one_of(*SALE_CODES)]


class Boutique(Answer, frozen=True):
    id: Identifier
    nom: str
    code: str


class Terminal(Answer, frozen=True):
    id: Identifier
    nom: str
    numero_serie: str


class Trou(Answer, frozen=True):
    de: Count
    a: Count


class AccuseDeReception(Answer, frozen=True):
    recu: UUID
    statut: State
    ventes_recues: AtLeastOne
    url: Url
    message: str
    boutique: Boutique
    terminal: Terminal


class LigneEnregistree(Answer, frozen=True):
    ligne: Place
    article_id: Identifier
    unite_uuid: UUID
    quantite: Quantity
    prix_unitaire: Amount
    remise: Amount
    montant: Amount
    stock_apres: Quantity | None


class Argent(Answer, frozen=True):
    mode: str
    devise: Currency
    montant: Amount


class VenteEnregistree(Answer, frozen=True):
    index: Place
    numero_facture: Number
    variante: AtLeastOne
    status: Annotated[str, one_of(*RECORDED)]
    action: Annotated[str, one_of("purger")]
    id: Identifier
    numero_enregistrement: str
    boutique_id: Identifier
    boutique_nom: str
    montant_total: Amount
    devise: Currency
    lignes_count: Count
    avertissements: list[Annotated[str, one_of(*WARNINGS)]]
    lignes: list[LigneEnregistree]
    argent: Annotated[
        list[Argent],
        Meta(description="Ce qui est entré dans le tiroir ou, en négatif, en est sorti ; par mode et devise"),
    ]


class Erreur(OneOf, frozen=True):
    index: Place
    numero_facture: Number


class Doublon(Erreur, frozen=True):
    status: Annotated[str, one_of(OutcomeStatus.DUPLICATE)]
    action: Annotated[str, one_of("purger")]
    code: Annotated[str, one_of(AlreadyThere.code)]
    erreur: str
    id: Annotated[Identifier, Meta(description="Celui de la première vente")]
    numero_enregistrement: str


class VenteRefusee(Erreur, frozen=True, kw_only=True):
    status: Annotated[str, one_of(*REFUSED)]
    action: Action
    code: Annotated[str, one_of(*(code for code in SALE_CODES if code != AlreadyThere.code))]
    chemin: (
        Annotated[str, Meta(description="Où dans la vente, compté à partir de 0 : lignes[0].quantite")] | UnsetType
    ) = UNSET
    erreur: str


class VenteEnAttente(Answer, frozen=True):
    index: Place
    numero_facture: Number
    status: Annotated[str, one_of("pending")]
    action: Annotated[str, one_of("attendre")]


class DetailsDuRecu(Answer, frozen=True):
    creees: list[VenteEnregistree]
    erreurs: list[Erreur]
    en_attente: list[VenteEnAttente]


class Statistiques(Answer, frozen=True):
    total_envoyees: Count
    reussies: Count
    erreurs: Count
    doublons: Count


class Recu(OneOf, frozen=True):
    recu: UUID
    statut: State
    version: Count
    recu_le: Instant
    message: str
    ventes_creees: Count
    ventes_erreurs: Count
    details: DetailsDuRecu
    trous: list[Trou]
    boutique: Boutique
    terminal: Terminal
    statistiques: Statistiques


class RecuEnCours(Recu, frozen=True):
    statut: Annotated[str, one_of("en_attente", "en_cours")]


class RecuTraite(Recu, frozen=True):
    statut: Annotated[str, one_of("traite")]
    traite_le: Instant
    success: bool


class RecuResume(Answer, frozen=True):
    recu: UUID
    statut: State
    version: Count
    recu_le: Instant
    ventes_recues: AtLeastOne
    ventes_creees: Count
    ventes_erreurs: Count
    url: Url


class ListeDeRecus(Answer, frozen=True):
    recus: list[RecuResume]
    suivant: Url | None


class Sort(OneOf, frozen=True):
    numero_facture: str


class SortConnu(Sort, frozen=True):
    status: Annotated[str, SETTLED]
    action: Action
    recu: UUID
    index: Place
    id: Identifier | UnsetType = UNSET
    numero_enregistrement: str | UnsetType = UNSET
    code: Code | UnsetType = UNSET
    erreur: str | UnsetType = UNSET


class SortEnAttente(Sort, frozen=True):
    status: Annotated[str, one_of("pending")]
    action: Annotated[str, one_of("attendre")]
    recu: UUID
    index: Place


class SortInconnu(Sort, frozen=True):
    status: Annotated[str, one_of("unknown")]
    action: Annotated[str, one_of("renvoyer")]


class Sorts(Answer, frozen=True):
    ventes: list[Sort]


class SortChange(Answer, frozen=True):
    recu: UUID
    index: Place
    numero_facture: Number
    status: Annotated[str, SETTLED]
    action: Action
    id: (
        Annotated[Identifier, Meta(description="Du document ; d'un doublon ou d'un conflit, la vente qui a le numéro")]
        | UnsetType
    ) = UNSET
    code: Code | UnsetType = UNSET
    erreur: str | UnsetType = UNSET


class Changements(Answer, frozen=True):
    ventes: list[SortChange]
    curseur: Cursor
    fin: bool
