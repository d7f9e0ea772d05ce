"""Sentences that are kept in French, with an outcome or a movement, as the reader's language says them.

The domain writes a sentence once, for tills and for people, and keeps it. Here stand the shapes of all of them: a
kept sentence that has such a shape is said in the language of the page, with what it names put in again. What a
person typed has no such shape, and stays as typed.
"""

import functools
import re

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

PART = re.compile(r"%\((\w+)\)s")
# Every other part is a name or a word of somebody.
NUMBERS = frozenset({"count", "line", "first", "last", "size"})

OUTCOMES = (
    _("Champ invalide : %(reason)s"),
    _("Champ invalide : %(path)s (%(reason)s)"),
    _("Type inconnu : %(kind)s"),
    _("Vente déjà existante"),
    _("Numéro déjà pris par une autre vente"),
    _("Devise non acceptée par cette boutique : %(currency)s"),
    _("Article %(name)s non trouvé dans cette boutique"),
    _("Unité non trouvée dans cette boutique"),
    _("Unité ambiguë : %(reason)s"),
    _("Stock insuffisant pour %(name)s (demandé %(asked)s, disponible %(available)s)"),
    _("Vente d'origine invalide : %(reason)s"),
    _("Vente d'origine ambiguë : plusieurs ventes portent ce numéro"),
    _("Vente d'origine pas encore reçue : %(number)s"),
    _("Vente déjà annulée"),
    _("Retour supérieur à ce qui reste de la vente : %(name)s (demandé %(asked)s, reste %(left)s)"),
    _("Paiement supérieur à ce qui est dû (payé %(asked)s, dû %(owed)s)"),
    _("Mise de côté par la boutique : %(detail)s"),
    _("Erreur de notre côté (%(reason)s) ; la vente est gardée et sera reprise"),
)

# What a refusal's own words say in brackets or after its colon.
REASONS = (
    _("l'enregistrement s'est interrompu plusieurs fois"),
    _("manquant"),
    _("manquante"),
    _("manquant : autre devise que celle de la vente"),
    _("article ou unité manquants"),
    _("nombre attendu"),
    _("nombre trop grand"),
    _("nombre trop long"),
    _("trop de chiffres"),
    _("doit être positif"),
    _("doit être positive"),
    _("ne peut pas être négatif"),
    _("ne peut pas être vide"),
    _("supérieur à 100"),
    _("supérieure au montant de la vente"),
    _("supérieure au montant de la ligne"),
    _("au moins une ligne"),
    _("plus de %(count)s"),
    _("plus de %(count)s lignes"),
    _("plus de %(count)s paiements"),
    _("plus de %(count)s caractères"),
    _("plus de %(count)s octets"),
    _("vente de plus de %(count)s octets"),
    _("caractère interdit"),
    _("clé illisible"),
    _("clé répétée"),
    _("un objet est attendu"),
    _("type ou valeur inattendus"),
    _("JSON illisible"),
    _("uuid illisible"),
    _("date illisible"),
    _("date et heure attendues"),
    _("mode de paiement illisible"),
    _("code de trois lettres attendu"),
    _("la vente d'origine est en %(currency)s"),
    _("ce document n'est pas une vente"),
    _("elle n'a pas de ligne %(line)s"),
    _("numéro d'enregistrement illisible"),
    _("aucune vente de cette boutique ne porte ce numéro"),
    _("l'article n'a pas d'unité de base"),
    _("l'unité et l'article ne vont pas ensemble"),
    _("0 vente, mais un montant"),
    _("ventes, totaux ou caisse : au moins l'un des trois"),
    _("une date est attendue : 2024-11-04"),
    _("année de %(first)s à %(last)s attendue"),
    _("ce mode et cette devise sont déjà donnés"),
)

# Why an outcome was decided anew where nobody said more, and what the posting writes beside a movement.
DECISIONS = (
    _("La vente d'origine est arrivée"),
    _("Nouvel essai"),
    _("Acceptée avec un stock négatif"),
    _("Article choisi à la main"),
    _("Acceptée comme une autre vente"),
    _("Corrigée par une autre vente de même numéro (%(number)s)"),
    _("Reprise"),
    _("déjà mise de côté, elle le reste"),
    _("Refusée à l'écran : %(detail)s"),
    _("Vente #%(number)s - Prix: %(price)s"),
    _("Retour client #%(number)s"),
    _("Annulation #%(number)s"),
    _("Ouverture de %(count)s %(larger)s : %(brought)s %(smaller)s"),
    _("Stock d'ouverture"),
    _("Stock d'ouverture (import)"),
)

BATCHES = (
    _("JSON invalide"),
    _("JSON invalide : %(reason)s"),
    _("le texte n'est pas en UTF-8"),
    _("imbriqué à plus de %(count)s niveaux"),
    _("Format invalide: un tableau de ventes est attendu"),
    _("Le lot est vide : au moins une vente est attendue"),
    _("Le lot est trop grand"),
    _("Cette clé d'idempotence a déjà servi pour un autre lot"),
    _("Trop de lots de cette caisse attendent déjà ; réessayez plus tard"),
)

