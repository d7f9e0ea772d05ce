"""Fills a database with many sales quickly: the database multiplies rows itself. Real row counts, invented content."""

from collections.abc import Sequence
from datetime import date

from django.db import connection

from benchmarks.world import ARTICLES, LINES, TILLS, Till

CHUNK_SALES = 50_000
BATCH_SALES = 100
DAY_SALES = 100
FIRST_DAY = date(2020, 1, 1)
# For stored sale number n, from 0: its till, its place among the till's sales, and its batch.
TILL, TURN = f"(n.seq % {TILLS})", f"(n.seq DIV {TILLS})"
BATCH = f"(({TURN} DIV {BATCH_SALES}) * {TILLS} + {TILL} + 1)"
NUMBER = f"CONCAT('OLD-', {TURN})"
HASH = "CONCAT('1:', SHA2(n.seq, 256))"
DAY = f"('BEGINNING' + INTERVAL ({TURN} DIV {DAY_SALES}) DAY)"


def store(tills: Sequence[Till], sales: int, *, first_day: date = FIRST_DAY) -> None:
    """Put `sales` recorded sales of the tills into an empty copy of the template, DAY_SALES a day and till."""
    first, last = tills[0], tills[-1]
    # The statements compute the ids of shops, tills and units from the number of the sale.
    assert last.terminal_id - first.terminal_id == last.shop_id - first.shop_id == TILLS - 1
    assert last.unit_ids[-1] - first.unit_ids[0] == TILLS * ARTICLES - 1
    ids = {
        "shop": f"({first.shop_id} + {TILL})",
        "terminal": f"({first.terminal_id} + {TILL})",
        "device": f"({first.device_id} + {TILL})",
        "unit": f"({first.unit_ids[0]} + {TILL} * {ARTICLES} + ({TURN} * {LINES} + l.seq * 17) % {ARTICLES})",
    }
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0, sql_mode = ''")
        for begin in range(0, sales, CHUNK_SALES):
            end = min(begin + CHUNK_SALES, sales) - 1
            for statement in (_batches(ids), _bodies(ids), _sales(ids), _lines(ids), _money(ids), _movements(ids),
                              _outcomes(ids)):  # fmt: skip
                numbered = statement.replace("NUMBERS", f"seq_{begin}_to_{end} n")
                cursor.execute(numbered.replace("BEGINNING", first_day.isoformat()))
        cursor.execute(
            "ANALYZE TABLE sales_batch, sales_sale, sales_saleline, sales_moneymovement, inventory_stockmovement,"
            " sales_saleoutcome"
        )
        cursor.fetchall()
    connection.close()


def _batches(ids: dict[str, str]) -> str:
    return (
        "INSERT IGNORE INTO sales_batch (id, receipt, terminal_id, shop_id, device_id, sha256, sale_count,"
        " next_position, created_count, error_count, duplicate_count, version, sequence_holes, request_id,"
        " app_version, received_at, moved_at, settled_at)"
        f" SELECT {BATCH}, UUID(), {ids['terminal']}, {ids['shop']}, {ids['device']}, SHA2({BATCH}, 256),"
        f" {BATCH_SALES}, {BATCH_SALES} + 1, {BATCH_SALES}, 0, 0, {BATCH_SALES}, '[]', '', '', {DAY}, {DAY}, {DAY}"
        f" FROM NUMBERS WHERE {TURN} % {BATCH_SALES} = 0"
    )


def _bodies(ids: dict[str, str]) -> str:
    return (
        "INSERT IGNORE INTO sales_batchbody (batch_id, shop_id, deflated)"
        f" SELECT {BATCH}, {ids['shop']}, REPEAT(MD5({BATCH}), 120)"
        f" FROM NUMBERS WHERE {TURN} % {BATCH_SALES} = 0"
    )


def _sales(ids: dict[str, str]) -> str:
    return (
        "INSERT INTO sales_sale (id, kind, shop_id, terminal_id, device_id, number, variant, registration_number,"
        " register_year, register_month, register_number, batch_id, position, currency, discount, total, payment_mode,"
        " is_paid, paid_total, returned_total, cashier_code, cashier_name, customer_name, customer_phone, customer_nif,"
        " reason, sold_at, sold_at_text, received_at, recorded_at, business_day, till_day, fingerprint, warnings)"
        f" SELECT n.seq + 1, 'vente', {ids['shop']}, {ids['terminal']}, {ids['device']}, {NUMBER}, 1,"
        f" CONCAT('FAC-', {ids['shop']}, '-202001-', {TURN}), 2020, 1, {TURN} + 1, {BATCH}, {TURN} % {BATCH_SALES} + 1,"
        f" 'CDF', 0, 45000, 'CASH', 1, 45000, 0, '', '', '', '', '', '', {DAY}, DATE_FORMAT({DAY}, '%Y-%m-%d'), {DAY},"
        f" {DAY}, {DAY}, {DAY}, {HASH}, '[]' FROM NUMBERS"
    )


def _lines(ids: dict[str, str]) -> str:
    return (
        "INSERT INTO sales_saleline (document_id, shop_id, position, unit_id, article_name, unit_mark, quantity,"
        " quantity_returned, unit_price, discount, vat_rate, total)"
        f" SELECT n.seq + 1, {ids['shop']}, l.seq, {ids['unit']}, 'Article', 'PCE', 1, 0, 15000, 0, 16, 15000"
        f" FROM NUMBERS JOIN seq_1_to_{LINES} l"
    )


def _money(ids: dict[str, str]) -> str:
    return (
        "INSERT INTO sales_moneymovement (document_id, position, shop_id, terminal_id, cashier, till_day, business_day,"
        f" kind, mode, currency, amount, rate, value) SELECT n.seq + 1, 1, {ids['shop']}, {ids['terminal']}, '', {DAY},"
        f" {DAY}, 'ENCAISSEMENT', 'CASH', 'CDF', 45000, 1, 45000 FROM NUMBERS"
    )


def _movements(ids: dict[str, str]) -> str:
    return (
        "INSERT INTO inventory_stockmovement (unit_id, shop_id, type, quantity, stock_before, stock_after, reference,"
        f" author, document_id, line, comment, at) SELECT {ids['unit']}, {ids['shop']}, 'VENTE', -1, 100, 99, {NUMBER},"
        f" 'Caisse', n.seq + 1, l.seq, CONCAT('Vente #', {NUMBER}, ' - Prix: 15000.00 CDF'), {DAY}"
        f" FROM NUMBERS JOIN seq_1_to_{LINES} l"
    )


def _outcomes(ids: dict[str, str]) -> str:
    return (
        "INSERT INTO sales_saleoutcome (batch_id, position, shop_id, terminal_id, number, fingerprint, status, code,"
        " path, detail, document_id, amount, currency, business_day, version, at)"
        f" SELECT {BATCH}, {TURN} % {BATCH_SALES} + 1, {ids['shop']}, {ids['terminal']}, {NUMBER}, {HASH}, 'created',"
        f" '', '', '', n.seq + 1, 45000, 'CDF', {DAY}, {TURN} % {BATCH_SALES} + 1, {DAY} FROM NUMBERS"
    )
