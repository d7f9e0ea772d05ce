"""What must be true of the tables after every test; computed without the code that filled them."""

from collections import Counter, defaultdict
from decimal import Decimal

from backend.inventory.models import ArticleUnit, StockMovement
from backend.sales.models import (
    Batch,
    InvoiceSequence,
    Lane,
    MoneyMovement,
    OutcomeHistory,
    OutcomeStatus,
    Sale,
    SaleKind,
    SaleLine,
    SaleOutcome,
)


def check_invariants(*, is_settled: bool = True) -> None:
    """Assert the promises that leave traces: P2, P3, P4, P5, P7, P9 and P13, over the whole database."""
    check_outcomes(is_settled=is_settled)
    check_stock()
    check_money()
    check_register()
    check_order()


def check_outcomes(*, is_settled: bool) -> None:
    """One outcome for each sale below the cursor and none above it; each recorded sale has exactly one document."""
    positions = defaultdict(list)
    for batch_id, position in SaleOutcome.objects.order_by("batch_id", "position").values_list("batch_id", "position"):
        positions[batch_id].append(position)
    for batch in Batch.objects.all():
        if is_settled:
            assert batch.settled_at is not None, f"batch {batch.pk} is at {batch.next_position}/{batch.sale_count}"
        assert positions[batch.pk] == list(range(1, batch.next_position)), f"batch {batch.pk}"
        assert batch.created_count + batch.error_count == batch.next_position - 1
        assert (batch.settled_at is not None) == (batch.next_position > batch.sale_count)
    good = (OutcomeStatus.CREATED, OutcomeStatus.VOIDED, OutcomeStatus.RETURNED, OutcomeStatus.PAID)
    outcomes = SaleOutcome.objects.filter(status__in=good)
    created = outcomes.values_list("batch_id", "position", "document_id")
    documents = Sale.objects.values_list("batch_id", "position", "id")
    assert sorted(created) == sorted(documents)
    lines = Counter(SaleLine.objects.values_list("document_id", flat=True))
    assert set(lines) >= set(Sale.objects.filter(kind=SaleKind.SALE).values_list("pk", flat=True))


def check_stock() -> None:
    """Each unit's stock is the sum of its movements, and the movements make one chain."""
    stocks = defaultdict(Decimal)
    for movement in StockMovement.objects.order_by("pk"):
        assert movement.stock_before == stocks[movement.unit_id], f"movement {movement.pk} breaks the chain"
        stocks[movement.unit_id] += movement.quantity
        assert movement.stock_after == stocks[movement.unit_id]
    for unit in ArticleUnit.objects.all():
        assert unit.stock == stocks[unit.pk], f"unit {unit.pk}: {unit.stock} is not {stocks[unit.pk]}"
    sold = defaultdict(Decimal)
    for kind, unit_id, quantity in SaleLine.objects.values_list("document__kind", "unit_id", "quantity"):
        sold[unit_id] += quantity if kind == SaleKind.SALE else -quantity
    moved = defaultdict(Decimal)
    for unit_id, quantity in StockMovement.objects.exclude(document=None).values_list("unit_id", "quantity"):
        moved[unit_id] -= quantity
    assert sold == moved


def check_money() -> None:
    """What a sale keeps as paid is the sum of its movements and its followers'; one that is paid was paid its total."""
    values: dict[int, Decimal] = defaultdict(Decimal)
    for document_id, value in MoneyMovement.objects.values_list("document_id", "value"):
        values[document_id] += value
    of_sale: dict[int, Decimal] = defaultdict(Decimal, values)
    for document_id, origin_id in Sale.objects.exclude(origin=None).values_list("pk", "origin_id"):
        of_sale[origin_id] += values[document_id]
    for sale in Sale.objects.all():
        assert sale.paid_total == of_sale[sale.pk], f"document {sale.pk}: {sale.paid_total} is not {of_sale[sale.pk]}"
        if sale.kind == SaleKind.SALE and sale.is_paid and "paiements_differents" not in sale.warnings:
            assert abs(values[sale.pk] - sale.total) < 50, f"sale {sale.pk} was paid {values[sale.pk]} of {sale.total}"


def check_register() -> None:
    """Registration numbers run 1, 2, 3… in each shop's month, and the sequence has the last."""
    numbers = defaultdict(list)
    for shop_id, year, month, number in Sale.objects.values_list(
        "shop_id", "register_year", "register_month", "register_number"
    ):
        numbers[shop_id, year, month].append(number)
    for month, taken in numbers.items():
        assert sorted(taken) == list(range(1, len(taken) + 1)), f"register of {month}"
    sequences = {(s.shop_id, s.year, s.month): s.last_number for s in InvoiceSequence.objects.all()}
    assert {month: len(taken) for month, taken in numbers.items()} == {m: n for m, n in sequences.items() if n}


def check_order() -> None:
    """A till's documents have ids in the order of its batches, then of the positions.

    Except for sales whose outcome was replaced: they were tried again later.
    """
    later = set(OutcomeHistory.objects.values_list("batch_id", "position"))
    for lane in Lane.objects.all():
        sales = Sale.objects.filter(terminal_id=lane.pk, kind=SaleKind.SALE)
        places = [place for place in sales.order_by("pk").values_list("batch_id", "position") if place not in later]
        assert places == sorted(places), f"terminal {lane.pk}"
