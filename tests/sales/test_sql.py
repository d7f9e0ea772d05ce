"""The hand-written statements and the models describe the same tables, and the database protects history."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.db.models import NOT_PROVIDED

from backend.db import dialect
from backend.inventory.models import StockMovement
from backend.sales import intake
from backend.sales.models import (
    BatchBody,
    InvoiceSequence,
    Lane,
    MoneyMovement,
    OutcomeHistory,
    Sale,
    SaleLine,
    SaleOutcome,
)
from backend.sales.posting import sql
from backend.shops.models import ExchangeRate
from backend.testing import Cast
from tests.tills import Till, line, sale

pytestmark = pytest.mark.embedded

INSERTS: list[tuple[type[models.Model], tuple[str, ...]]] = [
    (Sale, sql.SALE_COLUMNS),
    (SaleLine, sql.LINE_COLUMNS),
    (StockMovement, sql.MOVEMENT_COLUMNS),
    (MoneyMovement, sql.MONEY_COLUMNS),
    (SaleOutcome, sql.OUTCOME_COLUMNS),
]


@pytest.mark.parametrize(("model", "columns"), INSERTS, ids=[model.__name__ for model, _ in INSERTS])
def test_an_insert_names_every_column_that_must_have_a_value(
    model: type[models.Model], columns: tuple[str, ...]
) -> None:
    fields = {field.column: field for field in model._meta.concrete_fields}
    needed = {
        column
        for column, field in fields.items()
        if not field.null and not isinstance(field, models.AutoField) and field.db_default is NOT_PROVIDED
    }
    assert set(columns) - set(fields) == set()
    assert needed - set(columns) == set()
    assert len(set(columns)) == len(columns)


def test_a_lane_and_a_month_are_created_with_every_column(cast: Cast) -> None:
    intake._open_lane(cast.terminal.pk)
    intake._open_lane(cast.terminal.pk)
    lane = Lane.objects.get()
    assert (lane.starts, lane.sequence_seen, lane.sequence_holes, lane.waiting_documents) == (0, None, [], 0)
    with connection.cursor() as cursor:
        for _ in range(2):
            sql.begin_sequence(cursor, shop_id=cast.shop.pk, year=2024, month=11)
        numbers = [sql.next_in_sequence(cursor, shop_id=cast.shop.pk, year=2024, month=11) for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert InvoiceSequence.objects.get().last_number == 3


@pytest.fixture
def history(cast: Cast, till: Till) -> None:
    """A row in each table that is never changed."""
    till.settle(sale("A", line(cast.rice)))
    outcome = SaleOutcome.objects.get()
    OutcomeHistory.objects.create(
        batch=outcome.batch,
        shop_id=outcome.shop_id,
        position=1,
        status="rejected",
        version=1,
        at=outcome.at,
        replaced_at=datetime.now(UTC),
    )


@pytest.mark.parametrize("model", [BatchBody, StockMovement, OutcomeHistory])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_itself_refuses_to_change_history(history: None, model: type[models.Model], verb: str) -> None:
    rows = model.objects.all()
    before = rows.count()
    assert before
    table, column = model._meta.db_table, model._meta.pk.column
    raw = f"UPDATE {table} SET {column} = {column}" if verb == "update" else f"DELETE FROM {table}"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(raw)
    assert rows.count() == before


def test_every_table_of_history_is_guarded_by_the_database(db: None) -> None:
    history = (BatchBody, StockMovement, OutcomeHistory, MoneyMovement, ExchangeRate)
    assert set(dialect.APPEND_ONLY_TABLES) == {model._meta.db_table for model in history}
    assert dialect.missing_triggers(connection) == []


def test_text_keys_are_compared_byte_for_byte(cast: Cast) -> None:
    texts = ["FAC-1", "fac-1", "FÁC-1", "FA\u0301C-1", "FAC-1 ", "FAC\u20111"]
    now = datetime.now(UTC)
    for text in texts:
        Sale.objects.create(
            kind="vente", shop=cast.shop, terminal=cast.terminal, number=text, currency="CDF", total=0,
            received_at=now, recorded_at=now, business_day=now.date(), till_day=now.date(),
            fingerprint=text,
        )  # fmt: skip
    for text in texts:
        assert [one.number for one in Sale.objects.filter(number=text)] == [text]
    with connection.cursor() as cursor:
        found = [sql.sales_with_number(cursor, terminal_id=cast.terminal.pk, number=text) for text in texts]
    assert [len(one) for one in found] == [1] * len(texts)


def test_a_hand_written_instant_is_written_as_django_writes_it() -> None:
    """SQLite compares instants as text: a full second must be written the same way by both."""
    for moment in (datetime(2024, 11, 4, 17, 0, tzinfo=UTC), datetime(2024, 11, 4, 17, 0, 0, 120, tzinfo=UTC)):
        assert dialect.naive_utc(moment) == str(moment.replace(tzinfo=None))
