"""The repair desk: what a person of the shop decides about a refused sale. Nothing is ever deleted.

Each action decides the stored sale again and keeps the outcome that it replaces, with who decided, when and why. If the
till sends the same content again, it finds the sale recorded or set aside, and the entry is closed.
"""

import uuid
from collections.abc import Mapping
from enum import StrEnum

from django.contrib.auth.models import User

from backend.inventory.models import ArticleUnit
from backend.sales.errors import Phrase, Reason, UnitUnknown, said
from backend.sales.models import OutcomeStatus, Sale, SaleOutcome
from backend.sales.posting.context import Override
from backend.sales.repair.back_office import Recording, record_from_page
from backend.sales.repair.retry import RetryResult, retry_outcome, set_outcome_aside
from backend.sentences import FRENCH
from backend.shops.models import Shop


class Desk:
    """One person at one shop's desk. An entry is a (batch, position) of that shop; another shop's does not exist.

    Every method returns the outcome before and now; `has_changed` is False if the sale is still refused as it was.
    Raises SaleOutcome.DoesNotExist.
    """

    def __init__(self, *, shop: Shop, user: User) -> None:
        self.shop = shop
        self.user = user
        self.author = user.get_username()

    def try_again(self, batch_id: int, position: int, *, reason: str = "") -> RetryResult:
        """Decide by the rules again: the article may exist now, or the goods may have come in."""
        return self._decide(batch_id, position, Override(), reason or Reason.TRIED_AGAIN())

    def accept_short_stock(self, batch_id: int, position: int, *, reason: str = "") -> RetryResult:
        """Record the sale although the stock goes below zero: the goods were sold, so they were there."""
        return self._decide(
            batch_id, position, Override(accepts_short_stock=True), reason or Reason.SHORT_STOCK_ACCEPTED()
        )

    def choose_units(
        self, batch_id: int, position: int, *, units: Mapping[int, uuid.UUID], reason: str = ""
    ) -> RetryResult:
        """Choose the unit of a line (its index, from 0 → the unit's uuid). Raises UnitUnknown for another shop's."""
        own = ArticleUnit.objects.filter(article__shop=self.shop, uuid__in=units.values()).values_list(
            "uuid", flat=True
        )
        for index in sorted(units.keys()):
            if units[index] not in set(own):
                raise UnitUnknown(path=f"lignes[{index}].unite_uuid")
        return self._decide(batch_id, position, Override(units=dict(units)), reason or Reason.UNITS_CHOSEN())

    def accept_as_own_sale(self, batch_id: int, position: int, *, reason: str = "") -> RetryResult:
        """Record a conflict as a sale of its own: the next variant under the number."""
        return self._decide(batch_id, position, Override(accepts_variant=True), reason or Reason.ACCEPTED_AS_OWN())

    def replace_first(
        self, batch_id: int, position: int, *, key: str, reason: str = ""
    ) -> tuple[Recording, RetryResult]:
        """ "It is a correction": void the sale that has the number, then record this one.

        Two documents, each in its own transaction: a process that dies between them leaves the conflict open, and the
        same call goes on from there. `key` is the form's, as for record_from_page.
        """
        outcome = self._entry(batch_id, position)
        if outcome.document_id is None:
            raise Sale.DoesNotExist
        first = Sale.objects.get(pk=outcome.document_id, shop=self.shop)
        why: str | Phrase = reason or Reason.CORRECTED(number=outcome.number)
        # A correction hands nothing over: it undoes the money in the drawer, and on the day, in which it moved.
        void = {
            "type": "annulation",
            "origine": {"vente_id": first.pk},
            "motif": said(why, FRENCH),
            "tiroir": {"origine": True},
        }
        voiding = record_from_page(shop=self.shop, user=self.user, document=void, key=key)
        first.refresh_from_db()
        if first.voided_at is None:
            # Refused, or still waiting: the first sale counts, so this one does not.
            return voiding, self.try_again(batch_id, position)
        document_id = voiding.outcome.document_id if voiding.outcome else None
        if isinstance(why, dict) and document_id is not None:
            # On its papers it stands in French. Without this, pages in other languages show that too.
            Sale.objects.filter(pk=document_id).update(reason_params=why)
        return voiding, self._decide(batch_id, position, Override(accepts_variant=True), why)

    def set_aside(self, batch_id: int, position: int, *, reason: str) -> RetryResult:
        """Set the sale aside: it does not count. A reason is required, because later readers have nothing else."""
        if not reason.strip():
            raise ValueError("setting a sale aside takes a reason")
        self._entry(batch_id, position)
        return set_outcome_aside(batch_id=batch_id, position=position, author=self.author, reason=reason)

    def take_up_again(self, batch_id: int, position: int, *, reason: str = "") -> RetryResult:
        """Undo set_aside: the sale is decided by the rules again."""
        return self._decide(batch_id, position, Override(reopens=True), reason or Reason.TAKEN_UP_AGAIN())

    def _decide(self, batch_id: int, position: int, override: Override, reason: str | Phrase) -> RetryResult:
        self._entry(batch_id, position)
        return retry_outcome(batch_id=batch_id, position=position, author=self.author, reason=reason, override=override)

    def _entry(self, batch_id: int, position: int) -> SaleOutcome:
        return SaleOutcome.objects.get(batch_id=batch_id, position=position, shop=self.shop)


class Fix(StrEnum):
    """The actions at the desk, each named like the Desk's method."""

    TRY_AGAIN = "try_again"
    ACCEPT_SHORT_STOCK = "accept_short_stock"
    CHOOSE_UNITS = "choose_units"
    ACCEPT_AS_OWN_SALE = "accept_as_own_sale"
    REPLACE_FIRST = "replace_first"
    SET_ASIDE = "set_aside"
    TAKE_UP_AGAIN = "take_up_again"


# The actions that fit a refusal, the best first.
FIXES: dict[str, tuple[Fix, ...]] = {
    "stock_insuffisant": (Fix.TRY_AGAIN, Fix.ACCEPT_SHORT_STOCK, Fix.SET_ASIDE),
    "article_inconnu": (Fix.CHOOSE_UNITS, Fix.TRY_AGAIN, Fix.SET_ASIDE),
    "unite_inconnue": (Fix.CHOOSE_UNITS, Fix.TRY_AGAIN, Fix.SET_ASIDE),
    "unite_ambigue": (Fix.CHOOSE_UNITS, Fix.TRY_AGAIN, Fix.SET_ASIDE),
    "numero_deja_pris": (Fix.ACCEPT_AS_OWN_SALE, Fix.REPLACE_FIRST, Fix.SET_ASIDE),
    # The stored bytes cannot change: the till sells it again, and this one is set aside.
    "champ_invalide": (Fix.SET_ASIDE,),
    "type_inconnu": (Fix.SET_ASIDE, Fix.TRY_AGAIN),
    "ecartee": (Fix.TAKE_UP_AGAIN,),
}
OTHER_FIXES = (Fix.TRY_AGAIN, Fix.SET_ASIDE)


def fixes_for(outcome: SaleOutcome) -> tuple[Fix, ...]:
    """Return the actions for an outcome, the best first; none if the sale is recorded."""
    is_open = outcome.status in (
        OutcomeStatus.REJECTED, OutcomeStatus.CONFLICT, OutcomeStatus.FAILED, OutcomeStatus.DEFERRED,
        OutcomeStatus.SET_ASIDE,
    )  # fmt: skip
    return FIXES.get(outcome.code, OTHER_FIXES) if is_open else ()
