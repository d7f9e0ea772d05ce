"""P12: a void happens once, and what came back is what the documents say, never more."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Abs, Coalesce

from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import listed, name_document, quantity
from backend.sales.models import Sale, SaleKind, SaleLine

# SQLite adds decimals as floats; real differences are at least a thousandth.
TOLERANCE = Decimal("0.0005")
NOTHING = Decimal(0)
COME_BACK = (SaleKind.VOID, SaleKind.RETURN)
FOLLOWERS = "les documents qui en suivent un autre"


@check(promise="P12", title="Chaque annulation, retour ou paiement suit une vente", cost=FOLLOWERS)
def followers_follow_a_sale(scope: Scope) -> Iterator[Finding]:
    documents = Sale.objects.filter(**scope.narrow())
    is_sale = Q(kind=SaleKind.SALE)
    odd = Q(is_sale, origin__isnull=False) | Q(~is_sale, origin=None) | Q(~is_sale, ~Q(origin__kind=SaleKind.SALE))
    for document in documents.filter(odd).order_by("pk"):
        followed = name_document(document.origin_id) if document.origin_id is not None else "aucune vente"
        yield Finding(
            f"{name_document(document.pk)} suit {followed}",
            "Ce qu'elle a rendu ou encaissé ne se rattache à rien. Cherchez son origine dans les octets de son lot.",
        )


@check(promise="P12", title="Une vente n'est annulée qu'une fois", cost=FOLLOWERS)
def sales_are_voided_once(scope: Scope) -> Iterator[Finding]:
    voids = Sale.objects.filter(kind=SaleKind.VOID, origin__isnull=False, **_origins(scope))
    for row in voids.values("origin_id").annotate(voids=Count("pk")).filter(voids__gt=1).order_by("origin_id"):
        ids = voids.filter(origin_id=row["origin_id"]).order_by("pk").values_list("pk", flat=True)
        yield Finding(
            f"{name_document(row['origin_id'])} est annulée {row['voids']} fois : {listed(map(name_document, ids))}",
            "Ce qu'elle avait pris est peut-être revenu deux fois en stock, et son montant déduit deux fois. Comptez la"
            " marchandise, corrigez par un ajustement, et prévenez la comptabilité.",
        )


def _origins(scope: Scope) -> dict[str, int | None]:
    """Filter by the origin's till and shop: another till of the shop may have recorded the return."""
    return scope.narrow(shop="origin__shop_id", terminal="origin__terminal_id")


@check(promise="P12", title="Une vente est notée annulée quand elle l'est, et tout en est revenu", cost=FOLLOWERS)
def voids_are_whole(scope: Scope) -> Iterator[Finding]:
    """A voided sale has `voided_at` and a void, and the void brought back everything that had not come back before."""
    voids = Sale.objects.filter(kind=SaleKind.VOID)
    unmarked = voids.filter(origin__kind=SaleKind.SALE, origin__voided_at=None, **_origins(scope))
    for origin_id in unmarked.order_by("origin_id").values_list("origin_id", flat=True).distinct():
        yield Finding(
            f"{name_document(origin_id)} a une annulation et n'est pas notée annulée",
            "Une seconde annulation passerait, et rendrait tout une deuxième fois.",
            Repair("Noter la vente annulée à l'heure de son annulation.", partial(_mark_voided, origin_id)),
        )
    marked = Sale.objects.filter(voided_at__isnull=False, **scope.narrow())
    for document_id in marked.exclude(Exists(voids.filter(origin=OuterRef("pk")))).values_list("pk", flat=True):
        yield Finding(
            f"{name_document(document_id)} est notée annulée et n'a pas d'annulation",
            "Elle manque dans la recette sans que rien ne l'explique, et ne peut être ni rendue ni payée. Cherchez son"
            " annulation dans une sauvegarde et dans les lots.",
        )
    undone = SaleLine.objects.filter(Exists(voids.filter(origin=OuterRef("document"))), **_documents(scope))
    for line in _with_back(undone).filter(quantity__gt=F("back") + TOLERANCE).order_by("pk"):
        yield Finding(
            f"ligne {line.position} de {name_document(line.document_id)} : annulée, {quantity(line.back)} revenu sur"
            f" {quantity(line.quantity)}",
            "L'annulation n'a pas rendu au stock tout ce que la vente avait pris. Comptez la marchandise, et corrigez"
            " par un ajustement.",
        )


def _documents(scope: Scope) -> dict[str, int | None]:
    return scope.narrow(shop="document__shop_id", terminal="document__terminal_id")


def _with_back(lines):
    """Annotate lines with the quantity that voids and returns brought back of each."""
    back = SaleLine.objects.filter(origin_line=OuterRef("pk")).order_by().values("origin_line")
    return lines.annotate(back=Coalesce(Subquery(back.annotate(sum=Sum("quantity")).values("sum")), NOTHING))


def _mark_voided(origin_id: int) -> dict[str, object] | None:
    origin = Sale.objects.select_for_update().get(pk=origin_id)
    void = Sale.objects.filter(origin=origin, kind=SaleKind.VOID).order_by("pk").first()
    if void is None or origin.voided_at is not None:
        return None
    origin.voided_at = void.recorded_at
    origin.save(update_fields=["voided_at"])
    return {"before": {"voided_at": None}, "after": {"voided_at": str(void.recorded_at)}}


