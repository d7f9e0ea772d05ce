"""Stock, units and movements in the words of a shopkeeper."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from backend.inventory.errors import InventoryRefused
from backend.inventory.models import ArticleUnit, MovementType, UnitLevel
from backend.web.sentences import find_words
from backend.web.wording.sales import GOOD, QUIET, WAITING, WARNING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LEVELS: dict[str, "StrOrPromise"] = {
    UnitLevel.CARTON: _("Carton"),
    UnitLevel.MILLIER: _("Millier"),
    UnitLevel.PIECE: _("Pièce"),
}

MOVEMENTS: dict[str, tuple["StrOrPromise", str]] = {
    MovementType.ENTRY: (_("Entrée"), GOOD),
    MovementType.EXIT: (_("Sortie"), WARNING),
    MovementType.ADJUSTMENT: (_("Ajustement"), WAITING),
    MovementType.SALE: (_("Vente"), QUIET),
    MovementType.RETURN: (_("Retour client"), GOOD),
    MovementType.VOID: (_("Annulation"), GOOD),
}

# In the order of the sum that explains a stock, each with the sign it mostly has.
SUM_LINES = (
    (MovementType.ENTRY, _("Entrées"), "+"),
    (MovementType.EXIT, _("Sorties"), "−"),
    (MovementType.ADJUSTMENT, _("Ajustements"), "±"),
    (MovementType.SALE, _("Vendu"), "−"),
    (MovementType.RETURN, _("Rendu par des clients"), "+"),
    (MovementType.VOID, _("Ventes annulées"), "+"),
)

# The domain's own sentence says more; these are for one that no shape in sentences.py knows.
REFUSALS = {
    "quantite_invalide": _("Cette quantité n'est pas possible."),
    "type_non_manuel": _("Ce mouvement ne se saisit pas à la main."),
    "sens_invalide": _("La quantité doit être plus grande que zéro."),
    "motif_requis": _("Dites pourquoi."),
    "stock_insuffisant": _("Il n'y a pas assez de stock."),
    "compte_negatif": _("Un ajustement ne peut pas mettre le stock au-dessous de zéro."),
    "contenance_inconnue": _("Dites d'abord combien cette unité contient."),
    "pas_d_unite_plus_petite": _("Cet article n'a pas d'unité plus petite."),
    "introuvable": _("Cet article ou cette unité n'est pas dans cette boutique."),
    "champ_invalide": _("Cette valeur n'est pas possible."),
    "code_deja_pris": _("Ce code est déjà celui d'un autre article."),
    "niveau_deja_pris": _("Cet article a déjà une unité de ce niveau."),
    "fichier_illisible": _("Ce fichier n'est pas un tableur que nous savons lire."),
    "fichier_trop_grand": _("Ce fichier est trop grand."),
    "entete_manquant": _("La première ligne du fichier ne porte pas les noms des colonnes."),
    "import_refuse": _("Le fichier a des erreurs : rien n'a été importé."),
    "formulaire_deja_utilise": _("Ce formulaire a déjà servi. Vérifiez le stock avant de recommencer."),
}


def unit_name(unit: ArticleUnit) -> str:
    """Return the unit's mark, or its level where it has none."""
    return unit.mark or level_words(unit)


def level_words(unit: ArticleUnit) -> str:
    return str(LEVELS.get(unit.level, unit.level))


def refusal_words(refusal: InventoryRefused) -> str:
    """Return why, as a sentence: the exact one where the language of the page has it, else one by the code."""
    exact = find_words(refusal.detail)
    if exact is None:
        return str(REFUSALS.get(refusal.code, refusal.detail))
    sentence = exact[:1].upper() + exact[1:]
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
