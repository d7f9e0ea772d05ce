"""OpenAPI descriptions of the calls about sales: batches, receipts, status lookup, changes."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from backend.api.openapi.operations import (
    CONTENT_ENCODING,
    OF_EVERY_BODY,
    PREFER,
    Answered,
    AnsweredHeader,
    EntityTag,
    Flag,
    Operation,
    Parameter,
    RetryAfter,
    query,
    sent_header,
)
from backend.sales.receipts.answers import AccuseDeReception, Changements, ListeDeRecus, Recu, RecuTraite, Sorts
from backend.sales.receipts.change_feed import CHANGES_PAGE_MAX
from backend.sales.wire.structs import NUMBER_EXAMPLE, NUMBER_LENGTH_MAX, Identifier
from backend.sales.wire.vocabulary import Cursor, Url, one_of

SoughtNumber = Annotated[str, Meta(examples=[NUMBER_EXAMPLE], extra_json_schema={"maxLength": NUMBER_LENGTH_MAX})]

describe_sync = Operation(
    name="remettre_un_lot",
    tag="ventes",
    summary="Remettre un lot de ventes",
    description=(
        "Le lot est gardé octet pour octet avant la réponse. Une vente illisible n'empêche pas les autres : elle seule "
        "est refusée, dans le reçu. Un appareil en mode `complete` n'obtient de 2xx (201) qu'une fois chaque vente "
        "traitée ; sinon 503 `enregistrement_en_cours`, et il renvoie les mêmes octets."
    ),
    parameters=(
        CONTENT_ENCODING,
        PREFER,
        sent_header(
            "Idempotency-Key",
            Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!-~]([ -~]*[!-~])?$")],
            "La même clé avec les mêmes octets rend le même reçu ; avec d'autres, 422",
        ),
    ),
    headers=(
        AnsweredHeader("Location", Url, "L'adresse du reçu", (201, 202)),
        AnsweredHeader("ETag", EntityTag, "La version du reçu", (201,)),
        AnsweredHeader("Retry-After", RetryAfter, "Secondes avant de demander le reçu", (202,)),
        AnsweredHeader(
            "Idempotency-Replayed",
            Annotated[str, one_of("true")],
            "Présent quand la clé avait déjà servi pour ces octets",
            (201, 202),
            is_required=False,
        ),
    ),
    body="Lot",
    answers={
        201: Answered("Chaque vente a son sort (mode complete, ou Prefer: wait à temps)", RecuTraite),
        202: Answered("Le lot est gardé ; rien n'est encore dit de ses ventes", AccuseDeReception),
    },
    problems=(
        *OF_EVERY_BODY,
        "tableau_attendu",
        "lot_vide",
        "parametre_invalide",
        "cle_reutilisee",
        "trop_de_lots_en_attente",
        "enregistrement_en_cours",
    ),
)

describe_receipt = Operation(
    name="lire_un_recu",
    tag="ventes",
    summary="Lire un reçu : le sort de chaque vente d'un lot",
    parameters=(
        PREFER,
        Parameter("path", "recu", UUID, "Celui de l'accusé de réception", is_required=True),
        query(
            "depuis", Annotated[int, Meta(ge=0, le=2**63 - 1)], "Seulement ce qui a changé après cette version du reçu"
        ),
        query("lignes", Flag, "0 : sans les lignes des ventes"),
        sent_header("If-None-Match", str, "L'ETag d'une lecture précédente"),
    ),
    headers=(
        AnsweredHeader("ETag", EntityTag, "La version du reçu", (200, 304)),
        AnsweredHeader("Cache-Control", str, "private, no-cache", (200, 304)),
        AnsweredHeader(
            "Retry-After",
            RetryAfter,
            "Secondes avant de redemander, tant que tout n'est pas traité",
            (200, 304),
            is_required=False,
        ),
    ),
    answers={
        200: Answered("Le reçu, en cours ou traité", Recu),
        304: Answered("Rien n'a changé depuis cet ETag"),
    },
    problems=("parametre_invalide", "recu_inconnu"),
)

describe_receipts = Operation(
    name="lister_les_recus",
    tag="ventes",
    summary="Lister ses reçus, du plus récent au plus ancien",
    parameters=(
        query("ouverts", Flag, "1 : seulement ceux qui ne sont pas encore traités"),
        query("curseur", Identifier, "La page suivante : donné par `suivant`"),
    ),
    answers={200: Answered("Une page de reçus", ListeDeRecus)},
    problems=("parametre_invalide",),
)

FOUND = {200: Answered("Une entrée par contenu connu sous un numéro", Sorts)}
STATUS_DESCRIPTION = "La caisse n'efface une vente que si toutes les entrées de son numéro disent `purger`."


def describe_status_lookup_by_query(*, at_most: int) -> Operation:
    numbers = Annotated[list[SoughtNumber], Meta(min_length=1, max_length=at_most)]
    return Operation(
        name="lire_le_sort",
        tag="ventes",
        summary=f"Demander le sort de ventes par leurs numéros, {at_most} au plus",
        description=STATUS_DESCRIPTION,
        parameters=(query("numero_facture", numbers, "Une fois par numéro", is_required=True),),
        answers=FOUND | {414: Answered("L'adresse dépasse ce que le serveur lit d'une ligne : demander par POST")},
        problems=("parametre_invalide",),
    )


def describe_status_lookup(*, at_most: int, body: type) -> Operation:
    return Operation(
        name="demander_le_sort",
        tag="ventes",
        summary=f"Demander le sort de ventes par leurs numéros, {at_most} au plus",
        description=STATUS_DESCRIPTION,
        parameters=(CONTENT_ENCODING,),
        body=body,
        answers=FOUND,
        problems=(*OF_EVERY_BODY, "parametre_invalide"),
    )


describe_changes = Operation(
    name="lire_les_changements",
    tag="ventes",
    summary="Le sort de chaque vente de la caisse qui a changé depuis un curseur",
    description=(
        f"{CHANGES_PAGE_MAX} entrées par page, de la plus ancienne à la plus récente. Sans `depuis`, à partir de la "
        "première vente de la caisse. Demander la suite avec `curseur` jusqu'à `fin` ; garder alors ce curseur et le "
        "rendre la fois suivante. Aucun changement ne manque jamais, ni ceux qu'une personne décide des jours après ; "
        "le même peut venir plusieurs fois : la dernière entrée d'un `recu` et d'un `index` est la bonne."
    ),
    parameters=(query("depuis", Cursor, "Le `curseur` de la réponse précédente"),),
    answers={200: Answered("Une page de sorts", Changements)},
    problems=("parametre_invalide",),
)
