"""Why a batch or a sale is refused: one class each, with its code, its sentence and where in the sale it lies.

A refusal is an outcome, stored and shown, never logged as an error. Those of a sale stand in order of precedence. What
is kept of one are its code and its parameters; the sentence is made when it is read (sentences.py).
"""

from typing import ClassVar

from django.utils.translation import gettext_noop as _

from backend.sales.errors.reasons import Phrase, Reason
from backend.sales.models import OutcomeStatus
from backend.sentences import Part, Sentence

# No sentence is longer, so no path in one.
PATH_LENGTH_MAX = 500


class BatchRefused(Exception):
    """The whole post is refused, and nothing of it is stored."""

    code: ClassVar[str]
    template: ClassVar[str]

    def __init__(self, **parts: Part) -> None:
        self.sentence = Sentence(self.template, parts)
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return str(self.sentence)


class BatchUnreadable(BatchRefused):
    """Bytes that are no UTF-8, no JSON, or nest too deep."""

    code = "json_invalide"
    template = _("JSON invalide : %(reason)s")

    def __init__(self, reason: Reason, **parts: Part) -> None:
        super().__init__(reason=Sentence(reason.template, parts))


class NotAnArray(BatchRefused):
    code = "tableau_attendu"
    template = _("Format invalide: un tableau de ventes est attendu")


class BatchEmpty(BatchRefused):
    code = "lot_vide"
    template = _("Le lot est vide : au moins une vente est attendue")


class BatchTooLarge(BatchRefused):
    code = "lot_trop_grand"
    template = _("Le lot est trop grand")


class KeyReused(BatchRefused):
    """The idempotency key came before, with other bytes."""

    code = "cle_reutilisee"
    template = _("Cette clé d'idempotence a déjà servi pour un autre lot")


class TooManyWaiting(BatchRefused):
    code = "trop_de_lots_en_attente"
    template = _("Trop de lots de cette caisse attendent déjà ; réessayez plus tard")


class SaleRefused(Exception):
    """One sale is refused, or is no news. Its outcome says so; the sales beside it are posted."""

    status: ClassVar[OutcomeStatus] = OutcomeStatus.REJECTED
    code: ClassVar[str]
    template: ClassVar[str]

    def __init__(self, *, path: str = "", document_id: int | None = None, **params: str | int | Phrase) -> None:
        super().__init__(self.code, params)
        self.params: Phrase = params
        self.path = path
        self.document_id = document_id


class FieldInvalid(SaleRefused):
    code = "champ_invalide"
    template = _("Champ invalide : %(path)s (%(reason)s)")
    # Of a sale that cannot be read at all.
    template_without_path = _("Champ invalide : %(reason)s")

    def __init__(self, path: str, reason: Phrase) -> None:
        """reason: `Reason.MISSING()`."""
        super().__init__(path=path, reason=reason)
        if path:
            # Unlike the outcome's column it is not cut: the sentence names the whole of it.
            self.params = {"path": path[:PATH_LENGTH_MAX], **self.params}


class KindUnknown(SaleRefused):
    code = "type_inconnu"
    template = _("Type inconnu : %(kind)s")

    def __init__(self, kind: str) -> None:
        super().__init__(path="type", kind=kind[:40])


class AlreadyThere(SaleRefused):
    """The same number with the same content: the till may forget it."""

    status = OutcomeStatus.DUPLICATE
    code = "deja_existante"
    template = _("Vente déjà existante")

    def __init__(self, *, document_id: int) -> None:
        super().__init__(document_id=document_id)


class NumberTaken(SaleRefused):
    """The same number with other content: both are kept, and a person is told."""

    status = OutcomeStatus.CONFLICT
    code = "numero_deja_pris"
    template = _("Numéro déjà pris par une autre vente")

    def __init__(self, *, document_id: int) -> None:
        super().__init__(path="numero_facture", document_id=document_id)


class CurrencyUnknown(SaleRefused):
    code = "devise_inconnue"
    template = _("Devise non acceptée par cette boutique : %(currency)s")

    def __init__(self, currency: str, *, path: str) -> None:
        super().__init__(path=path, currency=currency)


