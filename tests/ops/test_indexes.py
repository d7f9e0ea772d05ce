"""The queries of the operators' pages use indexes, however many years of sales there are.

Apart from the pages' other tests: telling the optimizer what is in a table commits.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.ops.pages import backlog, failures, summary
from backend.sales.models import Batch
from backend.sales.posting import decision
from backend.testing import Cast, make_shop, make_terminal
from tests.shop_day import hand_over, post, sale

# Of a batch: what its copy must not share with it.
UNIQUE = ("id", "receipt", "idempotency_key", "join_key")


def plan_of(run: Callable[[], Any]) -> list[dict[str, Any]]:
    """Return how the database would read each table of each SELECT."""
    with CaptureQueriesContext(connection) as asked:
        run()
    plans = []
    for query in asked:
        if query["sql"].startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query['sql'].replace('%', '%%')}")
                names = [column[0] for column in cursor.description]
                plans += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return plans


def test_what_waits_and_what_failed_is_read_by_indexes_and_not_by_reading_years(
    real_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = Cast()

    def break_down(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(decision, "record", break_down)
        post(cast.device, sale(cast.rice))
    for _ in range(3):
        make_terminal(make_shop())
    post(cast.device, *(sale(cast.rice, price=1) for _ in range(400)))
    settled = Batch.objects.values(*(field.attname for field in Batch._meta.fields if field.name not in UNIQUE)).last()
    Batch.objects.bulk_create(Batch(**settled) for _ in range(3000))
    hand_over(cast.device, sale(cast.rice))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE sales_batch, sales_saleoutcome")
        cursor.fetchall()

    def ask() -> None:
        pauses = summary.all_pauses()
        waiting = backlog.waiting_tills(pauses=pauses)
        backlog.described(waiting, pauses=pauses)
        backlog.batches_of(cast.device.terminal_id)
        failures.find_failures()

    big = [row for row in plan_of(ask) if (row["table"] or "") in ("sales_batch", "sales_saleoutcome")]
    assert big
    assert [row for row in big if row["type"] in ("ALL", "index")] == []
