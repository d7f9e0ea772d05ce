"""Faults of the schema: made with real statements, found, repaired where that is safe, and undone."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from backend.db.dialect import is_sqlite, missing_triggers
from backend.sales.models import InvoiceSequence
from backend.testing import Cast
from tests.doctor.examination import describe_schema, found_by, look, mend
from tests.shop_day import post, sale

pytestmark = pytest.mark.usefixtures("real_database")

SCHEMA_CHECKS = (
    "append_only_triggers",
    "sequence_uniqueness",
    "unit_uniqueness",
    "declared_uniqueness",
    "declared_indexes",
    "declared_references",
    "unapplied_migrations",
    "table_storage",
    "key_collations",
)
REGISTER = ("shop_id", "register_year", "register_month", "register_number")


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def planted(*statements: str, undo: tuple[str, ...]) -> Iterator[None]:
    """Break the schema during a test; `undo` is for tests that fail before the doctor's repair."""
    before = describe_schema()
    try:
        for statement in statements:
            run(statement)
        yield
    finally:
        for statement in undo:
            with suppress(DatabaseError):  # it was repaired
                run(statement)
        assert describe_schema() == before


def drop_index(name: str, table: str) -> str:
    return f"DROP INDEX {name}" if is_sqlite(connection) else f"DROP INDEX {name} ON {table}"


@pytest.mark.embedded
def test_a_migrated_database_has_nothing_wrong() -> None:
    assert {name: found_by(name) for name in SCHEMA_CHECKS} == {name: [] for name in SCHEMA_CHECKS}


@pytest.mark.embedded
def test_a_sequence_unique_by_the_shop_alone_is_found_and_mended() -> None:
    """As in the old system: from the second month on, no sale of the shop could be recorded."""
    drop = drop_index("boutique_id", "sales_invoicesequence")
    with planted("CREATE UNIQUE INDEX boutique_id ON sales_invoicesequence (shop_id)", undo=(drop,)):
        (found,) = found_by("sequence_uniqueness")
        assert "boutique_id (shop_id)" in found
        # Checking changes nothing.
        assert len(found_by("sequence_uniqueness")) == 1
        assert mend("sequence_uniqueness").repaired_count == 1
    cast = Cast()
    for month in ("2024-10", "2024-11"):
        InvoiceSequence.objects.create(shop=cast.shop, year=int(month[:4]), month=int(month[5:]))


def test_a_sequence_unique_by_the_shop_instead_of_the_month_is_found_and_mended() -> None:
    with planted(
        "ALTER TABLE sales_invoicesequence DROP INDEX sequence_shop_month, ADD UNIQUE INDEX boutique_id (shop_id)",
        undo=(
            "ALTER TABLE sales_invoicesequence ADD UNIQUE INDEX sequence_shop_month (shop_id, year, month)",
            "ALTER TABLE sales_invoicesequence DROP INDEX boutique_id",
        ),
    ):
        missing, extra = found_by("sequence_uniqueness")
        assert "sequence_shop_month (shop_id, year, month)" in missing
        assert "boutique_id (shop_id)" in extra
        assert mend("sequence_uniqueness").repaired_count == 2


def test_a_sequence_with_two_rows_for_one_month_is_left_to_a_person() -> None:
    cast = Cast()
    with planted(
        "ALTER TABLE sales_invoicesequence DROP INDEX sequence_shop_month",
        undo=(
            "DELETE FROM sales_invoicesequence",
            "ALTER TABLE sales_invoicesequence ADD UNIQUE INDEX sequence_shop_month (shop_id, year, month)",
        ),
    ):
        for number in (3, 7):
            InvoiceSequence.objects.create(shop=cast.shop, year=2024, month=11, last_number=number)
        result = look("sequence_uniqueness", fix=True)
        (finding,) = result.seen.findings
        assert f"{cast.shop.pk} / 2024 / 11 (2 fois)" in finding.found
        assert (finding.repair, result.repaired_count) == (None, 0)
        assert InvoiceSequence.objects.count() == 2


def test_a_unit_unique_by_its_mark_is_found_and_mended() -> None:
    cast = Cast()
    with planted(
        "ALTER TABLE inventory_articleunit DROP INDEX unit_article_level,"
        " ADD UNIQUE INDEX unit_mark (article_id, level, mark)",
        undo=(
            "ALTER TABLE inventory_articleunit ADD UNIQUE INDEX unit_article_level (article_id, level)",
            "ALTER TABLE inventory_articleunit DROP INDEX unit_mark",
        ),
    ):
        missing, extra = found_by("unit_uniqueness")
        assert "unit_article_level (article_id, level)" in missing
        assert "unit_mark (article_id, level, mark)" in extra
        assert mend("unit_uniqueness").repaired_count == 2
    assert cast.rice.units.count() == 1


@pytest.mark.embedded
def test_a_unit_unique_by_its_mark_beside_the_right_key_is_found_and_mended() -> None:
    drop = drop_index("unit_mark", "inventory_articleunit")
    create = "CREATE UNIQUE INDEX unit_mark ON inventory_articleunit (shop_id, mark)"
    with planted(create, undo=(drop,)):
        assert len(found_by("unit_uniqueness")) == 1
        assert mend("unit_uniqueness").repaired_count == 1


