"""The hand-written statements of a posting, in the order in which it runs them.

The ORM would cost four times the statements themselves here (docs/decisions says what was measured); all other code
uses it. The models describe the same tables, and tests/sales/test_sql.py compares the two. All functions run inside
the posting's transaction, with its cursor.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backend.db import dialect
from backend.sales.money.movements import Placed

NOT_PAUSED = (
    "NOT EXISTS (SELECT 1 FROM sales_pause p WHERE (p.shop_id IS NULL OR p.shop_id = b.shop_id)"
    " AND (p.terminal_id IS NULL OR p.terminal_id = b.terminal_id))"
)


class LaneRow(NamedTuple):
    starts: int
    starts_batch: int
    starts_position: int
    starts_at: datetime | None
    sequence_seen: int | None
    sequence_holes: str
    waiting_documents: int
    sales_set_aside: int


class BatchRow(NamedTuple):
    id: int
    receipt: uuid.UUID
    shop_id: int
    device_id: int
    sale_count: int
    next_position: int
    created_count: int
    error_count: int
    duplicate_count: int
    version: int
    received_at: datetime
    request_id: str


class KnownSale(NamedTuple):
    id: int
    variant: int
    fingerprint: str
    device_id: int | None
    batch_id: int | None
    position: int | None


class UnitRow(NamedTuple):
    mark: str
    vat_rate: Decimal
    stock: Decimal
    changed_at: datetime


def claim_lane(cursor: CursorWrapper, *, terminal_id: int) -> LaneRow | None:
    """Lock the lane and return it, or return None at once if another process holds it."""
    cursor.execute(
        "SELECT starts, starts_batch, starts_position, starts_at, sequence_seen, sequence_holes, waiting_documents,"
        f" sales_set_aside FROM sales_lane WHERE terminal_id = %s{dialect.skip_locked(cursor.db)}",
        [terminal_id],
    )
    row = cursor.fetchone()
    if row is None:
        return None
    return LaneRow(row[0], row[1], row[2], dialect.read_instant(row[3]), row[4], row[5], row[6], row[7])


def pick_batch(cursor: CursorWrapper, *, terminal_id: int) -> BatchRow | None:
    """Return the batch to post next: a begun one before the others, then in order of acceptance. Locks nothing."""
    cursor.execute(
        "SELECT id, receipt, shop_id, device_id, sale_count, next_position, created_count, error_count,"
        " duplicate_count, version, received_at, request_id FROM sales_batch b"
        f" WHERE settled_at IS NULL AND terminal_id = %s AND {NOT_PAUSED}"
        " ORDER BY next_position = 1, id LIMIT 1",
        [terminal_id],
    )
    row = cursor.fetchone()
    if row is None:
        return None
    return BatchRow(
        row[0], dialect.read_uuid(row[1]), row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9],
        dialect.read_instant(row[10]), row[11],
    )  # fmt: skip


def has_work(cursor: CursorWrapper, *, terminal_id: int) -> bool:
    cursor.execute(
        f"SELECT 1 FROM sales_batch b WHERE settled_at IS NULL AND terminal_id = %s AND {NOT_PAUSED} LIMIT 1",
        [terminal_id],
    )
    return cursor.fetchone() is not None


def read_body(cursor: CursorWrapper, *, batch_id: int) -> bytes:
    cursor.execute("SELECT deflated FROM sales_batchbody WHERE batch_id = %s", [batch_id])
    deflated: bytes = cursor.fetchone()[0]
    return deflated


def sales_with_number(cursor: CursorWrapper, *, terminal_id: int, number: str) -> list[KnownSale]:
    """Return every variant that has this till's number, first to last."""
    cursor.execute(
        "SELECT id, variant, fingerprint, device_id, batch_id, position FROM sales_sale"
        " WHERE terminal_id = %s AND number = %s ORDER BY variant",
        [terminal_id, number],
    )
    return [KnownSale(*row) for row in cursor.fetchall()]


def lock_units(cursor: CursorWrapper, *, unit_ids: Iterable[int]) -> dict[int, UnitRow]:
    """Lock units by primary key in id order, the order that all code keeps, and return their rows."""
    ids = sorted(unit_ids)
    cursor.execute(
        f"SELECT id, mark, vat_rate, stock, changed_at FROM inventory_articleunit WHERE id IN ({_marks(ids)})"
        f" ORDER BY id{dialect.for_update(cursor.db)}",
        ids,
    )
    return {
        row[0]: UnitRow(
            row[1],
            dialect.read_decimal(row[2], places=2),
            dialect.read_decimal(row[3], places=3),
            dialect.read_instant(row[4]),
        )
        for row in cursor.fetchall()
    }