STOCK = (
    _("Quantité invalide : %(reason)s"),
    _("un compte ne peut pas être négatif"),
    _("trois décimales au plus"),
    _("zéro ne change rien"),
    _("le stock serait trop grand"),
    _("un nombre entier, un ou plus"),
    _("Une entrée ajoute du stock : la quantité doit être positive"),
    _("Une sortie retire du stock : la quantité doit être négative"),
    _("Un mouvement « %(type)s » ne se saisit pas à la main"),
    _("Un ajustement doit dire pourquoi"),
    _("Un ajustement ne peut pas mettre %(name)s à %(after)s"),
    _("Il faut d'abord dire combien contient %(name)s"),
    _("%(name)s n'a pas d'unité plus petite"),
    _("Article non trouvé dans cette boutique"),
    _("cette unité n'est pas de cet article"),
    _("Le code %(code)s est déjà celui d'un autre article"),
    _("Cet article a déjà une unité %(level)s"),
    _("oui ou non attendu"),
    _("niveau attendu : %(levels)s"),
    _("une pièce ne contient rien de plus petit"),
    _("doit être plus grand que zéro, ou vide s'il est inconnu"),
    _("devise non acceptée par cette boutique (acceptées : %(currencies)s)"),
    _("%(count)s caractères au plus"),
    _("caractères imprimables seulement"),
    _("%(count)s décimales au plus"),
    _("Ce formulaire a déjà servi, avec d'autres valeurs. Vérifiez le stock avant de recommencer"),
)

SHEETS = (
    _("%(count)s erreur(s) dans le fichier : rien n'a été importé"),
    _("« %(text)s » est ambigu : écrivez %(whole)s, ou %(decimal)s"),
    _("« %(text)s » n'est pas un nombre"),
    _("oui ou non attendu, pas « %(text)s »"),
    _("identifiant illisible : laissez la cellule vide pour en créer un nouveau"),
    _("la ligne %(line)s est déjà celle de cette unité"),
    _("la ligne %(line)s dit autre chose du même article"),
    _("la ligne %(line)s est déjà l'unité de base de cet article"),
    _("le niveau d'une unité ne change pas : celle-ci est %(level)s"),
    _("a déjà bougé : faites un ajustement"),
    _("la ligne n'est pas lue plus loin"),
    _("une nouvelle unité a besoin d'un prix"),
    _("un nouvel article a besoin d'un nom"),
    _("il faut un code ou un identifiant d'article"),
    _("cette unité est d'un autre article"),
    _("article non trouvé dans cette boutique"),
    _("unité non trouvée dans cette boutique"),
    _("le code %(code)s est déjà celui d'un autre article"),
    _("dites laquelle des unités est celle de base (oui)"),
    _("dites oui à l'unité qui devient celle de base"),
    _("Aucune ligne d'en-tête reconnue ; colonnes attendues : %(columns)s"),
    _("La colonne %(column)s est là deux fois"),
    _("CSV mal formé à la ligne %(line)s : guillemets ou cellule trop longue"),
    _("cellule illisible : une date ou une erreur de calcul ; mettez la colonne au format texte"),
    _("Ancien format .xls, ou classeur protégé : enregistrez-le en .xlsx sans mot de passe"),
    _("Fichier trop grand : %(size)s Mio au plus"),
    _("Trop de lignes : %(count)s au plus"),
    _("Classeur trop grand une fois décompressé"),
    _("Ni un classeur .xlsx, ni du texte UTF-8 : enregistrez en « CSV UTF-8 »"),
    _("Le classeur n'a pas de feuille"),
    _("Classeur .xlsx illisible : ouvrez-le et enregistrez-le de nouveau"),
)

SHOPS = (
    _("Trop de codes d'inscription erronés ; réessayez plus tard"),
    _("Ce code d'inscription n'existe pas"),
    _("Ce code d'inscription n'est plus valable"),
    _("Ce terminal est désactivé"),
    _("Terminal non associé à une boutique"),
    _("Ce numéro de série appartient déjà à une autre caisse"),
    _("Un numéro de série a de 1 à 64 caractères imprimables, sans espace autour"),
    _("Ce numéro de série est réservé au bureau d'une boutique"),
    _("Un appareil tient déjà cette caisse : dire lequel est remplacé"),
    _("L'appareil %(serial)s tient déjà cette caisse : dire lequel est remplacé"),
    _("Cet appareil n'est pas de cette caisse"),
    _("Une caisse ne change pas de boutique : créer une nouvelle caisse et y mettre l'appareil"),
    _("Le bureau de la boutique n'est tenu par aucun appareil"),
    _("Une caisse de cette boutique porte déjà ce nom"),
    _("Ce nom d'utilisateur est déjà pris"),
    _("Personne n'a de compte sous ce nom"),
    _("Cette personne fait déjà partie de l'équipe"),
    _("Une boutique garde au moins un propriétaire"),
    _("Cette personne travaille aussi pour une autre boutique : elle seule peut changer son mot de passe"),
)

