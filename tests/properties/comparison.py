"""Where the shop and its model must agree: stock, outcomes, documents, and money in every sum of it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from backend.inventory.models import ArticleUnit, StockMovement
from backend.sales.days.day_totals import totals_of_days
from backend.sales.models import Batch, Lane, MoneyMovement, Sale, SaleLine, SaleOutcome
from backend.sales.money.owed import owed_for
from backend.sales.money.takings import Flow, Takings, takings_by_day, to_cents
from backend.shops.models import Shop as RealShop
from tests.properties import model
from tests.properties.money import BACK, value_of

# What a till has seen of a batch: its version, and the statuses under it.
Seen = dict[int, tuple[int, list[str]]]
MONEY_WARNINGS = {"paiements_differents", "credit_suppose", "mode_suppose"}


def agree_on_stock(shop: model.Shop, real: RealShop) -> None:
    stocks = {str(one): stock for one, stock in ArticleUnit.objects.filter(shop=real).values_list("uuid", "stock")}
    assert stocks == {unit.uuid: unit.stock for unit in shop.units.values()}
    chain: dict[str, Decimal] = {}
    movements = StockMovement.objects.filter(shop=real).order_by("pk")
    for unit, before, moved, after in movements.values_list("unit__uuid", "stock_before", "quantity", "stock_after"):
        assert (chain.get(str(unit), 0), before + moved) == (before, after)
        chain[str(unit)] = after
    assert {unit: chain.get(unit, 0) for unit in stocks} == stocks


def agree_on_outcomes(shop: model.Shop, real_shop: RealShop, seen: Seen) -> None:
    outcomes = SaleOutcome.objects.filter(shop=real_shop).order_by("batch_id", "position")
    real: dict[int, list[tuple[str, str, str | None]]] = {
        batch.id: [] for till in shop.tills.values() for batch in till.batches
    }
    rows = outcomes.values_list("batch_id", "position", "status", "code", "document__registration_number")
    for batch_id, position, *outcome in rows:
        real[batch_id].append(tuple(outcome))
        assert len(real[batch_id]) == position
    expected = {
        batch.id: [(one.status, one.code, one.document and one.document.registered) for one in batch.outcomes]
        for till in shop.tills.values()
        for batch in till.batches
    }
    _check_equal(real, expected)
    for row in Batch.objects.filter(shop=real_shop):
        _agree_on_counts(row, [status for status, *_ in expected[row.pk]], seen)
    waiting = {
        till.id: sum(one.status == "deferred" for batch in till.batches for one in batch.outcomes)
        for till in shop.tills.values()
    }
    lanes = Lane.objects.filter(terminal_id__in=shop.tills).values_list("terminal_id", "waiting_documents")
    assert dict(lanes) == {lane: waiting[lane] for lane, _ in lanes}


def _agree_on_counts(row: Batch, statuses: list[str], seen: Seen) -> None:
    good = sum(status in model.RECORDED_AS.values() for status in statuses)
    counts = (row.next_position - 1, row.created_count, row.error_count, row.duplicate_count)
    assert counts == (len(statuses), good, len(statuses) - good, statuses.count("duplicate"))
    assert (row.settled_at is not None) == (len(statuses) == row.sale_count)
    # What a till has seen under a version never changes under it.
    before = seen.get(row.pk)
    if before and before[1] != statuses:
        assert row.version > before[0]
    seen[row.pk] = (row.version, statuses)


def agree_on_documents(shop: model.Shop, real_shop: RealShop) -> None:
    real = {}
    documents = list(Sale.objects.filter(shop=real_shop))
    lines: dict[int, list[tuple]] = {document.pk: [] for document in documents}
    rows = SaleLine.objects.filter(document__in=documents).order_by("document_id", "position")
    for line in rows.select_related("unit"):
        lines[line.document_id].append(
            (
                str(line.unit.uuid),
                line.article_name,
                line.unit_mark,
                line.quantity,
                line.total,
                line.quantity_returned,
            )
        )
    for one in documents:
        assert one.registration_number not in real
        real[one.registration_number] = (
            (one.kind, one.terminal_id, one.number, one.variant, one.currency, one.total, str(one.business_day)),
            (owed_for(one) if one.kind == "vente" else 0, one.returned_total, one.voided_at is not None),
            (one.paid_total, MONEY_WARNINGS & set(one.warnings)),
            lines[one.pk],
        )
    expected = {
        one.registered: (
            (one.kind, one.till.id, one.number, one.variant, one.currency, one.total, str(one.day)),
            (one.owed, one.came_back, one.is_voided),
            (value_of(one.standing), one.warnings),
            [(line.unit.uuid, line.name, line.mark, line.quantity, line.total, line.returned) for line in one.lines],
        )
        for one in shop.documents()
    }
    _check_equal(real, expected)


def agree_on_money(shop: model.Shop, real_shop: RealShop, now: datetime) -> None:
    """Every movement, by document; the drawers, added up by the database; and the takings of every day."""
    _agree_on_movements(shop, real_shop)
    _agree_on_drawers(shop, real_shop)
    expected = _takings(shop.documents())
    # Those of days that are over are kept: what is recorded for such a day later must be noticed. All others, and
    # those that were noticed, come from takings_by_day.
    kept = totals_of_days(shop=real_shop, days=list(expected), now=now)
    _check_equal({day: _plain(takings) for day, takings in kept.items()}, expected)


def agree_on_takings(shop: model.Shop, real_shop: RealShop) -> None:
    """The takings of every day, none of them kept."""
    expected = _takings(shop.documents())
    found = takings_by_day(shop_id=real_shop.pk, days=list(expected))
    _check_equal({day: _plain(takings) for day, takings in found.items()}, expected)


def _agree_on_movements(shop: model.Shop, real_shop: RealShop) -> None:
    real: dict[tuple, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    where = ("terminal_id", "cashier", "till_day", "business_day")
    columns = ("document__registration_number", "kind", *where, "mode", "currency", "amount", "value")
    for *key, amount, value in MoneyMovement.objects.filter(shop=real_shop).values_list(*columns):
        sums = real[tuple(key)]
        sums[0] += amount
        sums[1] += value
    expected: dict[tuple, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for document in shop.documents():
        for one in document.movements:
            place = (one.place.till, one.place.cashier, one.place.till_day, one.place.day)
            sums = expected[document.registered, one.kind, *place, one.mode, one.currency]
            sums[0] += one.amount
            sums[1] += one.value
    _check_equal(real, expected)


def _agree_on_drawers(shop: model.Shop, real_shop: RealShop) -> None:
    drawer = ("terminal_id", "cashier", "till_day", "mode", "currency")
    rows = MoneyMovement.objects.filter(shop=real_shop).values_list(*drawer).annotate(sum=Sum("amount")).order_by()
    real = [(tuple(key), to_cents(amount)) for *key, amount in rows]
    expected: dict[tuple, Decimal] = defaultdict(Decimal)
    for document in shop.documents():
        for one in document.movements:
            key = (one.place.till, one.place.cashier, one.place.till_day, one.mode, one.currency)
            expected[key] += one.amount
    assert len(real) == len(expected)
    _check_equal(dict(real), expected)


def _takings(documents: Iterable[model.Document]) -> dict[date, dict[str, dict]]:
    """Return, by day, each figure by its key: the amount, and the documents that made it."""
    days: dict[date, dict[str, dict[Any, tuple[Decimal, set]]]] = defaultdict(
        lambda: {name: {} for name in ("came_in", "went_back", "sold", "undone", "voided")}
    )

    def add(day: date, name: str, key: object, amount: Decimal, document: model.Document) -> None:
        before, who = days[day][name].get(key, (Decimal(0), set()))
        days[day][name][key] = (before + amount, who | {document})

    for document in documents:
        for one in document.movements:
            name, sign = ("went_back", -1) if one.kind == BACK else ("came_in", 1)
            add(one.place.day, name, (one.currency, one.mode), sign * one.amount, document)
        if document.kind == "vente":
            add(document.day, "sold", document.currency, document.total, document)
        elif document.kind in ("annulation", "retour"):
            add(document.day, "undone", document.currency, document.total, document)
        if document.kind == "annulation" and document.day == document.origin.day:
            add(document.day, "voided", document.currency, document.origin.total, document)
    return {
        day: {name: {key: (amount, len(who)) for key, (amount, who) in sums.items()} for name, sums in figures.items()}
        for day, figures in days.items()
    }


def _plain(takings: Takings) -> dict[str, dict]:
    def amounts(flows: dict[Any, Flow]) -> dict[Any, tuple[Decimal, int]]:
        return {key: (flow.amount, flow.documents) for key, flow in flows.items()}

    return {name: amounts(getattr(takings, name)) for name in ("came_in", "went_back", "sold", "undone", "voided")}


def _check_equal(real: dict, expected: dict) -> None:
    """Compare key by key: a whole day's rows on both sides would hide which one differs."""
    keys = [key for key in real.keys() | expected.keys() if real.get(key) != expected.get(key)]
    assert not keys, [f"{key}: {real.get(key)} is recorded, {expected.get(key)} is right" for key in keys]
