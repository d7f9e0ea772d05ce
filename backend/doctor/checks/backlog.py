"""Checks of what waits: accepted sales that are not recorded, sales that kill workers, documents without origin."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db.models import Count, Exists, F, Min, OuterRef, Q, Sum

from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import age, count, listed, moment, name_shop, name_till, sentence
from backend.sales.dispatch import ring
from backend.sales.models import Batch, Lane, OutcomeStatus, Pause, SaleOutcome
from backend.sales.posting.crash_guard import STARTS_MAX
from backend.sales.posting.runner import post_slice
from backend.shops.models import Shop

# A sweep comes within seconds. A longer wait is a fault, or the machine is too small.
WAIT_MAX = timedelta(minutes=15)
DEFERRED_MAX = timedelta(days=7)
# How long the doctor posts for one till before it leaves the rest to the workers.
POSTING_S_MAX = 60
NAMED_MAX = 5


@check(promise="P10", title="Ce que les caisses ont remis est enregistré sans attendre")
def waiting_batches(scope: Scope) -> Iterator[Finding]:
    now = datetime.now(UTC)
    stopped = Pause.objects.filter(
        Q(shop=None) | Q(shop_id=OuterRef("shop_id")), Q(terminal=None) | Q(terminal_id=OuterRef("terminal_id"))
    )
    waiting = Batch.objects.filter(~Exists(stopped), settled_at=None, **scope.narrow()).values("terminal_id", "shop_id")
    late = waiting.annotate(
        batches=Count("pk"), sales=Sum(F("sale_count") - F("next_position") + 1), oldest=Min("received_at")
    ).filter(oldest__lt=now - WAIT_MAX)
    for row in late.order_by("oldest").iterator():
        oldest = Batch.objects.filter(settled_at=None, terminal_id=row["terminal_id"]).order_by("pk").first()
        where = f" ; le premier, reçu {oldest.receipt}, en est à sa vente {oldest.next_position}" if oldest else ""
        yield Finding(
            sentence(
                f"{name_till(row['terminal_id'])} ({name_shop(row['shop_id'])}) : {count(row['sales'], 'vente')} en"
                f" attente dans {count(row['batches'], 'lot')} depuis {age(now - row['oldest'])}{where}"
            ),
            "Ces ventes sont en sûreté, mais manquent encore dans le stock et dans les chiffres. Vérifiez qu'un ouvrier"
            " ou une ronde (manage.py sweep) tourne.",
            Repair(
                "Enregistrer ces ventes ici même, comme le ferait une ronde, puis sonner pour le reste.",
                partial(_post, row["terminal_id"]),
                is_transactional=False,
            ),
        )


def _post(terminal_id: int) -> dict[str, object]:
    """Post as a sweep does, under the lane's lock, so that it does not disturb workers."""
    before = Batch.objects.filter(terminal_id=terminal_id, settled_at=None).count()
    deadline = time.monotonic() + POSTING_S_MAX
    has_more = True
    while has_more and time.monotonic() < deadline:
        has_more = post_slice(terminal_id).has_more
    after = Batch.objects.filter(terminal_id=terminal_id, settled_at=None).count()
    if after:
        ring(terminal_id)
    return {"before": f"{before} unsettled", "after": f"{after} unsettled"}


@check(promise="P10", title="Aucune vente ne tue qui veut l'enregistrer")
def deadly_sales(scope: Scope) -> Iterator[Finding]:
    lanes = Lane.objects.filter(starts__gte=STARTS_MAX, **scope.narrow(shop="terminal__shop_id", terminal="pk"))
    for lane in lanes.order_by("pk").iterator():
        batch = Batch.objects.filter(pk=lane.starts_batch, next_position=lane.starts_position, settled_at=None).first()
        if batch is not None:
            yield Finding(
                sentence(
                    f"{name_till(lane.pk)} : la vente {lane.starts_position} du reçu {batch.receipt} a interrompu son"
                    f" enregistrement {lane.starts} fois, la dernière {moment(lane.starts_at)}"
                ),
                "Elle est essayée encore une fois seule, puis mise en échec pour que les suivantes passent. Si elle"
                " reste là, c'est que plus personne n'enregistre ; cherchez la cause dans le journal des ouvriers.",
            )


@check(promise="P10", title="Aucun document n'attend sa vente d'origine depuis des jours")
def long_deferred(scope: Scope) -> Iterator[Finding]:
    """Ask shop by shop: the index of outcomes begins with the shop, and without it a year of them would be read."""
    now = datetime.now(UTC)
    of_till = {"terminal_id": scope.terminal.pk} if scope.terminal is not None else {}
    for shop_id in _shops_of(scope):
        deferred = SaleOutcome.objects.filter(
            shop_id=shop_id, status=OutcomeStatus.DEFERRED, at__lt=now - DEFERRED_MAX, **of_till
        )
        for row in deferred.values("terminal_id").annotate(count=Count("at"), oldest=Min("at")).order_by("terminal_id"):
            first = deferred.filter(terminal_id=row["terminal_id"]).order_by("at")[:NAMED_MAX]
            named = listed(f"{outcome.number} (attend {outcome.awaits})" for outcome in first)
            yield Finding(
                sentence(
                    f"{name_till(row['terminal_id'])} : {count(row['count'], 'document')} sans vente d'origine depuis"
                    f" {age(now - row['oldest'])} : {named}"
                ),
                "Ces annulations, retours ou paiements n'ont pas d'effet. Si la vente qu'ils nomment est encore dans"
                " une caisse, faites-la envoyer ; sinon, mettez-les de côté avec un motif.",
            )


def _shops_of(scope: Scope) -> Iterator[int]:
    if scope.terminal is not None:
        # The shops that the till was in when it sent them.
        batches = Batch.objects.filter(terminal=scope.terminal)
        return batches.order_by("shop_id").values_list("shop_id", flat=True).distinct().iterator()
    shops = Shop.objects.filter(**scope.narrow(shop="pk", terminal=None))
    return shops.order_by("pk").values_list("pk", flat=True).iterator()
