"""Why stock work or a change of the catalogue is refused: one class each, with its code and its French sentence.

A refusal changes nothing. The sentence is for the person who asked, and may be shown as it is.
"""

from typing import ClassVar


class InventoryRefused(Exception):
    """`field` names the argument that is at fault, "" if it is none of them."""

    code: ClassVar[str]

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class StockRefused(InventoryRefused):
    """Stock stays as it was."""


class QuantityInvalid(StockRefused):
    code = "quantite_invalide"

    def __init__(self, reason: str, *, field: str = "quantity") -> None:
        super().__init__(f"Quantité invalide : {reason}", field=field)


class MovementTypeRefused(StockRefused):
    """Sales, returns and voids move stock through the posting, never by hand."""

    code = "type_non_manuel"

    def __init__(self, movement_type: str) -> None:
        super().__init__(f"Un mouvement « {movement_type} » ne se saisit pas à la main", field="movement_type")


class WrongSign(StockRefused):
    code = "sens_invalide"


class ReasonMissing(StockRefused):
    code = "motif_requis"

    def __init__(self, *, field: str) -> None:
        super().__init__("Un ajustement doit dire pourquoi", field=field)


class StockShort(StockRefused):
    code = "stock_insuffisant"

    def __init__(self, name: str, *, asked: str, available: str, field: str = "quantity") -> None:
        super().__init__(f"Stock insuffisant pour {name} (demandé {asked}, disponible {available})", field=field)


class CountNegative(StockRefused):
    """An adjustment says what was counted, and nobody counts less than nothing."""

    code = "compte_negatif"

    def __init__(self, name: str, *, after: str) -> None:
        super().__init__(f"Un ajustement ne peut pas mettre {name} à {after}", field="quantity")


class ContentUnknown(StockRefused):
    code = "contenance_inconnue"

    def __init__(self, name: str) -> None:
        super().__init__(f"Il faut d'abord dire combien contient {name}", field="unit")


class NothingSmaller(StockRefused):
    code = "pas_d_unite_plus_petite"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} n'a pas d'unité plus petite", field="unit")


class CatalogueRefused(InventoryRefused):
    """Articles and units stay as they were."""


class NotFound(CatalogueRefused):
    """No such article or unit in this shop; another shop's is as unknown as one that does not exist."""

    code = "introuvable"


class FieldInvalid(CatalogueRefused):
    code = "champ_invalide"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field)


class CodeTaken(CatalogueRefused):
    code = "code_deja_pris"

    def __init__(self, article_code: str) -> None:
        super().__init__(f"Le code {article_code} est déjà celui d'un autre article", field="code")


class LevelTaken(CatalogueRefused):
    code = "niveau_deja_pris"

    def __init__(self, level: str) -> None:
        super().__init__(f"Cet article a déjà une unité {level}", field="level")


class SheetUnreadable(CatalogueRefused):
    """A file that is no spreadsheet of a kind we read."""

    code = "fichier_illisible"


class SheetTooLarge(CatalogueRefused):
    code = "fichier_trop_grand"


class HeaderMissing(CatalogueRefused):
    code = "entete_manquant"


def shown(text: str) -> str:
    """Return the beginning of what somebody sent, fit for a sentence."""
    visible = "".join(letter if letter.isprintable() else "�" for letter in text)
    return visible if len(visible) <= 40 else f"{visible[:39]}…"
