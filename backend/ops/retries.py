"""Chooses sales to try again, and tries one: for `manage.py retry` and the operations page."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from backend.db.transients import is_transient
from backend.sales.errors import Phrase, Reason
from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.sales.repair.retry import OutcomeSnapshot, retry_outcome
from backend.shops.models import Shop, Terminal

REASONS: dict[str, Reason] = {OutcomeStatus.FAILED: Reason.TRIED_AFTER_FAILURE}
# The JSON of the parameters as text: outcomes of one code that have the same say the same.
KEPT = Cast("params", TextField())
COLUMNS = ("batch_id", "position", "terminal_id", "shop_id", "batch__receipt", "number", "code")


class Chosen(NamedTuple):
    """One sale to try again, with the receipt and number that people know it by."""

    batch_id: int
    position: int
    terminal_id: int
    shop_id: int
    receipt: UUID
    number: str
    code: str

    @property
    def place(self) -> str:
        return f"{self.receipt}:{self.position}"


class Trial(NamedTuple):
    """What became of one sale: its outcome now, and what prevented a change. `after` is None if the database
    interrupted the trial: then nothing is known."""

    after: OutcomeSnapshot | None
    obstacle: str = ""
    was_prevented: bool = False


def outcomes_with(
    *,
    status: str,
    code: str | None = None,
    params: str | None = None,
    shop: Shop | None = None,
    terminal: Terminal | None = None,
    since: datetime | None = None,
) -> QuerySet[SaleOutcome]:
    """Return the outcomes of this status that match everything given: till by till, in each till's order.

    params: as JSON, as the column has it.
    """
    shop_ids = [shop.pk] if shop else shops_with(status)
    outcomes = SaleOutcome.objects.annotate(kept=KEPT).filter(status=status, shop_id__in=shop_ids)
    wanted = {"code": code, "kept": params, "terminal_id": terminal and terminal.pk, "at__gte": since}
    outcomes = outcomes.filter(**{column: value for column, value in wanted.items() if value is not None})
    return outcomes.order_by("terminal_id", "batch_id", "position")


def shops_with(status: str) -> list[int]:
    """Return the shops that have any outcome of this status. The index begins with the shop: for all shops together,
    the database would read years of outcomes instead."""

    outcomes = SaleOutcome.objects.filter(shop_id=OuterRef("pk"), status=status)
    return list(Shop.objects.filter(Exists(outcomes)).values_list("pk", flat=True))


def choose(outcomes: QuerySet[SaleOutcome]) -> list[Chosen]:
    return [Chosen(*row) for row in outcomes.values_list(*COLUMNS)]


def reason_for(status: str) -> Phrase:
    return REASONS.get(status, Reason.TRIED_AGAIN)()


def try_again(chosen: Chosen, *, author: str, reason: str | Phrase) -> Trial:
    """Try one sale. A transient database fault is reported in the result, so that the caller can go on."""
    try:
        result = retry_outcome(batch_id=chosen.batch_id, position=chosen.position, author=author, reason=reason)
    except (OperationalError, InterfaceError) as error:
        if not is_transient(error):
            raise
        return Trial(None, "interrupted by the database", was_prevented=True)
    obstacle = result.obstacle.value if result.obstacle else ""
    return Trial(result.after, obstacle, was_prevented=result.was_prevented)
