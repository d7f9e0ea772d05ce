"""Answers about the calling till: its state, its enrolment, its token."""

from typing import Annotated

from msgspec import Meta

from backend.api.answers.limits import Limites
from backend.sales.receipts.answers import Boutique, Terminal, Trou
from backend.sales.wire.structs import Counter
from backend.sales.wire.vocabulary import Answer, Count, Instant, one_of
from backend.shops.models import AnswerMode

Mode = Annotated[str, one_of(*AnswerMode.values)]
Token = Annotated[
    str, Meta(min_length=43, description="Montré une seule fois : le serveur n'en garde qu'une empreinte")
]


class EnAttente(Answer, frozen=True):
    lots: Count
    ventes: Count


class Etat(Answer, frozen=True):
    heure: Instant
    ecart_horloge_s: Annotated[
        float | None,
        Meta(description="L'heure de la caisse moins celle du serveur, comme son dernier battement l'a montrée"),
    ]
    boutique: Boutique
    terminal: Terminal
    mode_reponse: Mode
    limites: Limites
    en_attente: EnAttente
    a_corriger: Count
    trous: list[Trou]
    pause: bool


class Inscription(Answer, frozen=True):
    jeton: Token
    terminal: Terminal
    boutique: Boutique
    sequence: Annotated[
        Counter | None, Meta(description="Le plus haut compteur connu de cette caisse ; continuer après lui")
    ]
    dernier_numero: Annotated[str | None, Meta(description="Le numéro du dernier document de cette caisse")]
    mode_reponse: Mode


class Jeton(Answer, frozen=True):
    jeton: Token
