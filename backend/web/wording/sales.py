"""The shopkeeper's words for the codes of sales, on the wire and in the tables."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backend.sales.models import MoneyKind, OutcomeStatus, SaleKind
from backend.sales.repair.desk import Fix
from backend.shops.models import Role

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

GOOD, WAITING, WARNING, BAD, QUIET = "good", "waiting", "warning", "bad", "quiet"

KINDS: dict[str, "StrOrPromise"] = {
    SaleKind.SALE: _("Vente"),
    SaleKind.VOID: _("Annulation"),
    SaleKind.RETURN: _("Retour"),
    SaleKind.PAYMENT: _("Paiement"),
}

# Each status with its words and tone: the colour and sign of its badge, which only support the words.
STATUSES: dict[str, tuple["StrOrPromise", str]] = {
    OutcomeStatus.CREATED: (_("Enregistrée"), GOOD),
    OutcomeStatus.VOIDED: (_("Annulation faite"), GOOD),
    OutcomeStatus.RETURNED: (_("Retour fait"), GOOD),
    OutcomeStatus.PAID: (_("Paiement enregistré"), GOOD),
    OutcomeStatus.DUPLICATE: (_("Déjà enregistrée"), QUIET),
    OutcomeStatus.CONFLICT: (_("Numéro déjà pris"), BAD),
    OutcomeStatus.REJECTED: (_("Refusée"), BAD),
    OutcomeStatus.DEFERRED: (_("Attend sa vente d'origine"), WAITING),
    OutcomeStatus.FAILED: (_("Échec de notre côté"), BAD),
    OutcomeStatus.SET_ASIDE: (_("Mise de côté"), QUIET),
}

# What a person can do about each code of a sale. The outcome's own sentence says what is wrong.
ADVICE = {
    "deja_existante": _("Rien à faire : la caisse l'a envoyée deux fois, elle n'est comptée qu'une fois."),
    "numero_deja_pris": _("La caisse a donné deux fois le même numéro. Comparez les deux ventes."),
    "champ_invalide": _("La caisse doit corriger cette vente et l'envoyer de nouveau."),
    "type_inconnu": _("La caisse doit être mise à jour."),
    "article_inconnu": _("Vérifiez que l'article existe dans cette boutique."),
    "unite_inconnue": _("Vérifiez les unités de l'article dans cette boutique."),
    "unite_ambigue": _("Dites quelle est l'unité de base de l'article."),
    "stock_insuffisant": _("Vérifiez le stock : une entrée de marchandise manque peut-être."),
    "devise_inconnue": _("Vérifiez les devises que la boutique accepte."),
    "origine_invalide": _("Le document désigne une vente qui ne convient pas."),
    "origine_ambigue": _("Plusieurs ventes portent le numéro désigné."),
    "deja_annulee": _("La vente désignée est déjà annulée."),
    "retour_excessif": _("Comparez le retour et ce qui a été vendu."),
    "paiement_excessif": _("Comparez le paiement et ce qui reste dû."),
    "origine_inconnue": _("Sera repris dès que la vente d'origine arrive."),
    "ecartee": _("Elle ne compte dans aucun chiffre. Vous pouvez la reprendre."),
    "echec_interne": _("La vente est gardée ; l'équipe technique la reprendra."),
    "echec_processus": _("La vente est gardée ; l'équipe technique la reprendra."),
}

# The fixes of a refused sale: the words on the button, and an explanation.
FIXES: dict[str, tuple["StrOrPromise", "StrOrPromise"]] = {
    Fix.TRY_AGAIN: (
        _("Essayer encore"),
        _("Après avoir corrigé le stock, l'article ou la boutique : la vente est jugée de nouveau."),
    ),
    Fix.ACCEPT_SHORT_STOCK: (
        _("Accepter, stock négatif"),
        _("La marchandise est partie : la vente compte, et le stock passe sous zéro jusqu'à la prochaine entrée."),
    ),
    Fix.CHOOSE_UNITS: (
        _("Dire quel article c'est"),
        _("Écrivez le code d'un article de la boutique pour chaque ligne inconnue."),
    ),
    Fix.ACCEPT_AS_OWN_SALE: (
        _("C'est une autre vente"),
        _("Les deux ventes comptent. Celle-ci prend le même numéro, suivi de ~2."),
    ),
    Fix.REPLACE_FIRST: (_("C'est une correction"), _("La première vente est annulée, celle-ci la remplace.")),
    Fix.SET_ASIDE: (
        _("Mettre de côté"),
        _("La vente ne compte pas. Elle reste gardée, avec votre raison, et peut être reprise."),
    ),
    Fix.TAKE_UP_AGAIN: (_("Reprendre"), _("La vente n'est plus mise de côté : elle est jugée de nouveau.")),
}

ROLES: list[tuple[str, "StrOrPromise"]] = [
    (Role.OWNER, _("Propriétaire")),
    (Role.MANAGER, _("Gérant")),
    (Role.VIEWER, _("Lecture seule")),
]

WARNINGS = {
    "montant_total_different": _("Le total envoyé par la caisse n'est pas la somme des lignes : les lignes comptent."),
    "stock_negatif": _("Le stock est passé sous zéro."),
    "horloge": _("L'heure de la caisse est trop loin de la nôtre : la vente est comptée au jour de sa réception."),
    "heure_sans_fuseau": _("La caisse n'a pas dit son fuseau horaire : l'heure a été lue comme celle de la boutique."),
    "sans_heure": _("La caisse n'a pas dit l'heure de la vente."),
    "arrondi": _("Un nombre avait trop de décimales et a été arrondi."),
    "article_inactif": _("Un article vendu n'est plus actif dans la boutique."),
    "numero_reutilise": _("Un autre appareil de la même caisse avait déjà donné ce numéro."),
    "mois_clos": _("Le mois de la vente était clos : elle est comptée au jour de sa réception."),
    "paiements_differents": _("L'argent reçu ou rendu n'est pas le montant du document : les deux sont montrés."),
    "credit_suppose": _("La caisse a dit « à crédit » sans dire si c'était payé : la vente est comptée comme due."),
    "mode_suppose": _("La caisse n'a pas dit comment l'argent a été rendu : voyez si c'est bien dans ce mode."),
}

MONEY_KINDS: dict[str, "StrOrPromise"] = {
    MoneyKind.RECEIPT: _("Encaissement"),
    MoneyKind.CHANGE: _("Monnaie rendue"),
    MoneyKind.REFUND: _("Rendu"),
    MoneyKind.PAYMENT: _("Paiement d'un crédit"),
}
# Money that a correction of the repair desk undid: nobody gave it back.
CORRECTION = _("Correction")

PAYMENT_MODES: dict[str, "StrOrPromise"] = {
    "CASH": _("Espèces"),
    "MOBILE_MONEY": _("Mobile money"),
    "CARD": _("Carte"),
    "CARTE": _("Carte"),
    "BANK": _("Banque"),
    "VIREMENT": _("Virement"),
    "CHEQUE": _("Chèque"),
    "CREDIT": _("Crédit"),
}

# The steps from a drawer's opening to what should be in it, in order: by the movement's kind, and of refunds by the
# document's.
DRAWER_STEPS: dict[str, "StrOrPromise"] = {
    MoneyKind.RECEIPT: _("Ventes"),
    MoneyKind.PAYMENT: _("Paiements de crédits"),
    MoneyKind.CHANGE: _("Monnaie rendue"),
    f"{MoneyKind.REFUND}_{SaleKind.RETURN}": _("Rendu pour des retours"),
    f"{MoneyKind.REFUND}_{SaleKind.VOID}": _("Rendu pour des annulations"),
    "correction": _("Corrections"),
}


def payment_mode(code: str) -> str:
    """Return the mode in words; an unknown one of a till becomes `Bon d'achat` for `BON_D'ACHAT`."""
    return str(PAYMENT_MODES.get(code.upper()) or code.replace("_", " ").capitalize())


def money_kind(kind: str, *, is_correction: bool = False) -> str:
    return str(CORRECTION if is_correction else MONEY_KINDS.get(kind, kind))


def moved_in(kind: str, mode: str, *, is_correction: bool = False) -> str:
    """Return what a document's money is called on its own page: `Espèces`, `Monnaie rendue : Espèces`."""
    if kind in (MoneyKind.RECEIPT, MoneyKind.PAYMENT):
        return payment_mode(mode)
    words = {"kind": money_kind(kind, is_correction=is_correction), "mode": payment_mode(mode)}
    return gettext("%(kind)s : %(mode)s") % words


def role_words(role: str) -> str:
    return str(dict(ROLES).get(role, role))


def warning(code: str) -> str:
    return str(WARNINGS.get(code, code))