SALE_COLUMNS = (
    "kind", "shop_id", "terminal_id", "device_id", "number", "variant", "registration_number", "batch_id", "position",
    "origin_id", "currency", "discount", "total", "payment_mode", "is_paid", "paid_total",
    "returned_total", "cashier_code", "cashier_name", "customer_name", "customer_phone", "customer_nif", "reason",
    "sold_at", "sold_at_text", "received_at", "recorded_at", "business_day", "till_day", "fingerprint",
    "warnings", "fiscal",
)  # fmt: skip
LINE_COLUMNS = (
    "document_id", "shop_id", "position", "unit_id", "origin_line_id", "article_name", "unit_mark", "quantity",
    "quantity_returned", "unit_price", "discount", "vat_rate", "total",
)  # fmt: skip
MOVEMENT_COLUMNS = (
    "unit_id", "shop_id", "type", "quantity", "stock_before", "stock_after", "reference", "author", "document_id",
    "line", "comment", "at",
)  # fmt: skip
MONEY_COLUMNS = (
    "document_id", "position", "shop_id", "terminal_id", "cashier", "till_day", "business_day", "kind", "mode",
    "currency", "amount", "rate", "value",
)  # fmt: skip
OUTCOME_COLUMNS = (
    "batch_id", "position", "shop_id", "terminal_id", "number", "fingerprint", "status", "code", "path", "params",
    "detail", "document_id", "amount", "currency", "business_day", "version", "at", "awaits",
)  # fmt: skip


def insert_sale(cursor: CursorWrapper, values: Sequence[object]) -> int:
    """Insert a document (SALE_COLUMNS) and return its id. Its registration number is written last of all."""
    _insert(cursor, "sales_sale", SALE_COLUMNS, [values])
    document_id: int = cursor.lastrowid
    return document_id


def insert_lines(cursor: CursorWrapper, rows: Sequence[Sequence[object]]) -> None:
    _insert(cursor, "sales_saleline", LINE_COLUMNS, rows)


def insert_movements(cursor: CursorWrapper, rows: Sequence[Sequence[object]]) -> None:
    _insert(cursor, "inventory_stockmovement", MOVEMENT_COLUMNS, rows)


def money_rows(placed: Placed, *, document_id: int, shop_id: int) -> list[list[object]]:
    """Return the rows (MONEY_COLUMNS) of what a document moves."""
    moves = [(drawer, move) for drawer, moved in placed for move in moved]
    return [
        [document_id, position, shop_id, drawer.terminal_id, drawer.cashier, drawer.till_day.isoformat(),
         drawer.business_day.isoformat(), move.kind.value, move.mode, move.currency, move.amount, move.rate, move.value]
        for position, (drawer, move) in enumerate(moves, start=1)
    ]  # fmt: skip


def insert_money(cursor: CursorWrapper, rows: Sequence[Sequence[object]]) -> None:
    _insert(cursor, "sales_moneymovement", MONEY_COLUMNS, rows)


def insert_outcome(cursor: CursorWrapper, values: Sequence[object]) -> None:
    _insert(cursor, "sales_saleoutcome", OUTCOME_COLUMNS, [values])


def write_stocks(cursor: CursorWrapper, *, stocks: dict[int, Decimal], at: str) -> None:
    """Write the new stock of locked units as values: `stock = stock - …` in SQL drifts on SQLite."""
    cases = " ".join(["WHEN %s THEN %s"] * len(stocks))
    parameters = [value for pair in stocks.items() for value in pair]
    cursor.execute(
        f"UPDATE inventory_articleunit SET stock = CASE id {cases} END, changed_at = %s WHERE id IN ({_marks(stocks)})",
        [*parameters, at, *stocks],
    )