@check(promise="P12", title="Rien ne revient au-delà de ce qui a été vendu", cost=FOLLOWERS)
def returns_stay_within_the_sale(scope: Scope) -> Iterator[Finding]:
    narrow = scope.narrow(shop="origin_line__document__shop_id", terminal="origin_line__document__terminal_id")
    returned = SaleLine.objects.filter(origin_line__isnull=False, **narrow).values(
        "origin_line_id", "origin_line__quantity"
    )
    for row in returned.annotate(back=Sum("quantity")).filter(
        back__gt=F("origin_line__quantity") + TOLERANCE
    ).order_by("origin_line_id"):  # fmt: skip
        line = SaleLine.objects.get(pk=row["origin_line_id"])
        yield Finding(
            f"ligne {line.position} de {name_document(line.document_id)} : {quantity(row['back'])} revenu sur"
            f" {quantity(line.quantity)} vendu",
            "Plus est revenu que vendu : le stock est trop haut, et trop d'argent a été rendu. Comptez la marchandise,"
            " et corrigez par un ajustement.",
        )


@check(promise="P12", title="Chaque vente sait ce qui en est revenu", cost=FOLLOWERS)
def origins_know_their_followers(scope: Scope) -> Iterator[Finding]:
    """Compare the sums stored on a sale with the documents that followed it. The documents are right: they never
    change."""
    for document_id in sorted(_misinformed(scope)):
        stored, summed = _stored_sums(document_id), _document_sums(document_id)
        if stored == summed:
            continue
        faults = [f"{name} {quantity(stored[name])} au lieu de {quantity(summed[name])}" for name in summed
                  if stored[name] != summed[name]]  # fmt: skip
        yield Finding(
            f"{name_document(document_id)} : {', '.join(faults)}",
            "Un retour, une annulation ou un paiement serait accepté de trop, ou refusé à tort.",
            Repair("Recompter la vente d'après les documents qui l'ont suivie.", partial(_recount, document_id)),
        )


def _misinformed(scope: Scope) -> set[int]:
    """Return the sales whose sums differ. Each question is one statement that starts from the side with fewer rows."""
    by_line = SaleLine.objects.filter(origin_line__isnull=False, **scope.narrow(
        shop="origin_line__document__shop_id", terminal="origin_line__document__terminal_id"
    )).values("origin_line_id", "origin_line__document_id", "origin_line__quantity_returned")  # fmt: skip
    off_lines = by_line.annotate(sum=Sum("quantity")).annotate(gap=Abs(F("sum") - F("origin_line__quantity_returned")))
    follower_lines = SaleLine.objects.filter(origin_line=OuterRef("pk"))
    lonely = SaleLine.objects.filter(~Exists(follower_lines), **_documents(scope)).exclude(quantity_returned=0)
    found = {
        *off_lines.filter(gap__gt=TOLERANCE).values_list("origin_line__document_id", flat=True),
        *lonely.values_list("document_id", flat=True),
    }
    followers = Sale.objects.filter(kind__in=COME_BACK)
    by_sale = followers.filter(origin__isnull=False, **_origins(scope)).values("origin_id", "origin__returned_total")
    off = by_sale.annotate(sum=Sum("total")).annotate(gap=Abs(F("sum") - F("origin__returned_total")))
    found.update(off.filter(gap__gt=TOLERANCE).values_list("origin_id", flat=True))
    alone = Sale.objects.filter(~Exists(followers.filter(origin=OuterRef("pk"))), **scope.narrow())
    found.update(alone.exclude(returned_total=0).values_list("pk", flat=True))
    return found


def _stored_sums(document_id: int) -> dict[str, Decimal]:
    sale = Sale.objects.get(pk=document_id)
    lines = SaleLine.objects.filter(document_id=document_id).order_by("position")
    stored = {f"ligne {line.position} revenu": line.quantity_returned for line in lines}
    return stored | {"rendu": sale.returned_total}


def _document_sums(document_id: int) -> dict[str, Decimal]:
    """Return the sums of the followers, under the same labels."""
    summed = {}
    for line in SaleLine.objects.filter(document_id=document_id).order_by("position"):
        followers = SaleLine.objects.filter(origin_line=line).values_list("quantity", flat=True)
        summed[f"ligne {line.position} revenu"] = sum(followers, NOTHING)
    totals = Sale.objects.filter(origin_id=document_id).values_list("kind", "total")
    back = sum((total for kind, total in totals if kind in COME_BACK), NOTHING)
    return summed | {"rendu": back}


def _recount(document_id: int) -> dict[str, object] | None:
    sale = Sale.objects.select_for_update().get(pk=document_id)
    stored, summed = _stored_sums(document_id), _document_sums(document_id)
    if stored == summed:
        return None
    for line in SaleLine.objects.filter(document_id=document_id):
        if line.quantity_returned != summed[f"ligne {line.position} revenu"]:
            line.quantity_returned = summed[f"ligne {line.position} revenu"]
            line.save(update_fields=["quantity_returned"])
    sale.returned_total = summed["rendu"]
    sale.save(update_fields=["returned_total"])
    return {"before": {name: str(value) for name, value in stored.items()},
            "after": {name: str(value) for name, value in summed.items()}}  # fmt: skip
