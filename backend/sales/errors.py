"""Why a batch or a sale is refused: one class each, with its code, its French sentence and where in the sale it lies.

A refusal is an outcome, stored and shown, never logged as an error. Those of a sale stand in order of precedence.
"""

from typing import ClassVar

from backend.sales.models import OutcomeStatus, SaleOutcome


class BatchRefused(Exception):
    """The whole post is refused, and nothing of it is stored."""

    code: ClassVar[str]
    sentence: ClassVar[str]


class BatchUnreadable(BatchRefused):
    """Bytes that are no UTF-8, no JSON, or nest too deep."""

    code = "json_invalide"
    sentence = "JSON invalide"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAnArray(BatchRefused):
    code = "tableau_attendu"
    sentence = "Format invalide: un tableau de ventes est attendu"


class BatchEmpty(BatchRefused):
    code = "lot_vide"
    sentence = "Le lot est vide : au moins une vente est attendue"


class BatchTooLarge(BatchRefused):
    code = "lot_trop_grand"
    sentence = "Le lot est trop grand"


class KeyReused(BatchRefused):
    """The idempotency key came before, with other bytes."""

    code = "cle_reutilisee"
    sentence = "Cette clé d'idempotence a déjà servi pour un autre lot"


class TooManyWaiting(BatchRefused):
    code = "trop_de_lots_en_attente"
    sentence = "Trop de lots de cette caisse attendent déjà ; réessayez plus tard"


class SaleRefused(Exception):
    """One sale is refused, or is no news. Its outcome says so; the sales beside it are posted."""

    status: ClassVar[OutcomeStatus] = OutcomeStatus.REJECTED
    code: ClassVar[str]

    def __init__(self, detail: str, *, path: str = "", document_id: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path
        self.document_id = document_id


class FieldInvalid(SaleRefused):
    code = "champ_invalide"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"Champ invalide : {path} ({reason})" if path else f"Champ invalide : {reason}", path=path)


class KindUnknown(SaleRefused):
    code = "type_inconnu"

    def __init__(self, kind: str) -> None:
        super().__init__(f"Type inconnu : {kind[:40]}", path="type")


class AlreadyThere(SaleRefused):
    """The same number with the same content: the till may forget it."""

    status = OutcomeStatus.DUPLICATE
    code = "deja_existante"

    def __init__(self, *, document_id: int) -> None:
        super().__init__("Vente déjà existante", document_id=document_id)


class NumberTaken(SaleRefused):
    """The same number with other content: both are kept, and a person is told."""

    status = OutcomeStatus.CONFLICT
    code = "numero_deja_pris"

    def __init__(self, *, document_id: int) -> None:
        super().__init__("Numéro déjà pris par une autre vente", path="numero_facture", document_id=document_id)


class CurrencyUnknown(SaleRefused):
    code = "devise_inconnue"

    def __init__(self, currency: str, *, path: str) -> None:
        super().__init__(f"Devise non acceptée par cette boutique : {currency}", path=path)


class ArticleUnknown(SaleRefused):
    code = "article_inconnu"

    def __init__(self, name: str | int, *, path: str) -> None:
        super().__init__(f"Article {name} non trouvé dans cette boutique", path=path)


class UnitUnknown(SaleRefused):
    code = "unite_inconnue"

    def __init__(self, *, path: str) -> None:
        super().__init__("Unité non trouvée dans cette boutique", path=path)


class UnitAmbiguous(SaleRefused):
    """The unit and the article on one line disagree, or the article has no base unit."""

    code = "unite_ambigue"

    def __init__(self, reason: str, *, path: str) -> None:
        super().__init__(f"Unité ambiguë : {reason}", path=path)


class StockShort(SaleRefused):
    code = "stock_insuffisant"

    def __init__(self, name: str, *, asked: str, available: str, path: str) -> None:
        super().__init__(f"Stock insuffisant pour {name} (demandé {asked}, disponible {available})", path=path)


class OriginInvalid(SaleRefused):
    """The document that it follows is of the wrong kind, or no document of this shop at all."""

    code = "origine_invalide"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Vente d'origine invalide : {reason}", path="origine")


class OriginAmbiguous(SaleRefused):
    code = "origine_ambigue"

    def __init__(self) -> None:
        super().__init__("Vente d'origine ambiguë : plusieurs ventes portent ce numéro", path="origine")


class OriginUnknown(SaleRefused):
    """A till's number that has not arrived yet: the document waits, and takes effect when it does."""

    status = OutcomeStatus.DEFERRED
    code = "origine_inconnue"

    def __init__(self, number: str) -> None:
        super().__init__(f"Vente d'origine pas encore reçue : {number[:64]}", path="origine.numero_facture")


class AlreadyVoided(SaleRefused):
    code = "deja_annulee"

    def __init__(self) -> None:
        super().__init__("Vente déjà annulée", path="origine")


class ReturnTooLarge(SaleRefused):
    code = "retour_excessif"

    def __init__(self, name: str, *, asked: str, left: str, path: str) -> None:
        sentence = f"Retour supérieur à ce qui reste de la vente : {name} (demandé {asked}, reste {left})"
        super().__init__(sentence, path=path)


class PaymentTooLarge(SaleRefused):
    code = "paiement_excessif"

    def __init__(self, *, asked: str, owed: str) -> None:
        super().__init__(f"Paiement supérieur à ce qui est dû (payé {asked}, dû {owed})", path="montant")


class SetAside(SaleRefused):
    """A person of the shop decided that it does not count; the till may forget it."""

    status = OutcomeStatus.SET_ASIDE
    code = "ecartee"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Mise de côté par la boutique : {reason}")


class InternalFailure(SaleRefused):
    """Our fault: a sale that kills its process, or whose posting raises."""

    status = OutcomeStatus.FAILED
    code = "echec_interne"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Erreur de notre côté ({reason}) ; la vente est gardée et sera reprise")


# Every reason why a sale is refused, in order of precedence.
SALE_CODES = tuple(dict.fromkeys(refusal.code for refusal in SaleRefused.__subclasses__()))

ACTIONS = ("purger", "garder", "corriger")
# What the till should do with a sale, by its code where the code decides, else by its status.
ACTION_BY_CODE = {FieldInvalid.code: "corriger", KindUnknown.code: "corriger"}
ACTION_BY_STATUS = {
    OutcomeStatus.CREATED: "purger",
    OutcomeStatus.VOIDED: "purger",
    OutcomeStatus.RETURNED: "purger",
    OutcomeStatus.PAID: "purger",
    OutcomeStatus.DUPLICATE: "purger",
    OutcomeStatus.SET_ASIDE: "purger",
    OutcomeStatus.CONFLICT: "garder",
    OutcomeStatus.REJECTED: "garder",
    OutcomeStatus.DEFERRED: "garder",
    OutcomeStatus.FAILED: "garder",
}


def action_for(*, status: str, code: str) -> str:
    """Return what a till does with a sale that has this outcome: purger, garder or corriger."""
    return ACTION_BY_CODE.get(code) or ACTION_BY_STATUS[OutcomeStatus(status)]


def sentence_of(outcome: SaleOutcome) -> str:
    """Return the French sentence that a till is told of a refusal: the one place that reads it."""
    return outcome.detail
