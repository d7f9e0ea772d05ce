"""Refusals of changes to tills and devices: one class each, with its code and sentence."""

from typing import ClassVar

from django.utils.translation import gettext_noop as _

from backend.sentences import Part, Sentence


class ShopsRefused(Exception):
    """Base of all. Nothing was changed. `code` is the wire's if a till can receive it, else for pages to compare."""

    code: ClassVar[str]
    template: ClassVar[str]

    def __init__(self, template: str | None = None, **parts: Part) -> None:
        self.sentence = Sentence(template or self.template, parts)
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return str(self.sentence)


class EnrolmentRefused(ShopsRefused):
    """Base of the refusals of an enrolment, in order of precedence."""


class TooManyGuesses(EnrolmentRefused):
    code = "trop_de_requetes"
    template = _("Trop de codes d'inscription erronés ; réessayez plus tard")


class CodeUnknown(EnrolmentRefused):
    code = "code_inconnu"
    template = _("Ce code d'inscription n'existe pas")


class CodeExpired(EnrolmentRefused):
    """Too old, replaced by a newer one, or used by another device."""

    code = "code_expire"
    template = _("Ce code d'inscription n'est plus valable")


class TerminalDisabled(EnrolmentRefused):
    code = "terminal_desactive"
    template = _("Ce terminal est désactivé")


class TerminalWithoutShop(EnrolmentRefused):
    code = "terminal_sans_boutique"
    template = _("Terminal non associé à une boutique")


class SerialTaken(EnrolmentRefused):
    code = "serie_deja_prise"
    template = _("Ce numéro de série appartient déjà à une autre caisse")


class SerialInvalid(ShopsRefused):
    code = "numero_serie_invalide"
    template = _("Un numéro de série a de 1 à 64 caractères imprimables, sans espace autour")


class TillIsHeld(ShopsRefused):
    """A till is held by one device: a second one may only replace it."""

    code = "caisse_tenue"
    template = _("Un appareil tient déjà cette caisse : dire lequel est remplacé")


class NotOfThisTill(ShopsRefused):
    code = "appareil_d_une_autre_caisse"
    template = _("Cet appareil n'est pas de cette caisse")


class TillKeepsItsShop(ShopsRefused):
    """A till's batches, stock and receipts belong to the shop in which it sold."""

    code = "caisse_d_une_autre_boutique"
    template = _("Une caisse ne change pas de boutique : créer une nouvelle caisse et y mettre l'appareil")


class NoHardware(ShopsRefused):
    """The shop's office is a till that no device may hold."""

    code = "caisse_du_bureau"
    template = _("Le bureau de la boutique n'est tenu par aucun appareil")


class TillNameTaken(ShopsRefused):
    """Two tills of one name could not be distinguished on pages. `terminal_id` is the till that has the name."""

    code = "nom_de_caisse_pris"
    template = _("Une caisse de cette boutique porte déjà ce nom")

    def __init__(self, *, terminal_id: int) -> None:
        super().__init__()
        self.terminal_id = terminal_id
