"""Compares the stored totals of past days with the documents."""

from collections.abc import Iterator
from functools import partial

from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import name_shop
from backend.sales.days.day_totals import is_kept, write_figures
from backend.sales.models import DayTotal
from backend.sales.money.takings import Takings, takings_by_day

# How many days of a shop are summed at a time.
DAYS_AT_ONCE = 31


@check(title="Les totaux gardés des jours passés sont ceux des ventes", cost="tous les documents de ces jours")
def kept_totals(scope: Scope) -> Iterator[Finding]:
    """Totals are kept by shop: for one till, its shop's are checked."""
    kept = DayTotal.objects.filter(added_up_at_marks__isnull=False, **scope.narrow(terminal=None))
    for shop_id in kept.order_by("shop_id").values_list("shop_id", flat=True).distinct():
        totals = [total for total in kept.filter(shop_id=shop_id).order_by("day") if is_kept(total)]
        for first in range(0, len(totals), DAYS_AT_ONCE):
            for total in _wrong(totals[first : first + DAYS_AT_ONCE]):
                yield Finding(
                    f"{name_shop(shop_id)}, {total.day} : le total gardé n'est pas celui des documents de ce jour",
                    "Le tableau de bord montre pour ce jour un montant que les ventes n'expliquent pas.",
                    Repair(
                        "Ne plus garder ce total : il est compté de nouveau à la prochaine demande.",
                        partial(_forget, total.pk),
                    ),
                )


def _wrong(totals: list[DayTotal]) -> list[DayTotal]:
    """Return the totals that differ from the documents, unless a document was recorded while they were summed."""
    shop_id, days = totals[0].shop_id, [total.day for total in totals]
    found = takings_by_day(shop_id=shop_id, days=days)
    suspects = [total for total in totals if total.figures != write_figures(found.get(total.day) or Takings())]
    now = DayTotal.objects.in_bulk([total.pk for total in suspects])
    return [total for total in suspects if total.pk in now and now[total.pk].marks == total.marks]


def _forget(total_id: int) -> dict[str, object] | None:
    """Have the day summed again. The row is locked, so that no late document changes it between check and update."""
    total = DayTotal.objects.select_for_update().filter(pk=total_id).first()
    if total is None or not is_kept(total) or not _wrong([total]):
        return None
    before = {"added_up_at_marks": total.added_up_at_marks, "figures": total.figures}
    total.added_up_at_marks = None
    total.save(update_fields=["added_up_at_marks"])
    return {"before": before, "after": {"added_up_at_marks": None}}