@pytest.mark.embedded
@pytest.mark.parametrize("table", ["sales_batchbody", "sales_moneymovement"])
def test_missing_triggers_are_found_and_put_back(table: str) -> None:
    run(f"DROP TRIGGER {table}_no_update")
    (found,) = found_by("append_only_triggers")
    assert f"{table}_no_update" in found
    mend("append_only_triggers")
    assert missing_triggers(connection) == []


def test_a_missing_unique_key_is_found_and_made_again() -> None:
    with planted(
        "ALTER TABLE sales_sale DROP INDEX sale_register",
        undo=(f"ALTER TABLE sales_sale ADD UNIQUE INDEX sale_register ({', '.join(REGISTER)})",),
    ):
        (found,) = found_by("declared_uniqueness")
        assert f"sale_register ({', '.join(REGISTER)})" in found
        mend("declared_uniqueness")


def test_a_unique_index_that_nobody_declared_is_found_and_left_alone() -> None:
    drop = drop_index("one_article_a_name", "inventory_article")
    with planted("CREATE UNIQUE INDEX one_article_a_name ON inventory_article (shop_id, name)", undo=(drop,)):
        assert "one_article_a_name (shop_id, name)" in found_by("declared_uniqueness")[0]
        result = look("declared_uniqueness", fix=True)
        assert (result.seen.finding_count, result.repaired_count) == (1, 0)


@pytest.mark.embedded
def test_a_missing_index_is_found_and_made_again() -> None:
    create = "CREATE INDEX batch_settled_terminal ON sales_batch (settled_at, terminal_id)"
    with planted(drop_index("batch_settled_terminal", "sales_batch"), undo=(create,)):
        (found,) = found_by("declared_indexes")
        assert "batch_settled_terminal" in found
        mend("declared_indexes")


def test_an_index_that_a_longer_one_begins_with_is_not_missed() -> None:
    shorter, longer = "batch_settled_terminal", "batch_settled_terminal_moved"
    with planted(
        f"CREATE INDEX {longer} ON sales_batch (settled_at, terminal_id, moved_at)",
        f"DROP INDEX {shorter} ON sales_batch",
        undo=(
            f"CREATE INDEX {shorter} ON sales_batch (settled_at, terminal_id)",
            f"DROP INDEX {longer} ON sales_batch",
        ),
    ):
        assert found_by("declared_indexes") == []


def test_a_missing_foreign_key_is_found() -> None:
    with connection.cursor() as cursor:
        keys = connection.introspection.get_constraints(cursor, "sales_saleline")
    (name,) = [name for name, key in keys.items() if key["columns"] == ["unit_id"] and key["foreign_key"]]
    reference = "FOREIGN KEY (unit_id) REFERENCES inventory_articleunit (id)"
    with planted(
        f"ALTER TABLE sales_saleline DROP FOREIGN KEY {name}",
        undo=(f"ALTER TABLE sales_saleline ADD CONSTRAINT {name} {reference}",),
    ):
        assert "sales_saleline.unit_id n'a pas de clé étrangère" in found_by("declared_references")[0]


@pytest.mark.parametrize(
    ("table", "column", "length"),
    [
        ("sales_sale", "number", 64),
        # With these, the debts of Zoé and Zoe would be one person's, and Chèque and Cheque one sum.
        ("sales_sale", "customer_name", 160),
        ("sales_moneymovement", "mode", 32),
    ],
)
def test_a_key_that_compares_loosely_is_found(table: str, column: str, length: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW FULL COLUMNS FROM {table} LIKE '{column}'")
        collation = cursor.fetchone()[2]
    definition = f"ALTER TABLE {table} MODIFY {column} varchar({length}) COLLATE"
    with planted(f"{definition} utf8mb4_general_ci NOT NULL", undo=(f"{definition} {collation} NOT NULL",)):
        (found,) = found_by("key_collations")
        assert f"{table}.{column} se compare selon utf8mb4_general_ci" in found


def test_a_table_without_transactions_or_in_another_charset_is_found() -> None:
    table = "exports_exportedinvoice"
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW CREATE TABLE {table}")
        as_it_was = cursor.fetchone()[1]
    with planted(
        f"DROP TABLE {table}",
        f"CREATE TABLE {table} (id bigint PRIMARY KEY) ENGINE=MyISAM DEFAULT CHARSET=latin1",
        undo=(f"DROP TABLE {table}", as_it_was),
    ):
        engine, charset = found_by("table_storage")
        assert "MyISAM" in engine
        assert "latin1" in charset


@pytest.mark.embedded
def test_a_migration_that_was_not_run_is_found() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("sales", "0003_till_day")
    try:
        assert "sales.0003_till_day" in found_by("unapplied_migrations")[0]
    finally:
        recorder.record_applied("sales", "0003_till_day")


@pytest.mark.embedded
def test_what_was_sold_is_untouched_by_a_repaired_schema() -> None:
    cast = Cast()
    post(cast.device, sale(cast.rice), sale(cast.oil))
    before = list(InvoiceSequence.objects.values())
    drop = drop_index("boutique_id", "sales_invoicesequence")
    with planted("CREATE UNIQUE INDEX boutique_id ON sales_invoicesequence (shop_id)", undo=(drop,)):
        mend("sequence_uniqueness")
    assert list(InvoiceSequence.objects.values()) == before
