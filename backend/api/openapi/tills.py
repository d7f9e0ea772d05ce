"""OpenAPI descriptions of the calls about the till itself: enrolment, token, heartbeat, end of day."""

from typing import Annotated

from backend.api.answers.tills import Etat, Inscription, Jeton
from backend.api.openapi.operations import (
    BY_TOKEN,
    CONTENT_ENCODING,
    OF_ANYBODY,
    OF_EVERY_BODY,
    Answered,
    AnsweredHeader,
    Operation,
)
from backend.sales.days.answers import Rapprochement
from backend.sales.days.day_report import WireDay
from backend.sales.tills.heartbeat import WireHeartbeat
from backend.sales.wire.vocabulary import one_of

STATE = {200: Answered("L'état de la caisse", Etat)}
NOT_STORED = AnsweredHeader("Cache-Control", Annotated[str, one_of("no-store")], "La réponse porte un secret", (201,))

describe_state = Operation(
    name="lire_l_etat",
    tag="caisse",
    summary="L'heure du serveur, la boutique, les limites et ce qui reste ouvert",
    answers=STATE,
)

describe_heartbeat = Operation(
    name="dire_son_etat",
    tag="caisse",
    summary="Le battement d'une caisse : son heure, ce qu'elle garde encore, son compteur",
    description=(
        "Chaque membre est facultatif, et ce qui n'est pas dit n'est jamais pris pour rien : sans `a_envoyer`, la "
        "boutique lit que la caisse ne dit pas ce qu'elle garde. Une heure impossible n'est pas refusée : "
        "`ecart_horloge_s` la dit. La réponse est celle du GET."
    ),
    parameters=(CONTENT_ENCODING,),
    body=WireHeartbeat,
    answers=STATE,
    problems=(*OF_EVERY_BODY, "parametre_invalide"),
)

describe_reconciliation = Operation(
    name="rapprocher_une_journee",
    tag="caisse",
    summary="La fin de journée : ce que la caisse a vendu, comparé à ce qui est enregistré",
    description=(
        "Par liste (numéros et montants), par sommes (mode et devise) et avec le tiroir ; l'un des trois suffit. Le "
        "jour est celui de la caisse ; un numéro enregistré sous un autre jour n'est pas manquant. Chaque appel est "
        "gardé pour la boutique."
    ),
    parameters=(CONTENT_ENCODING,),
    body=WireDay,
    body_description=("Au moins l'un des trois : ventes, totaux, caisse. Une liste vide dit qu'il n'y a rien eu"),
    answers={200: Answered("La comparaison", Rapprochement)},
    problems=(*OF_EVERY_BODY, "parametre_invalide"),
)


def describe_enrolment(*, body: type) -> Operation:
    return Operation(
        name="inscrire_un_appareil",
        tag="caisse",
        summary="Inscrire un appareil avec un code à usage unique",
        description=(
            "L'appareil devient celui de la caisse du code, et prend la place de celui que le code nomme. Si la "
            "réponse se perd, le même code et le même numéro de série rendent un nouveau jeton tant que le code vit ; "
            "un jeton jamais utilisé cesse alors de valoir. Un refus n'use pas le code."
        ),
        parameters=(CONTENT_ENCODING,),
        headers=(NOT_STORED,),
        body=body,
        answers={201: Answered("L'appareil est celui de la caisse", Inscription)},
        problems=(
            *OF_EVERY_BODY,
            "parametre_invalide",
            "terminal_sans_boutique",
            "terminal_desactive",
            "code_inconnu",
            "serie_deja_prise",
            "code_expire",
        ),
        always=OF_ANYBODY,
        security=(),
    )


describe_token = Operation(
    name="renouveler_le_jeton",
    tag="caisse",
    summary="Demander un nouveau jeton",
    description=(
        "Avec son jeton seulement : le numéro de série seul n'en donne pas. L'ancien vaut jusqu'à la première "
        "utilisation du nouveau ; de plusieurs demandés avant, seul le dernier vaut."
    ),
    headers=(NOT_STORED,),
    answers={201: Answered("Le nouveau jeton", Jeton)},
    security=BY_TOKEN,
)
