"""Tills, devices and closings in the words of a shopkeeper."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from backend.sales.days.answers import DIFFERENT, EQUAL, SUMS_EQUAL
from backend.shops.errors import NoHardware, NotOfThisTill, ShopsRefused, TillIsHeld, TillNameTaken
from backend.shops.models import DeviceState
from backend.web.wording.sales import BAD, GOOD, QUIET

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DEVICE_STATES: dict[str, tuple["StrOrPromise", str]] = {
    DeviceState.ACTIVE: (_("Tient la caisse"), GOOD),
    DeviceState.REPLACED: (_("Remplacé"), QUIET),
    DeviceState.DISABLED: (_("Désactivé"), BAD),
}

RESULTS = {
    EQUAL: (_("Tout est égal"), GOOD),
    SUMS_EQUAL: (_("Rien ne diffère"), GOOD),
    DIFFERENT: (_("Écart"), BAD),
}

REFUSALS = {
    TillIsHeld.code: _("Un appareil tient déjà cette caisse : faites un code pour le remplacer."),
    NotOfThisTill.code: _("Cet appareil n'est plus de cette caisse."),
    NoHardware.code: _("Le bureau de la boutique n'est tenu par aucun appareil."),
    TillNameTaken.code: _("Une caisse de cette boutique porte déjà ce nom : la voici."),
}


def refusal_words(refusal: ShopsRefused) -> str:
    return str(REFUSALS.get(refusal.code) or refusal)
