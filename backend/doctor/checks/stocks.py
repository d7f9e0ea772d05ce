"""P5 and P6: stock equals its movements, movements match the lines of documents, and outcomes' history is older."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Sum
from django.db.models.functions import Abs, Coalesce

from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import moment, name_batch, name_document, name_unit, quantity
from backend.inventory.models import ArticleUnit, MovementType, StockMovement
from backend.sales.models import OutcomeHistory, Sale, SaleKind, SaleLine, SaleOutcome

ROWS_AT_ONCE = 5000
DOCUMENTS_AT_ONCE = 1000
# SQLite adds decimals as floats; real differences are at least a thousandth.
TOLERANCE = Decimal("0.0005")
NOTHING = Decimal(0)
ALL_MOVEMENTS = "tous les mouvements de stock"
ALL_LINES = "toutes les lignes et tous les mouvements"
COUNT_AGAIN = "Comptez la marchandise, et corrigez par un ajustement qui dit pourquoi."
TYPE_OF: dict[str, MovementType] = {
    SaleKind.SALE: MovementType.SALE,
    SaleKind.VOID: MovementType.VOID,
    SaleKind.RETURN: MovementType.RETURN,
}


@check(promise="P5", title="Le stock de chaque unité est la somme de ses mouvements", cost=ALL_MOVEMENTS)
def stock_is_the_sum_of_movements(scope: Scope) -> Iterator[Finding]:
    units = ArticleUnit.objects.filter(**scope.narrow(terminal=None))
    summed = units.annotate(moved=Coalesce(Sum("movements__quantity"), NOTHING)).annotate(
        gap=Abs(F("stock") - F("moved"))
    )
    for unit_id, stock, moved in summed.filter(gap__gt=TOLERANCE).order_by("pk").values_list("pk", "stock", "moved"):
        repair = None
        if _proven_stock(unit_id) is not None:
            repair = Repair(
                f"Écrire le stock que ses mouvements expliquent ({quantity(moved)}).", partial(_write_stock, unit_id)
            )
        yield Finding(
            f"{name_unit(unit_id)} : stock {quantity(stock)}, ses mouvements font {quantity(moved)}",
            "Le stock a changé sans mouvement, ou un mouvement manque : la boutique vend sur un faux stock."
            + ("" if repair else f" {COUNT_AGAIN}"),
            repair,
        )


def _proven_stock(unit_id: int) -> Decimal | None:
    """Return the stock that the movements prove; None if they contradict each other or the documents' lines.

    The lines are compared too, because otherwise a repair would confirm the loss of a movement.
    """
    stock = NOTHING
    moved_by_documents = NOTHING
    movements = StockMovement.objects.filter(unit_id=unit_id).order_by("pk")
    for before, moved, after, document_id in movements.values_list(
        "stock_before", "quantity", "stock_after", "document_id"
    ).iterator():
        if before != stock or after != before + moved:
            return None
        stock = after
        moved_by_documents += moved if document_id is not None else NOTHING
    sold = NOTHING
    lines = SaleLine.objects.filter(unit_id=unit_id).values_list("document__kind", "quantity")
    for kind, count in lines.iterator():
        sold += count if kind == SaleKind.SALE else -count
    return stock if moved_by_documents == -sold else None


def _write_stock(unit_id: int) -> dict[str, object] | None:
    """Set the stock to the sum of the movements. The movements are right: they cannot be changed."""
    unit = ArticleUnit.objects.select_for_update().get(pk=unit_id)
    proven = _proven_stock(unit_id)
    if proven is None or proven == unit.stock:
        return None
    before, unit.stock = unit.stock, proven
    unit.changed_at = datetime.now(UTC)
    unit.save(update_fields=["stock", "changed_at"])
    return {"before": {"stock": str(before)}, "after": {"stock": str(proven)}}


@check(promise="P5", title="Chaque mouvement part du stock que le précédent a laissé", cost=ALL_MOVEMENTS)
def movements_make_one_chain(scope: Scope) -> Iterator[Finding]:
    """Walk the movements here, unit by unit: a window function would make the database sort those of all years."""
    units = ArticleUnit.objects.filter(**scope.narrow(terminal=None)).order_by("pk")
    for unit_id in units.values_list("pk", flat=True):
        for pk, movement_type, at, fault in _broken_links(unit_id):
            label = MovementType(movement_type).label
            yield Finding(
                f"mouvement n° {pk} ({label}, {moment(at)}) de {name_unit(unit_id)} : {fault}",
                f"Un mouvement a disparu, ou le stock a changé sans mouvement à ce moment-là. {COUNT_AGAIN}",
            )


def _broken_links(unit_id: int) -> Iterator[tuple[int, str, datetime, str]]:
    """Yield (id, type, time, fault) of a unit's movements that do not start from where the previous one ended."""
    movements = StockMovement.objects.filter(unit_id=unit_id).order_by("pk")
    columns = ("pk", "stock_before", "quantity", "stock_after", "type", "at")
    last, left = 0, NOTHING
    while rows := list(movements.filter(pk__gt=last).values_list(*columns)[:ROWS_AT_ONCE]):
        for pk, before, moved, after, movement_type, at in rows:
            if before != left:
                yield pk, movement_type, at, f"part de {quantity(before)}, le précédent avait laissé {quantity(left)}"
            elif after != before + moved:
                fault = f"part de {quantity(before)}, change de {quantity(moved)} et laisse {quantity(after)}"
                yield pk, movement_type, at, fault
            left = after
        last = rows[-1][0]


