"""The shopkeeper's words for stock, units and movements."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from backend.inventory.errors import InventoryRefused
from backend.inventory.models import ArticleUnit, MovementType, UnitLevel
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

# The lines of the sum that explains a stock, in order, each with its usual sign.
SUM_LINES = (
    (MovementType.ENTRY, _("Entrées"), "+"),
    (MovementType.EXIT, _("Sorties"), "−"),
    (MovementType.ADJUSTMENT, _("Ajustements"), "±"),
    (MovementType.SALE, _("Vendu"), "−"),
    (MovementType.RETURN, _("Rendu par des clients"), "+"),
    (MovementType.VOID, _("Ventes annulées"), "+"),
)


def unit_name(unit: ArticleUnit) -> str:
    """Return the unit's mark, or its level if it has no mark."""
    return unit.mark or level_words(unit)


def level_words(unit: ArticleUnit) -> str:
    return str(LEVELS.get(unit.level, unit.level))


def refusal_words(refusal: InventoryRefused) -> str:
    """Return the refusal as a whole sentence: many templates are written to follow a field's name."""
    sentence = str(refusal)
    sentence = sentence[:1].upper() + sentence[1:]
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
