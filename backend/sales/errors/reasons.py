"""What a refusal says in brackets or after its colon, and why an outcome was replaced: each by its code.

The codes are kept with outcomes and never change; the sentence beside each may be written better at any time.
"""

from enum import Enum
from typing import Any

from django.utils.translation import gettext_noop as _

# A sentence of ours as it is kept: its code, and what goes into it.
Phrase = dict[str, Any]


class Reason(Enum):
    """Calling one gives it as it is kept: `Reason.TOO_MANY_LINES(count=200)`."""

    def __init__(self, code: str, template: str) -> None:
        self.code = code
        self.template = template

    def __call__(self, **parts: str | int | Phrase) -> Phrase:
        return {"code": self.code, **parts}

    MISSING = "manquant", _("manquant")
    MISSING_FEMININE = "manquante", _("manquante")
    RATE_MISSING = "taux_manquant", _("manquant : autre devise que celle de la vente")
    RATE_NOT_ONE = "taux_different_de_1", _("doit être 1 : c'est la devise de la vente")
    UNIT_MISSING = "unite_manquante", _("article ou unité manquants")
    NOT_A_NUMBER = "nombre_attendu", _("nombre attendu")
    NUMBER_TOO_LARGE = "nombre_trop_grand", _("nombre trop grand")
    TOO_MANY_DIGITS = "trop_de_chiffres", _("trop de chiffres")
    NOT_POSITIVE = "pas_positif", _("doit être positif")
    NOT_POSITIVE_FEMININE = "pas_positive", _("doit être positive")
    NEGATIVE = "negatif", _("ne peut pas être négatif")
    ABOVE_100 = "plus_de_100", _("supérieur à 100")
    ABOVE_SALE = "plus_que_la_vente", _("supérieure au montant de la vente")
    ABOVE_LINE = "plus_que_la_ligne", _("supérieure au montant de la ligne")
    NO_LINES = "sans_ligne", _("au moins une ligne")
    TOO_MANY = "trop", _("plus de %(count)s")
    TOO_MANY_LINES = "trop_de_lignes", _("plus de %(count)s lignes")
    TOO_MANY_PAYMENTS = "trop_de_paiements", _("plus de %(count)s paiements")
    TOO_MANY_CHARACTERS = "trop_de_caracteres", _("plus de %(count)s caractères")
    TOO_MANY_BYTES = "trop_d_octets", _("plus de %(count)s octets")
    SALE_TOO_LARGE = "vente_trop_grande", _("vente de plus de %(count)s octets")
    CHARACTER_FORBIDDEN = "caractere_interdit", _("caractère interdit")
    KEY_UNREADABLE = "cle_illisible", _("clé illisible")
    KEY_REPEATED = "cle_repetee", _("clé répétée")
    NOT_AN_OBJECT = "objet_attendu", _("un objet est attendu")
    UNEXPECTED = "valeur_inattendue", _("type ou valeur inattendus")
    JSON_UNREADABLE = "json_illisible", _("JSON illisible")
    NOT_UTF8 = "pas_en_utf8", _("le texte n'est pas en UTF-8")
    TOO_DEEP = "trop_profond", _("imbriqué à plus de %(count)s niveaux")
    UUID_UNREADABLE = "uuid_illisible", _("uuid illisible")
    DATE_UNREADABLE = "date_illisible", _("date illisible")
    INSTANT_EXPECTED = "instant_attendu", _("date et heure attendues")
    MODE_UNREADABLE = "mode_illisible", _("mode de paiement illisible")
    CURRENCY_UNREADABLE = "devise_illisible", _("code de trois lettres attendu")
    CURRENCY_OF_ORIGIN = "devise_de_l_origine", _("la vente d'origine est en %(currency)s")
    NOT_A_SALE = "pas_une_vente", _("ce document n'est pas une vente")
    LINE_UNKNOWN = "ligne_inconnue", _("elle n'a pas de ligne %(line)s")
    REGISTRATION_UNREADABLE = "enregistrement_illisible", _("numéro d'enregistrement illisible")
    SALE_UNKNOWN = "vente_inconnue", _("aucune vente de cette boutique ne porte ce numéro")
    NO_BASE_UNIT = "sans_unite_de_base", _("l'article n'a pas d'unité de base")
    UNIT_OF_ANOTHER = "unite_d_un_autre_article", _("l'unité et l'article ne vont pas ensemble")
    AMOUNT_OF_NOTHING = "montant_sans_vente", _("0 vente, mais un montant")
    DAY_WITHOUT_FIGURES = "journee_sans_chiffres", _("ventes, totaux ou caisse : au moins l'un des trois")
    DATE_EXPECTED = "date_attendue", _("une date est attendue : 2024-11-04")
    YEAR_IMPLAUSIBLE = "annee_invraisemblable", _("année de %(first)s à %(last)s attendue")
    GIVEN_TWICE = "donne_deux_fois", _("ce mode et cette devise sont déjà donnés")

    # Why an outcome was replaced, where nobody said more.
    ORIGIN_ARRIVED = "origine_arrivee", _("La vente d'origine est arrivée")
    TRIED_AGAIN = "nouvel_essai", _("Nouvel essai")
    TRIED_AFTER_FAILURE = "reprise_apres_erreur", _("Reprise après une erreur de notre côté")
    SHORT_STOCK_ACCEPTED = "stock_negatif_accepte", _("Acceptée avec un stock négatif")
    UNITS_CHOSEN = "article_choisi", _("Article choisi à la main")
    ACCEPTED_AS_OWN = "acceptee_comme_autre", _("Acceptée comme une autre vente")
    CORRECTED = "corrigee", _("Corrigée par une autre vente de même numéro (%(number)s)")
    TAKEN_UP_AGAIN = "reprise", _("Reprise")
    STAYS_ASIDE = "reste_de_cote", _("déjà mise de côté, elle le reste")
    REFUSED_ON_SCREEN = "refusee_a_l_ecran", _("Refusée à l'écran : %(detail)s")
