"""Open entries: refused sales that a person still has to decide."""

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from backend.sales.models import OutcomeStatus, Sale, SaleOutcome
from backend.shops.models import Shop

NEEDS_A_PERSON = (OutcomeStatus.REJECTED, OutcomeStatus.CONFLICT, OutcomeStatus.FAILED)


def open_entries(*, shop_id: int, terminal_id: int | None = None) -> QuerySet[SaleOutcome]:
    """Return the open entries of a shop, or of one of its tills: one row per (till, number, fingerprint).

    The row is the last outcome of that content. A resend that was recorded or set aside closes the entry; different
    content under the same number never does.
    """
    same = {name: OuterRef(name) for name in ("terminal_id", "number", "fingerprint")}
    later = Q(batch_id__gt=OuterRef("batch_id")) | Q(batch_id=OuterRef("batch_id"), position__gt=OuterRef("position"))
    entries = SaleOutcome.objects.filter(shop_id=shop_id, status__in=NEEDS_A_PERSON)
    if terminal_id is not None:
        entries = entries.filter(terminal_id=terminal_id)
    return entries.exclude(Exists(Sale.objects.filter(**same))).exclude(
        Exists(SaleOutcome.objects.filter(later, **same).exclude(fingerprint=""))
    )


def open_entries_by_status() -> dict[str, int]:
    """Return the number of open entries in all shops, by status, zeros included.

    One query for each shop that has refused sales, because the outcomes' index begins with the shop. One query over all
    shops, or one that asks for any of the three statuses, reads every outcome there is (MariaDB 10.11).
    """
    counts = dict.fromkeys((status.value for status in NEEDS_A_PERSON), 0)
    refused = [Exists(SaleOutcome.objects.filter(shop_id=OuterRef("pk"), status=status)) for status in NEEDS_A_PERSON]
    for shop_id, *has_refused in Shop.objects.values_list("pk", *refused):
        if any(has_refused):
            for status, count in open_entries(shop_id=shop_id).values_list("status").annotate(Count("batch_id")):
                counts[status] += count
    return counts
