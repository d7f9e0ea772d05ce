"""What waits to be posted, by till and by shop. Reads only unsettled batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Min, Sum

from backend.ops.pages.diagnosis import Reason, reasons_of
from backend.sales.models import Batch, Lane, Pause
from backend.shops.models import Shop, Terminal

PAGE_TILLS_MAX = 50
OLDEST_MAX = 8
BATCHES_MAX = 20
SHOPS_MAX = 30


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits of one till."""

    terminal_id: int
    shop_id: int
    batch_count: int
    sale_count: int
    oldest_id: int
    oldest_at: datetime
    is_paused: bool


@dataclass(frozen=True)
class WaitingTill:
    """A till whose sales wait, with its oldest batch and why that may stand still. None where a row is gone by now."""

    waiting: Waiting
    terminal: Terminal | None
    batch: Batch | None
    lane: Lane | None
    reasons: Sequence[Reason]


@dataclass(frozen=True)
class WaitingShop:
    shop: Shop | None
    till_count: int
    batch_count: int
    sale_count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Sums:
    """What waits altogether, and how much of it because of a pause."""

    sales: int
    batches: int
    tills: int
    oldest_at: datetime | None

    @classmethod
    def of(cls, waiting: Sequence[Waiting]) -> "Sums":
        oldest = min((one.oldest_at for one in waiting), default=None)
        return cls(
            sum(one.sale_count for one in waiting), sum(one.batch_count for one in waiting), len(waiting), oldest
        )


def waiting_tills(*, pauses: Sequence[Pause], **narrow: int) -> list[Waiting]:
    """Return each till that has something waiting, the longest first: at most one row for each till.

    `narrow`: `shop_id` or `terminal_id`, to ask about one of them.
    """
    batches = Batch.objects.filter(settled_at=None, **narrow)
    rows = batches.values_list("terminal_id", "shop_id").annotate(
        batches=Count("pk"),
        sales=Sum(F("sale_count") - F("next_position") + 1),
        oldest=Min("pk"),
        oldest_at=Min("received_at"),
    )
    found = [
        Waiting(
            terminal_id, shop_id, batch_count, sale_count, oldest_id, oldest_at,
            is_paused=any(stops(pause, shop_id, terminal_id) for pause in pauses),
        )
        for terminal_id, shop_id, batch_count, sale_count, oldest_id, oldest_at in rows.order_by()
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.oldest_at, one.oldest_id))


def stops(pause: Pause, shop_id: int, terminal_id: int) -> bool:
    return pause.shop_id in (None, shop_id) and pause.terminal_id in (None, terminal_id)


def described(chosen: Sequence[Waiting], *, pauses: Sequence[Pause]) -> list[WaitingTill]:
    """Add the tills' names and why they may stand still, in three queries however many tills there are."""
    ids = [one.terminal_id for one in chosen]
    terminals = Terminal.objects.select_related("shop").in_bulk(ids)
    lanes = Lane.objects.in_bulk(ids)
    batches = Batch.objects.in_bulk([one.oldest_id for one in chosen])
    found = []
    for one in chosen:
        terminal, lane, batch = terminals.get(one.terminal_id), lanes.get(one.terminal_id), batches.get(one.oldest_id)
        stopped = [pause for pause in pauses if stops(pause, one.shop_id, one.terminal_id)]
        reasons = reasons_of(batch=batch, lane=lane, terminal=terminal, pauses=stopped)
        found.append(WaitingTill(one, terminal, batch, lane, reasons))
    return found


def waiting_of(terminal: Terminal, *, pauses: Sequence[Pause]) -> WaitingTill | None:
    """Return what waits of one till; None if nothing does."""
    return next(iter(described(waiting_tills(pauses=pauses, terminal_id=terminal.pk), pauses=pauses)), None)


def by_shop(waiting: Iterable[Waiting]) -> list[WaitingShop]:
    """Add up by shop, longest first; at most SHOPS_MAX."""
    of_shop: dict[int, list[Waiting]] = {}
    for one in waiting:
        of_shop.setdefault(one.shop_id, []).append(one)
    sums = {shop_id: Sums.of(tills) for shop_id, tills in of_shop.items()}
    since = {shop_id: min(one.oldest_at for one in tills) for shop_id, tills in of_shop.items()}
    longest = sorted(since, key=lambda shop_id: since[shop_id])[:SHOPS_MAX]
    shops = Shop.objects.in_bulk(longest)
    return [
        WaitingShop(shops.get(shop_id), sums[shop_id].tills, sums[shop_id].batches, sums[shop_id].sales, since[shop_id])
        for shop_id in longest
    ]


def batches_of(terminal_id: int) -> list[Batch]:
    """Return the till's waiting batches in their order, at most BATCHES_MAX."""
    return list(Batch.objects.filter(settled_at=None, terminal_id=terminal_id).order_by("pk")[:BATCHES_MAX])
