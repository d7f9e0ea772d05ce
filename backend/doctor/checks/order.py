"""P9: a till's sales took effect in the order it sent them, one batch at a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from django.db.models import Count, Exists, F, Min, OuterRef, Q, Window
from django.db.models.functions import Lag

from backend.doctor.registry import Finding, Scope, check
from backend.doctor.wording import listed, name_batch, name_document, name_till
from backend.sales.models import Batch, OutcomeHistory, Sale, SaleOutcome
from backend.shops.models import Terminal

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

# A batch whose COMMIT hangs appears later than its id suggests, and machines' clocks differ a little: two batches so
# close have no order.
TOGETHER = timedelta(seconds=10)


class Before(TypedDict):
    """The document of the same till that was recorded before."""

    pk_before: int
    position_before: int
    batch_before: int


StepBack: TypeAlias = "WithAnnotations[Sale, Before]"


@check(promise="P9", title="Les ventes de chaque caisse sont enregistrées dans leur ordre", cost="tous les documents")
def documents_follow_their_batches(scope: Scope) -> Iterator[Finding]:
    """Ids of documents rise with (batch, position), except for sales recorded late, whose history says why.

    Two batches at one time have no order: it is no fault if a batch was begun before one with a lower id was visible.
    """
    tills = Terminal.objects.filter(**scope.narrow(terminal="pk")).order_by("pk")
    for terminal_id in tills.values_list("pk", flat=True):
        for sale in _steps_back(terminal_id):
            assert sale.batch_id is not None, "the others are left out"
            if sale.batch_id == sale.batch_before or _came_first(sale.batch_id, sale.batch_before):
                yield Finding(
                    f"{name_till(terminal_id)} : {name_document(sale.pk)}, vente {sale.position} du"
                    f" {name_batch(sale.batch_id)}, est enregistrée après {name_document(sale.pk_before)}, vente"
                    f" {sale.position_before} du lot n° {sale.batch_before}",
                    "Une vente plus ancienne a trouvé le stock et les prix d'après : un refus ou un stock négatif peut"
                    " venir de là. Rien n'est perdu ni doublé ; signalez-le : deux ouvriers étaient à la même caisse.",
                )


def _steps_back(terminal_id: int) -> "list[StepBack]":
    """Return the documents recorded after a document that the till sent later, each with that document."""
    late = OutcomeHistory.objects.filter(batch_id=OuterRef("batch_id"), position=OuterRef("position"))
    documents = Sale.objects.filter(~Exists(late), terminal_id=terminal_id, batch__isnull=False)
    walked = documents.annotate(
        pk_before=Window(Lag("pk"), order_by="pk"),
        position_before=Window(Lag("position"), order_by="pk"),
        batch_before=Window(Lag("batch_id"), order_by="pk"),
    )
    is_back = Q(batch_before__gt=F("batch_id")) | Q(batch_before=F("batch_id"), position_before__gte=F("position"))
    return list(walked.filter(is_back).order_by("pk"))


def _came_first(batch_id: int, other_id: int) -> bool:
    """Return whether the batch was in the table well before the other, with a higher id, was begun."""
    begun_at = _begun_at(other_id)
    received_at = Batch.objects.values_list("received_at", flat=True).get(pk=batch_id)
    return begun_at is not None and received_at + TOGETHER < begun_at


def _begun_at(batch_id: int) -> datetime | None:
    """Return when the batch's first sale was settled, by an outcome that may have been replaced since."""
    moments = [
        rows.objects.filter(batch_id=batch_id).aggregate(at=Min("at"))["at"] for rows in (SaleOutcome, OutcomeHistory)
    ]
    return min((at for at in moments if at is not None), default=None)


@check(promise="P9", title="Chaque caisse n'a qu'un lot commencé à la fois")
def one_batch_is_begun(scope: Scope) -> Iterator[Finding]:
    begun = Batch.objects.filter(settled_at=None, next_position__gt=1, **scope.narrow())
    for row in begun.values("terminal_id").annotate(batches=Count("pk")).filter(batches__gt=1).order_by("terminal_id"):
        ids = begun.filter(terminal_id=row["terminal_id"]).order_by("pk").values_list("pk", flat=True)
        yield Finding(
            f"{name_till(row['terminal_id'])} : {row['batches']} lots commencés ({listed(map(name_batch, ids))})",
            "Les ventes d'un lot sont enregistrées entre celles d'un autre. Elles le seront toutes, le plus ancien"
            " d'abord ; signalez-le, deux ouvriers ont travaillé à la même caisse, ou quelqu'un a changé un curseur.",
        )
