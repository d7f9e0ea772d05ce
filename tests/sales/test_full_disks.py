"""A full disk is never blamed on a sale: sales go on waiting, and are posted when there is room again."""

import pytest
from django.db import OperationalError, connection

from backend.db import dialect
from backend.sales.models import Lane
from backend.sales.posting import sql
from backend.sales.posting.runner import post_slice
from backend.testing import Cast
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

ERRORS = (
    (1021, "Disk full (/tmp/#sql); waiting for someone to free some space"),
    (1114, "The table 'sales_sale' is full"),
    (1290, "The MariaDB server is running with the --read-only option so it cannot execute this statement"),
    (1836, "Running in read-only mode"),
    (1040, "Too many connections"),
    (1317, "Query execution was interrupted"),
    ("database or disk is full",),
    ("disk I/O error",),
)


@pytest.mark.parametrize("said", ERRORS, ids=lambda said: str(said[0]))
def test_a_database_in_distress_fails_no_sale(
    cast: Cast, till: Till, said: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.hand_over(sale("FAC-1", line(cast.rice)))

    def refuse(*_: object, **__: object) -> None:
        raise OperationalError(*said)

    with monkeypatch.context() as patch:
        patch.setattr(sql, "insert_sale", refuse)
        with pytest.raises(OperationalError):
            post_slice(till.device.terminal_id)
    assert till.outcomes() == []
    assert Lane.objects.get().starts == 0
    till.post_all()
    assert till.outcomes() == ["created"]


def test_a_large_sale_without_room_is_not_failed_even_if_its_failure_would_have_room(real_database: None) -> None:
    if not dialect.is_sqlite(connection):
        pytest.skip("only SQLite can be told how many pages there are")
    cast = Cast()
    till = Till(cast.device)
    till.hand_over(sale("FAC-1", *[line(cast.rice, quantity="0.1", price=1)] * 200))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 8}")
        with pytest.raises(OperationalError, match="full"):
            till.post_all()
        assert till.outcomes() == []
        cursor.execute("PRAGMA max_page_count = 1000000")
    till.post_all()
    assert till.outcomes() == ["created"]
