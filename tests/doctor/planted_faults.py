"""Plants faults for tests of the doctor, and asserts which checks find them and that repairs change nothing else."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from backend.db import dialect
from backend.db.transients import bounded_time
from backend.doctor.checks import (
    batches,
    deferrals,
    drawers,
    followers,
    money,
    order,
    orphans,
    outcomes,
    registers,
    sequence_gaps,
    stocks,
    totals,
    units,
    walls,
)
from backend.doctor.registry import CHECKS, Finding, Scope
from backend.inventory.models import ArticleUnit, StockMovement
from backend.sales.models import InvoiceSequence, MoneyMovement, Sale, SaleLine, SaleOutcome
from backend.testing import Cast, make_device
from tests.tills import Till, line, sale

MODULES = {
    module.__name__ for module in
    (batches, deferrals, drawers, followers, money, order, orphans, outcomes, registers, sequence_gaps, stocks, totals,
     units, walls)
}  # fmt: skip
# A repair may change nothing else.
Tables = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


def findings(scope: Scope | None = None) -> dict[str, list[Finding]]:
    """Return the findings of the checks on data, by the check's name, without checks that find nothing."""
    found = {
        one.name: list(one.look(scope or Scope())) for one in CHECKS if one.look.__module__ in MODULES
    }  # fmt: skip
    return {name: some for name, some in found.items() if some}


def only_finding(name: str, *, beside: Collection[str] = ()) -> Finding:
    """Return the only finding of this check. `beside`: the other checks that must find something; no more may."""
    found = findings()
    assert set(found) == {name, *beside}, {check: [one.found for one in some] for check, some in found.items()}
    (finding,) = found[name]
    return finding


def repair(finding: Finding) -> Any:
    """Carry out a repair as the doctor does."""
    with transaction.atomic(), bounded_time():
        return finding.repair.act()


def dump() -> Tables:
    """Return every row of every table, by its primary key."""
    tables: Tables = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            keys = [field.column for field in model._meta.pk_fields]
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            columns = [column[0] for column in cursor.description]
            rows = (dict(zip(columns, row, strict=True)) for row in cursor.fetchall())
            tables[model._meta.db_table] = {tuple(row[key] for key in keys): row for row in rows}
    return tables


def changes(before: Tables, after: Tables) -> dict[str, set[str]]:
    """Return the columns that differ, by table: all columns of a row that was added or deleted."""
    changed: dict[str, set[str]] = {}
    for table, rows in after.items():
        for key in rows.keys() | before[table].keys():
            old, new = before[table].get(key), rows.get(key)
            if old is None or new is None:
                changed.setdefault(table, set()).update(old or new or ())
            elif old != new:
                changed.setdefault(table, set()).update(name for name in new if new[name] != old[name])
    return changed


def repaired(finding: Finding) -> dict[str, set[str]]:
    """Carry out the repair, assert that nothing is found then and that a repeat does nothing; return the changes."""
    before = dump()
    assert repair(finding) is not None
    changed = changes(before, dump())
    assert findings() == {}
    after = dump()
    assert repair(finding) is None
    assert changes(after, dump()) == {}
    return changed


def write(table: str, where: str, **columns: object) -> None:
    """Change rows directly, as by hand in the database."""
    names = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {names} WHERE {where}", list(columns.values()))
        assert cursor.rowcount > 0