class ArticleUnknown(SaleRefused):
    code = "article_inconnu"
    template = _("Article %(name)s non trouvé dans cette boutique")

    def __init__(self, name: str | int, *, path: str) -> None:
        super().__init__(path=path, name=name)


class UnitUnknown(SaleRefused):
    code = "unite_inconnue"
    template = _("Unité non trouvée dans cette boutique")


class UnitAmbiguous(SaleRefused):
    """The unit and the article on one line disagree, or the article has no base unit."""

    code = "unite_ambigue"
    template = _("Unité ambiguë : %(reason)s")

    def __init__(self, reason: Phrase, *, path: str) -> None:
        super().__init__(path=path, reason=reason)


class StockShort(SaleRefused):
    code = "stock_insuffisant"
    template = _("Stock insuffisant pour %(name)s (demandé %(asked)s, disponible %(available)s)")

    def __init__(self, name: str, *, asked: str, available: str, path: str) -> None:
        super().__init__(path=path, name=name, asked=asked, available=available)


class OriginInvalid(SaleRefused):
    """The document that it follows is of the wrong kind, or no document of this shop at all."""

    code = "origine_invalide"
    template = _("Vente d'origine invalide : %(reason)s")

    def __init__(self, reason: Phrase) -> None:
        super().__init__(path="origine", reason=reason)


class OriginAmbiguous(SaleRefused):
    code = "origine_ambigue"
    template = _("Vente d'origine ambiguë : plusieurs ventes portent ce numéro")

    def __init__(self) -> None:
        super().__init__(path="origine")


class OriginUnknown(SaleRefused):
    """A till's number that has not arrived yet: the document waits, and takes effect when it does."""

    status = OutcomeStatus.DEFERRED
    code = "origine_inconnue"
    template = _("Vente d'origine pas encore reçue : %(number)s")

    def __init__(self, number: str) -> None:
        super().__init__(path="origine.numero_facture", number=number[:64])


class AlreadyVoided(SaleRefused):
    code = "deja_annulee"
    template = _("Vente déjà annulée")

    def __init__(self) -> None:
        super().__init__(path="origine")


class ReturnTooLarge(SaleRefused):
    code = "retour_excessif"
    template = _("Retour supérieur à ce qui reste de la vente : %(name)s (demandé %(asked)s, reste %(left)s)")

    def __init__(self, name: str, *, asked: str, left: str, path: str) -> None:
        super().__init__(path=path, name=name, asked=asked, left=left)


class PaymentTooLarge(SaleRefused):
    code = "paiement_excessif"
    template = _("Paiement supérieur à ce qui est dû (payé %(asked)s, dû %(owed)s)")

    def __init__(self, *, asked: str, owed: str) -> None:
        super().__init__(path="montant", asked=asked, owed=owed)


class SetAside(SaleRefused):
    """A person of the shop decided that it does not count; the till may forget it."""

    status = OutcomeStatus.SET_ASIDE
    code = "ecartee"
    template = _("Mise de côté par la boutique : %(detail)s")

    def __init__(self, reason: str | Phrase) -> None:
        super().__init__(detail=reason)


class InternalFailure(SaleRefused):
    """Our fault: its posting raises what is nobody's refusal. `kind`: the name of the error."""

    status = OutcomeStatus.FAILED
    code = "echec_interne"
    template = _("Erreur de notre côté (%(reason)s) ; la vente est gardée et sera reprise")

    def __init__(self, kind: str) -> None:
        super().__init__(reason=kind)


class ProcessKilled(SaleRefused):
    """Our fault: it killed each process that posted it. Whoever tries it again does so in a process of its own."""

    status = OutcomeStatus.FAILED
    code = "echec_processus"
    template = _(
        "Erreur de notre côté (l'enregistrement s'est interrompu plusieurs fois) ; la vente est gardée et sera reprise"
    )


# Every reason why a sale is refused, in order of precedence.
SALE_CODES = tuple(dict.fromkeys(refusal.code for refusal in SaleRefused.__subclasses__()))
