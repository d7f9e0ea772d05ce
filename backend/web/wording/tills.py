"""The shopkeeper's words for tills, devices and closings."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from backend.sales.days.answers import DIFFERENT, EQUAL, SUMS_EQUAL
from backend.sales.repair.back_office import OFFICE_NAME
from backend.sentences import FRENCH, reader_language
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


# The name of a shop's office among its tills. It is ours, so it is translated.
OFFICE = _("Bureau")

# The answer to a refused call, by its code. The stored sentence may contain names of the wire.
REFUSED_CALLS = {
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


def answer_words(detail: str, code: str) -> str:
    """Return the answer to a refused call: the stored sentence in French, the words of its code in other languages."""
    is_exact = reader_language().startswith(FRENCH) or code not in REFUSED_CALLS
    return detail if is_exact else str(REFUSED_CALLS[code])


def till_name(name: str) -> str:
    """Return a till's name as the shop gave it; the office's name in the reader's language."""
    return str(OFFICE) if name == OFFICE_NAME else name


def refusal_words(refusal: ShopsRefused) -> str:
    return str(REFUSALS.get(refusal.code) or refusal)