# What a refused call was answered, by its code: its sentence may hold names of the wire.
CALLS = {
    "header_manquant": _("La caisse ne dit pas son numéro de série."),
    "json_invalide": _("Le texte de l'envoi ne peut pas être lu."),
    "gzip_invalide": _("Le texte compressé ne peut pas être lu."),
    "tableau_attendu": _("L'envoi n'est pas une liste de ventes."),
    "lot_vide": _("L'envoi ne contient aucune vente."),
    "parametre_invalide": _("Un paramètre de l'appel ne peut pas être lu."),
    "terminal_sans_boutique": _("La caisse n'est d'aucune boutique."),
    "jeton_manquant": _("La caisse n'a pas montré de jeton."),
    "jeton_invalide": _("Le jeton n'est pas celui de cet appareil."),
    "terminal_desactive": _("La caisse ou l'appareil est désactivé."),
    "terminal_inconnu": _("Aucun appareil n'a ce numéro de série."),
    "recu_inconnu": _("Ce reçu n'existe pas pour cette caisse."),
    "code_inconnu": _("Ce code d'inscription n'existe pas."),
    "introuvable": _("Cette adresse n'existe pas."),
    "methode_non_permise": _("Cet appel n'est pas permis ici."),
    "format_non_disponible": _("La caisse demande une forme de réponse qui n'existe pas."),
    "serie_deja_prise": _("Ce numéro de série est déjà celui d'une autre caisse."),
    "code_expire": _("Ce code d'inscription n'est plus valable."),
    "lot_trop_grand": _("L'envoi est trop grand."),
    "type_non_supporte": _("L'envoi n'est pas du JSON."),
    "cle_reutilisee": _("La clé de cet envoi a déjà servi pour un autre."),
    "trop_de_lots_en_attente": _("Trop d'envois de cette caisse attendent déjà."),
    "trop_de_requetes": _("La caisse appelle trop souvent."),
    "indisponible": _("Le service était indisponible un instant."),
    "enregistrement_en_cours": _("L'envoi est reçu et en cours d'enregistrement."),
}

OFFICE = _("Bureau")

# What is kept beside what people typed; the other shapes are parts of these, or are told at once and not kept.
KEPT = (*OUTCOMES, *DECISIONS)
ALL = (*KEPT, *REASONS, *BATCHES, *STOCK, *SHEETS, *SHOPS)


def is_french() -> bool:
    return (get_language() or "fr").startswith("fr")


def told(text: str) -> str:
    """Return what is kept with an outcome or a movement in the language of the page; what a person typed as it is."""
    return _said(text, KEPT) or text


def find_words(text: str) -> str | None:
    """Return the sentence of a refusal in the language of the page; None if it has no shape that is known here."""
    return _said(text, ALL)


def said(text: str) -> str:
    """Return the sentence of a refusal in the language of the page; as it is if it has no shape that is known."""
    return find_words(text) or text


def _said(text: str, shapes: tuple[str, ...]) -> str | None:
    if is_french():
        return text
    for shape, pattern in _patterns(shapes):
        found = pattern.fullmatch(text)
        if found:
            parts = {name: _part(name, part) for name, part in found.groupdict().items()}
            return gettext(shape) % parts if parts else gettext(shape)
    return None


def _part(name: str, part: str) -> str:
    """Return a part as it goes into the sentence: a reason is one of ours, a detail may be a person's."""
    if name == "reason":
        return find_words(part) or part
    return told(part) if name == "detail" else part


@functools.cache
def _patterns(shapes: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """Return each shape with what matches it: those that say most first, so that `Champ invalide : …` comes last."""
    in_order = sorted(shapes, key=lambda shape: len(PART.sub("", shape)), reverse=True)
    return [(shape, re.compile(_expression(shape), re.DOTALL)) for shape in in_order]


def _expression(shape: str) -> str:
    expression, at = "", 0
    for part in PART.finditer(shape):
        anything = "[0-9]+" if part[1] in NUMBERS else ".*?"
        expression += re.escape(shape[at : part.start()]) + f"(?P<{part[1]}>{anything})"
        at = part.end()
    return expression + re.escape(shape[at:])


def answer_words(detail: str, code: str) -> str:
    """Return what a refused call was answered: the exact sentence in French, else one by its code."""
    return detail if is_french() or code not in CALLS else gettext(CALLS[code])


def till_name(name: str) -> str:
    """Return a till's name: as the shop gave it, but for the office, which nobody named."""
    return gettext(OFFICE) if name == OFFICE else name
