"""Checks of a lane's counters, which spare ordinary sales a query: documents that wait (P12), sales set aside (P3)."""

from collections.abc import Iterator
from functools import partial

from django.db.models import Count, Exists, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from backend.doctor.locks import hold_lane
from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import name_batch, name_till
from backend.sales.models import Lane, OutcomeStatus, Sale, SaleOutcome

ALL_OUTCOMES = "tous les résultats"


@check(promise="P12", title="Chaque caisse sait combien de ses documents attendent leur origine", cost=ALL_OUTCOMES)
def lanes_know_who_waits(scope: Scope) -> Iterator[Finding]:
    """If a lane counts no waiting documents, a sale looks for none, and its void or return is not woken."""
    deferred = SaleOutcome.objects.filter(status=OutcomeStatus.DEFERRED, terminal_id=OuterRef("pk")).order_by()
    counted = deferred.values("terminal_id").annotate(count=Count("position")).values("count")
    lanes = Lane.objects.filter(**scope.narrow(shop="terminal__shop_id")).annotate(
        deferred=Coalesce(Subquery(counted), 0)
    )
    for lane in lanes.exclude(waiting_documents=F("deferred")).order_by("pk"):
        yield Finding(
            f"{name_till(lane.pk)} : {lane.deferred} document(s) attendent leur vente d'origine, sa voie en compte"
            f" {lane.waiting_documents}",
            "Une annulation, un retour ou un paiement pourrait ne pas prendre effet à l'arrivée de sa vente."
            if lane.waiting_documents < lane.deferred
            else "Chaque vente de cette caisse cherche pour rien qui l'attend : elle coûte plus, et rien n'est faux.",
            Repair("Recompter les documents qui attendent.", partial(_recount, lane.pk)),
        )


def _recount(terminal_id: int) -> dict[str, object] | None:
    if not hold_lane(terminal_id):
        return None
    lane = Lane.objects.get(pk=terminal_id)
    count = SaleOutcome.objects.filter(terminal_id=terminal_id, status=OutcomeStatus.DEFERRED).count()
    if lane.waiting_documents == count:
        return None
    before, lane.waiting_documents = lane.waiting_documents, count
    lane.save(update_fields=["waiting_documents"])
    return {"before": {"waiting_documents": before}, "after": {"waiting_documents": count}}


@check(promise="P3", title="Chaque caisse sait que de ses ventes ont été mises de côté", cost=ALL_OUTCOMES)
def lanes_know_what_is_set_aside(scope: Scope) -> Iterator[Finding]:
    """If a lane counts none, a resent sale that was set aside is recorded. A count that is only too low is no fault:
    resends that are set aside are not added to it."""
    aside = SaleOutcome.objects.filter(status=OutcomeStatus.SET_ASIDE, terminal_id=OuterRef("pk"))
    lanes = Lane.objects.filter(Exists(aside), sales_set_aside=0, **scope.narrow(shop="terminal__shop_id"))
    for terminal_id in lanes.order_by("pk").values_list("pk", flat=True):
        yield Finding(
            f"{name_till(terminal_id)} : des ventes ont été mises de côté, et sa voie n'en compte aucune",
            "Une vente qu'une personne a mise de côté serait enregistrée si la caisse la renvoyait.",
            Repair("Recompter les ventes mises de côté.", partial(_recount_aside, terminal_id)),
        )


def _recount_aside(terminal_id: int) -> dict[str, object] | None:
    if not hold_lane(terminal_id):
        return None
    lane = Lane.objects.get(pk=terminal_id)
    count = SaleOutcome.objects.filter(terminal_id=terminal_id, status=OutcomeStatus.SET_ASIDE).count()
    if lane.sales_set_aside or not count:
        return None
    lane.sales_set_aside = count
    lane.save(update_fields=["sales_set_aside"])
    return {"before": {"sales_set_aside": 0}, "after": {"sales_set_aside": count}}


@check(promise="P12", title="Aucun document n'attend une vente qui est arrivée", cost=ALL_OUTCOMES)
def nobody_waits_in_vain(scope: Scope) -> Iterator[Finding]:
    """A wake-up is tried once, in the transaction of the origin. If it fails, the document waits for a person."""
    origins = Sale.objects.filter(terminal_id=OuterRef("terminal_id"), number=OuterRef("awaits"))
    deferred = SaleOutcome.objects.filter(status=OutcomeStatus.DEFERRED, **scope.narrow())
    for outcome in deferred.filter(Exists(origins)).order_by("batch_id", "position"):
        yield Finding(
            f"vente {outcome.position} du {name_batch(outcome.batch_id)}, numéro {outcome.number} : attend"
            f" {outcome.awaits}, qui est enregistrée",
            "Cette annulation, ce retour ou ce paiement n'a pas pris effet et ne le prendra pas de lui-même. Faites-le"
            " reprendre : « manage.py retry --status deferred ».",
        )
