"""Refusals of changes to stock and catalogue: one class each, with its code and sentence.

A refusal changes nothing. The sentence is for the person who asked, and made in the reader's language.
"""

from typing import ClassVar

from django.utils.translation import gettext_noop as _

from backend.sentences import Part, Sentence


class InventoryRefused(Exception):
    """Base of all. `field` names the wrong argument, "" if it is none of them."""

    code: ClassVar[str]

    def __init__(self, sentence: Sentence, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field

    def __str__(self) -> str:
        return str(self.sentence)


class StockRefused(InventoryRefused):
    """Base of the refusals of stock changes."""


class QuantityInvalid(StockRefused):
    code = "quantite_invalide"

    def __init__(self, reason: str, *, field: str = "quantity") -> None:
        """reason: a template, marked for translation."""
        super().__init__(Sentence(_("Quantité invalide : %(reason)s"), {"reason": Sentence(reason)}), field=field)


class MovementTypeRefused(StockRefused):
    """Sales, returns and voids move stock only through the posting."""

    code = "type_non_manuel"

    def __init__(self, movement_type: str) -> None:
        template = _("Un mouvement « %(type)s » ne se saisit pas à la main")
        super().__init__(Sentence(template, {"type": movement_type}), field="movement_type")


class WrongSign(StockRefused):
    code = "sens_invalide"

    def __init__(self, template: str) -> None:
        super().__init__(Sentence(template), field="quantity")


class ReasonMissing(StockRefused):
    code = "motif_requis"

    def __init__(self, *, field: str) -> None:
        super().__init__(Sentence(_("Un ajustement doit dire pourquoi")), field=field)


class StockShort(StockRefused):
    code = "stock_insuffisant"

    def __init__(self, name: str, *, asked: str, available: str, field: str = "quantity") -> None:
        template = _("Stock insuffisant pour %(name)s (demandé %(asked)s, disponible %(available)s)")
        super().__init__(Sentence(template, {"name": name, "asked": asked, "available": available}), field=field)


class CountNegative(StockRefused):
    """An adjustment states what was counted, which cannot be negative."""

    code = "compte_negatif"

    def __init__(self, name: str, *, after: str) -> None:
        template = _("Un ajustement ne peut pas mettre %(name)s à %(after)s")
        super().__init__(Sentence(template, {"name": name, "after": after}), field="quantity")


class ContentUnknown(StockRefused):
    code = "contenance_inconnue"

    def __init__(self, name: str) -> None:
        super().__init__(Sentence(_("Il faut d'abord dire combien contient %(name)s"), {"name": name}), field="unit")


class NothingSmaller(StockRefused):
    code = "pas_d_unite_plus_petite"

    def __init__(self, name: str) -> None:
        super().__init__(Sentence(_("%(name)s n'a pas d'unité plus petite"), {"name": name}), field="unit")


class CatalogueRefused(InventoryRefused):
    """Base of the refusals of catalogue changes."""


class NotFound(CatalogueRefused):
    """The shop has no such article or unit. One of another shop is refused in the same way."""

    code = "introuvable"

    def __init__(self, template: str, *, field: str) -> None:
        super().__init__(Sentence(template), field=field)


class FieldInvalid(CatalogueRefused):
    code = "champ_invalide"

    def __init__(self, field: str, template: str, **parts: Part) -> None:
        super().__init__(Sentence(template, parts), field=field)


class CodeTaken(CatalogueRefused):
    code = "code_deja_pris"

    def __init__(self, article_code: str) -> None:
        template = _("Le code %(code)s est déjà celui d'un autre article")
        super().__init__(Sentence(template, {"code": article_code}), field="code")


class LevelTaken(CatalogueRefused):
    code = "niveau_deja_pris"

    def __init__(self, level: str) -> None:
        super().__init__(Sentence(_("Cet article a déjà une unité %(level)s"), {"level": level}), field="level")


class SheetRefused(CatalogueRefused):
    """A file that is refused whole."""

    def __init__(self, template: str, **parts: Part) -> None:
        super().__init__(Sentence(template, parts))


class SheetUnreadable(SheetRefused):
    """A file that is not a readable CSV or XLSX spreadsheet."""

    code = "fichier_illisible"


class SheetTooLarge(SheetRefused):
    code = "fichier_trop_grand"


class HeaderMissing(SheetRefused):
    code = "entete_manquant"


def shown(text: str) -> str:
    """Return the beginning of a text from outside, printable, for use in a sentence."""
    visible = "".join(letter if letter.isprintable() else "�" for letter in text)
    return visible if len(visible) <= 40 else f"{visible[:39]}…"
