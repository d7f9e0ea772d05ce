"""Sales that failed through our fault: grouped by what went wrong, and the newest of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from backend.ops.retries import KEPT, shops_with
from backend.sales.errors import Phrase, ProcessKilled
from backend.sales.models import Batch, OutcomeStatus, SaleOutcome
from backend.shops.models import Shop, Terminal

GROUPS_MAX = 40
NEWEST_MAX = 25


@dataclass(frozen=True)
class FailureGroup:
    """The failed sales of one shop that have the same code and detail."""

    shop: Shop | None
    code: str
    # The JSON of its parameters as it stands, which makes the group; None: an older version wrote it.
    kept: str | None
    detail: str
    count: int
    first_at: datetime
    last_at: datetime

    @property
    def is_deadly(self) -> bool:
        return is_deadly(self.code, self.kept)

    @property
    def params(self) -> Phrase | None:
        return None if self.kept is None else json.loads(self.kept)


@dataclass(frozen=True)
class Failure:
    outcome: SaleOutcome
    batch: Batch | None
    terminal: Terminal | None


@dataclass(frozen=True)
class Failures:
    groups: Sequence[FailureGroup]
    newest: Sequence[Failure]


def is_deadly(code: str, kept: str | None) -> bool:
    """Return whether these sales killed the processes that posted them: a process that serves pages must not try."""
    # An older version had one code for all its failures: those it left may be of either kind.
    return code == ProcessKilled.code or kept is None


def find_failures() -> Failures:
    shop_ids = shops_with(OutcomeStatus.FAILED)
    failed = SaleOutcome.objects.filter(status=OutcomeStatus.FAILED, shop_id__in=shop_ids)
    rows = (
        failed.annotate(kept=KEPT)
        .values_list("shop_id", "code", "kept", "detail")
        .annotate(count=Count("position"), first=Min("at"), last=Max("at"))
    )
    shops = Shop.objects.in_bulk(shop_ids)
    groups = [
        FailureGroup(shops.get(shop_id), *rest) for shop_id, *rest in rows.order_by("-count", "-last")[:GROUPS_MAX]
    ]
    outcomes = list(failed.order_by("-at", "-batch_id", "-position")[:NEWEST_MAX])
    batches = Batch.objects.in_bulk({outcome.batch_id for outcome in outcomes})
    terminals = Terminal.objects.select_related("shop").in_bulk({outcome.terminal_id for outcome in outcomes})
    newest = [Failure(one, batches.get(one.batch_id), terminals.get(one.terminal_id)) for one in outcomes]
    return Failures(groups, newest)


def any_failed() -> bool:
    return bool(shops_with(OutcomeStatus.FAILED))