def move_cursor(cursor: CursorWrapper, *, batch: BatchRow, is_settled: bool, at: str, gaps: str | None) -> None:
    """Write a batch's cursor, counters and version as values: only the holder of the lane changes them."""
    cursor.execute(
        "UPDATE sales_batch SET next_position = %s, created_count = %s, error_count = %s, duplicate_count = %s,"
        " version = %s, moved_at = %s, settled_at = %s" + (", sequence_holes = %s" if gaps is not None else "")
        + " WHERE id = %s",
        [
            batch.next_position, batch.created_count, batch.error_count, batch.duplicate_count, batch.version, at,
            at if is_settled else None, *([gaps] if gaps is not None else []), batch.id,
        ],
    )  # fmt: skip


def count_start(cursor: CursorWrapper, *, terminal_id: int, starts: int, batch: BatchRow, at: str) -> None:
    cursor.execute(
        "UPDATE sales_lane SET starts = %s, starts_batch = %s, starts_position = %s, starts_at = %s"
        " WHERE terminal_id = %s",
        [starts, batch.id, batch.next_position, at, terminal_id],
    )


def set_starts(cursor: CursorWrapper, *, terminal_id: int, starts: int) -> None:
    cursor.execute("UPDATE sales_lane SET starts = %s WHERE terminal_id = %s", [starts, terminal_id])


def set_waiting(cursor: CursorWrapper, *, terminal_id: int, documents: int) -> None:
    cursor.execute("UPDATE sales_lane SET waiting_documents = %s WHERE terminal_id = %s", [documents, terminal_id])


def set_sales_set_aside(cursor: CursorWrapper, *, terminal_id: int, sales: int) -> None:
    cursor.execute("UPDATE sales_lane SET sales_set_aside = %s WHERE terminal_id = %s", [sales, terminal_id])


def was_set_aside(cursor: CursorWrapper, *, terminal_id: int, number: str, fingerprint: str) -> bool:
    cursor.execute(
        "SELECT 1 FROM sales_saleoutcome WHERE terminal_id = %s AND number = %s AND fingerprint = %s"
        " AND status = 'set_aside' LIMIT 1",
        [terminal_id, number, fingerprint],
    )
    return cursor.fetchone() is not None


def write_sequences(cursor: CursorWrapper, *, terminal_id: int, seen: int | None, gaps: str) -> None:
    cursor.execute(
        "UPDATE sales_lane SET sequence_seen = %s, sequence_holes = %s WHERE terminal_id = %s",
        [seen, gaps, terminal_id],
    )


def next_in_sequence(cursor: CursorWrapper, *, shop_id: int, year: int, month: int) -> int | None:
    """Return the next number of an open month, its row locked; None if there is no such row or it is closed."""
    return dialect.increment_returning(
        cursor,
        table="sales_invoicesequence",
        column="last_number",
        where="shop_id = %s AND year = %s AND month = %s AND closed_at IS NULL",
        parameters=[shop_id, year, month],
    )


def sequence_exists(cursor: CursorWrapper, *, shop_id: int, year: int, month: int) -> bool:
    cursor.execute(
        "SELECT 1 FROM sales_invoicesequence WHERE shop_id = %s AND year = %s AND month = %s", [shop_id, year, month]
    )
    return cursor.fetchone() is not None


def begin_sequence(cursor: CursorWrapper, *, shop_id: int, year: int, month: int) -> None:
    """Create a month's row with 0, unless another posting just did."""
    cursor.execute(
        f"{dialect.insert_ignore(cursor.db)} INTO sales_invoicesequence (shop_id, year, month, last_number, closed_by)"
        " VALUES (%s, %s, %s, 0, '')",
        [shop_id, year, month],
    )


def mark_day(cursor: CursorWrapper, *, shop_id: int, day: str) -> None:
    """Note that a day that is over got another document, so that its kept total is no longer valid."""
    cursor.execute(
        "INSERT INTO sales_daytotal (shop_id, day, marks, figures) VALUES (%s, %s, 1, '{}')"
        f" {dialect.on_conflict_update(cursor.db, key='shop_id, day')} marks = marks + 1",
        [shop_id, day],
    )


def write_registration(
    cursor: CursorWrapper, *, document_id: int, text: str, year: int, month: int, number: int
) -> None:
    cursor.execute(
        "UPDATE sales_sale SET registration_number = %s, register_year = %s, register_month = %s, register_number = %s"
        " WHERE id = %s",
        [text, year, month, number, document_id],
    )


def _insert(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    one_row = f"({_marks(columns)})"
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one_row] * len(rows))}",
        [value for row in rows for value in row],
    )


def _marks(values: Iterable[object]) -> str:
    return ", ".join("%s" for _ in values)