@check(promise="P5", title="Chaque ligne vendue ou rendue a son mouvement de stock", cost=ALL_LINES)
def lines_have_their_movement(scope: Scope) -> Iterator[Finding]:
    """Each line has one movement of its unit, type and quantity: negative for sold goods, positive for returns."""
    for document_ids in _unlike_their_movements(scope):
        for kind, movement_type in TYPE_OF.items():
            signed = -OuterRef("quantity") if kind == SaleKind.SALE else OuterRef("quantity")
            movement = StockMovement.objects.filter(
                document_id=OuterRef("document_id"), line=OuterRef("position"), unit_id=OuterRef("unit_id"),
                type=movement_type, quantity=signed,
            )  # fmt: skip
            lines = SaleLine.objects.filter(~Exists(movement), document_id__in=document_ids, document__kind=kind)
            for line in lines.order_by("pk"):
                yield Finding(
                    f"ligne {line.position} de {name_document(line.document_id)} : pas de mouvement de stock"
                    f" {movement_type.value} de {quantity(line.quantity)} pour {name_unit(line.unit_id)}",
                    f"Le stock ne dit pas ce que ce document a pris ou rendu. {COUNT_AGAIN}",
                )


@check(promise="P5", title="Chaque mouvement de stock d'un document a sa ligne", cost=ALL_LINES)
def movements_have_their_line(scope: Scope) -> Iterator[Finding]:
    """Find movements of a document without a line, and lines with two movements."""
    line = SaleLine.objects.filter(document_id=OuterRef("document_id"), position=OuterRef("line"))
    for document_ids in _unlike_their_movements(scope):
        movements = StockMovement.objects.filter(document_id__in=document_ids)
        for movement in movements.filter(~Exists(line)).order_by("pk"):
            yield Finding(
                f"mouvement n° {movement.pk} de {name_unit(movement.unit_id)} : {name_document(movement.document_id)}"
                f" n'a pas de ligne {movement.line or '?'}",
                f"Le stock a changé au nom d'un document qui ne le dit pas. {COUNT_AGAIN}",
            )
        twice = movements.filter(line__isnull=False).values("document_id", "line").annotate(count=Count("pk"))
        for row in twice.filter(count__gt=1).order_by("document_id", "line"):
            yield Finding(
                f"ligne {row['line']} de {name_document(row['document_id'])} : {row['count']} mouvements de stock",
                f"La même ligne a été prise ou rendue plusieurs fois. {COUNT_AGAIN}",
            )


def _unlike_their_movements(scope: Scope) -> Iterator[list[int]]:
    """Yield the ids of documents whose lines and movements may differ, to be checked again in one statement.

    Two reads and a comparison here are faster than a million look-ups in the database, but they also yield documents
    that were recorded between the two reads.
    """
    documents = Sale.objects.filter(**scope.narrow()).order_by("pk").values_list("pk", flat=True)
    last = 0
    while ids := list(documents.filter(pk__gt=last)[:DOCUMENTS_AT_ONCE]):
        last = ids[-1]
        within = {"document_id__gte": ids[0], "document_id__lte": last}
        lines = SaleLine.objects.filter(**within).values_list(
            "document_id", "position", "unit_id", "quantity", "document__kind"
        )
        movements = StockMovement.objects.filter(**within).values_list(
            "document_id", "line", "unit_id", "quantity", "type"
        )
        wanted: Counter[tuple[Any, ...]] = Counter(
            (document_id, position, unit_id, -count if kind == SaleKind.SALE else count, TYPE_OF.get(kind))
            for document_id, position, unit_id, count, kind in lines
        )
        moved: Counter[tuple[Any, ...]] = Counter(movements)
        suspects = {document_id for document_id, *_ in (wanted - moved) + (moved - wanted)}
        if found := suspects.intersection(ids):
            yield sorted(found)


@check(promise="P6", title="L'historique d'un résultat est plus ancien que lui")
def history_lies_behind(scope: Scope) -> Iterator[Finding]:
    """Find replaced outcomes whose version is not below the present outcome's, or without a present outcome."""
    narrow = scope.narrow(shop="batch__shop_id", terminal="batch__terminal_id")
    newer = SaleOutcome.objects.filter(
        batch_id=OuterRef("batch_id"), position=OuterRef("position"), version__gt=OuterRef("version")
    )
    odd = OutcomeHistory.objects.filter(~Exists(newer), **narrow).order_by("pk")
    for one in odd:
        yield Finding(
            f"historique n° {one.pk} : « {one.get_status_display()} » (version {one.version}), vente {one.position}"
            f" du {name_batch(one.batch_id)} n'a pas de résultat plus récent",
            "Un résultat a été récrit par-dessus son successeur : la caisse a pu lire l'un et la boutique l'autre."
            " Comparez les deux, et faites rejuger la vente (manage.py retry) si le résultat ne convient pas.",
        )
