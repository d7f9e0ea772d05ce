"""Runs single checks as the command does, and asserts what must not change meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from backend.doctor.catalogue import CHECKS
from backend.doctor.registry import Scope
from backend.doctor.runner import Result, examine_one

EVERYTHING = Scope()


def look(name: str, scope: Scope = EVERYTHING, *, fix: bool = False) -> Result:
    """Run the check of this name."""
    (check,) = [one for one in CHECKS if one.name == name]
    return examine_one(check, scope, fix=fix)


def found_by(name: str, scope: Scope = EVERYTHING) -> list[str]:
    """Return the sentences of the check's findings; fail if the check broke."""
    result = look(name, scope)
    said = [finding.found for finding in result.seen.findings]
    assert not any("pas pu aller au bout" in one for one in said), said
    return said


def mend(name: str, scope: Scope = EVERYTHING) -> Result:
    """Run the check with --fix, and assert that it then finds nothing."""
    result = look(name, scope, fix=True)
    assert (result.failed, result.seen.findings) == ([], [])
    return result


@contextmanager
def only_these_tables_change(*tables: str) -> Iterator[None]:
    """Assert that no row of any other table, and no column or key of any table, changes."""
    rows, schema = _rows(leave_out=tables), describe_schema()
    yield
    assert _rows(leave_out=tables) == rows
    changed = {table: (schema.get(table), now) for table, now in describe_schema().items() if now != schema.get(table)}
    assert changed == {}


def describe_schema() -> dict[str, object]:
    """Return every table with its columns and keys, as the database describes them."""
    introspection = connection.introspection
    with connection.cursor() as cursor:
        return {
            table: (
                # The display size depends on the texts in the column.
                [one._replace(display_size=None) for one in introspection.get_table_description(cursor, table)],
                introspection.get_constraints(cursor, table),
            )
            for table in introspection.table_names(cursor)
        }


def _rows(*, leave_out: tuple[str, ...]) -> dict[str, list[str]]:
    rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in leave_out:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows[table] = sorted(repr(row) for row in cursor.fetchall())
    return rows
