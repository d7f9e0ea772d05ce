"""A till with refusals all day: reading the open entries stays cheap, for every till and page of its shop."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from backend.db import dialect
from backend.sales.models import Batch, SaleOutcome
from backend.sales.repair.open_entries import open_entries
from backend.testing import Cast
from tests.tills import Till, line, sale

REFUSALS = 1500
ROWS_READ_PER_REFUSAL_MAX = 20


def refuse_many(cast: Cast, *, number: str) -> None:
    """Make REFUSALS refused sales with different contents, under one number or without one."""
    Till(cast.device).settle_one(sale("FAC-GOOD", line(cast.rice)))
    batch = Batch.objects.get()
    SaleOutcome.objects.bulk_create(
        SaleOutcome(
            batch=batch,
            position=position,
            shop=cast.shop,
            terminal=cast.terminal,
            number=number,
            fingerprint=f"0:{position}",
            status="rejected",
            code="champ_invalide",
            version=1,
            at=datetime.now(UTC),
        )
        for position in range(2, REFUSALS + 2)
    )


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read_%'")
        return sum(int(value) for _, value in cursor.fetchall())


@pytest.mark.parametrize("number", ["", "FAC-1"])
def test_open_entries_are_counted_by_reading_each_refusal_a_few_times(real_database: None, number: str) -> None:
    if dialect.is_sqlite(connection):
        pytest.skip("SQLite does not count the rows that it reads")
    cast = Cast()
    refuse_many(cast, number=number)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE sales_saleoutcome, sales_sale")
        cursor.fetchall()
    before = rows_read()
    assert open_entries(shop_id=cast.shop.pk).count() == REFUSALS
    assert rows_read() - before < REFUSALS * ROWS_READ_PER_REFUSAL_MAX