def erase(table: str, where: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {where}")
        assert cursor.rowcount > 0


@contextmanager
def unguarded() -> Iterator[None]:
    """Drop triggers and foreign keys during the block, so that it can change what they guard. Commits on MariaDB."""
    dialect.drop_triggers(connection)
    try:
        with connection.constraint_checks_disabled():
            yield
    finally:
        dialect.install_triggers(connection)


@contextmanager
def unchecked() -> Iterator[None]:
    """Ignore foreign keys during the block, so that it can refer to missing rows."""
    with connection.constraint_checks_disabled():
        yield


def follower(kind: str, number: str, origin: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "numero_facture": number, "origine": {"numero_facture": origin}, **fields}


def returned(*lines: tuple[int, object]) -> list[dict[str, Any]]:
    return [{"ligne": at, "quantite": quantity} for at, quantity in lines]


def busy_day(cast: Cast) -> Till:
    """Give Alice's shop a day with everything that may happen to a sale, without any fault."""
    till = Till(cast.device)
    spare = Till(make_device(cast.terminal))
    two = [line(cast.rice, quantity=3), line(cast.oil, quantity="1.5")]
    mixed = [{"mode": "CASH", "montant": 100}, {"mode": "CASH", "devise": "USD", "montant": 1, "taux": 2850}]
    till.settle(
        sale("FAC-1", *two, remise=500, sequence=1),
        sale("FAC-2", line(cast.rice, quantity=2), line(cast.rice, quantity=1), sequence=2),
        sale("FAC-3", line(cast.rice), paye=False, paiements=mixed, sequence=3),
        sale("FAC-1", *two, remise=500, sequence=1),
        sale("FAC-1", *two, sequence=4),
        sale("FAC-4", line(cast.rice, quantity=1000), sequence=5),
        {"numero_facture": "FAC-5"},
        follower("annulation", "AVO-9", "FAC-9", sequence=6),
        follower("retour", "RET-2", "FAC-2", lignes=returned((1, 1)), sequence=7),
        follower("annulation", "AVO-1", "FAC-1", sequence=8),
    )
    till.settle(follower("annulation", "AVO-2", "FAC-2"), follower("annulation", "AVO-3", "FAC-2"))
    till.settle(
        follower("paiement", "PAI-1", "FAC-3", montant=100),
        follower("retour", "RET-8", "FAC-8", lignes=returned((1, 1))),
    )
    till.settle(
        sale("FAC-8", line(cast.oil, quantity=2)),
        sale(
            "FAC-2",
            {"unite_uuid": str(cast.rice.base_unit.uuid), "quantite": 2, "prix_unitaire": 25000},
            line(cast.rice),
        ),
    )
    spare.settle(sale("FAC-3", line(cast.oil)))
    other = Till(cast.other_device)
    other.settle(sale("FAC-1", line(cast.other_article)))
    till.hand_over(sale("FAC-20", line(cast.rice)), sale("FAC-21", line(cast.rice)))
    till.post_next()
    return till


def document(number: str, *, variant: int = 1) -> Sale:
    """Return Alice's document of this number."""
    return Sale.objects.get(number=number, variant=variant, shop__code="BTQ-009")


def outcome(number: str, status: str) -> SaleOutcome:
    return SaleOutcome.objects.get(number=number, status=status, shop__code="BTQ-009")


def place_of(one: SaleOutcome) -> str:
    """Return the condition that names an outcome's row."""
    return f"batch_id = {one.batch_id} AND position = {one.position}"


def copy_document(first: Sale, **fields: object) -> Sale:
    """Write a document directly, without a batch or lines, with the next number of its register."""
    sequence = InvoiceSequence.objects.get(shop=first.shop, year=first.register_year, month=first.register_month)
    sequence.last_number += 1
    sequence.save(update_fields=["last_number"])
    copy = document(first.number, variant=first.variant)
    copy.pk, copy.batch, copy.position, copy.voided_at = None, None, None, None
    copy.returned_total = copy.paid_total = copy.total = Decimal(0)
    copy.register_number = sequence.last_number
    copy.registration_number = f"{first.registration_number[:-6]}{sequence.last_number:06}"
    for name, value in fields.items():
        setattr(copy, name, value)
    copy._state.adding = True
    copy.save(force_insert=True)
    return copy


def move(unit: ArticleUnit, quantity: object, **fields: object) -> StockMovement:
    """Write a movement and the stock after it, as a posting would, with `fields` instead of its own values."""
    unit.refresh_from_db()
    before, after = unit.stock, unit.stock + Decimal(str(quantity))
    ArticleUnit.objects.filter(pk=unit.pk).update(stock=after)
    wanted = {"type": "AJUSTEMENT", "stock_before": before, "stock_after": after, "at": datetime.now(UTC), **fields}
    return StockMovement.objects.create(**{"unit": unit, "shop_id": unit.shop_id, "quantity": quantity, **wanted})


def add_money(to: Sale, amount: object = 0, **fields: object) -> MoneyMovement:
    """Write one more movement of money of a document, in its drawer, with `fields` instead of its own values.

    The database lets nobody change a movement; one of nothing changes no sum.
    """
    wanted = {
        "position": to.money.count() + 1, "shop_id": to.shop_id, "terminal_id": to.terminal_id,
        "cashier": to.cashier_code or to.cashier_name, "till_day": to.till_day, "business_day": to.business_day,
        "kind": "ENCAISSEMENT", "mode": "CASH", "currency": to.currency, "value": amount, **fields,
    }  # fmt: skip
    return MoneyMovement.objects.create(document=to, amount=amount, **wanted)


def add_line(to: Sale, unit: ArticleUnit, quantity: object, **fields: object) -> SaleLine:
    """Write one more line of a document, without a movement."""
    position = to.lines.count() + 1
    wanted = {"unit_price": 0, "total": 0, "article_name": "Article", **fields}
    return SaleLine.objects.create(
        document=to, shop_id=to.shop_id, position=position, unit=unit, quantity=quantity, **wanted
    )
