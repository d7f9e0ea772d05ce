"""What a person still has to decide: sales that were refused and have not gone through since."""

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from backend.sales.models import OutcomeStatus, Sale, SaleOutcome
from backend.shops.models import Shop

NEEDS_A_PERSON = (OutcomeStatus.REJECTED, OutcomeStatus.CONFLICT, OutcomeStatus.FAILED)


def open_entries(*, shop_id: int, terminal_id: int | None = None) -> QuerySet[SaleOutcome]:
    """Return what is to be corrected in a shop, or of one of its tills: one row per (till, number, fingerprint).

    The row is the last outcome of that content; a resend that went through, or was set aside, has closed it. Other
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
    """Return how many sales of all shops are to be corrected, by status, zeros included.

    A shop at a time, and only where anything was ever refused: the index of outcomes begins with the shop. Asked of all
    shops, or whether a shop has any of the three, the database reads every outcome there is (MariaDB 10.11).
    """
    counts = dict.fromkeys((status.value for status in NEEDS_A_PERSON), 0)
    refused = [Exists(SaleOutcome.objects.filter(shop_id=OuterRef("pk"), status=status)) for status in NEEDS_A_PERSON]
    for shop_id, *has_refused in Shop.objects.values_list("pk", *refused):
        if any(has_refused):
            for status, number in open_entries(shop_id=shop_id).values_list("status").annotate(Count("batch_id")):
                counts[status] += number
    return counts
