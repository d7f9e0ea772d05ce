"""The keys and indexes that the tables have and that the models declare, and the statements that change them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, models

# A schema change waits no longer for a table in use: every later statement on the table waits behind it.
METADATA_LOCK_WAIT_S = 5

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """An index or a constraint of one table, as the database has it."""

    name: str
    columns: Columns
    is_unique: bool
    refers_to: tuple[str, str] | None


def keys_of(table: str) -> list[Key]:
    """Return the table's keys and indexes, without the primary key and check constraints."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    return [
        Key(name, tuple(one["columns"]), bool(one["unique"]), one["foreign_key"])
        for name, one in sorted(found.items())
        if not (one["primary_key"] or one["check"])
    ]


def primary_key_of(model: type[models.Model]) -> Columns:
    primary = model._meta.pk
    return tuple(_column(field) for field in getattr(primary, "fields", [primary]))


def our_models() -> Iterator[type[models.Model]]:
    """Yield every model that has a table, Django's own included: signing in needs them."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model


def declared_uniques(model: type[models.Model]) -> dict[frozenset[str], str]:
    """Return the sets of columns that the model declares unique beside its primary key, with the index's name."""
    declared = {}
    for one in model._meta.local_concrete_fields:
        if one.unique and not one.primary_key:
            declared[frozenset({_column(one)})] = f"{model._meta.db_table}_{one.column}_uniq"
    for constraint in model._meta.total_unique_constraints:
        declared[frozenset(columns_of(model, constraint.fields))] = constraint.name
    for names in model._meta.unique_together:
        declared[frozenset(columns_of(model, names))] = f"{model._meta.db_table}_{'_'.join(names)}_uniq"
    return declared


def declared_indexes(model: type[models.Model]) -> dict[Columns, str]:
    """Return the columns that the model declares an index for, with the index's name."""
    declared = {
        columns_of(model, [name for name, _ in index.fields_orders]): index.name for index in model._meta.indexes
    }
    for one in model._meta.local_concrete_fields:
        is_wanted: bool = one.db_index  # type: ignore[attr-defined]  # every field has it; the stub does not know
        if is_wanted and not one.unique:
            declared[_column(one),] = f"{model._meta.db_table}_{one.column}_idx"
    return declared


def declared_references(model: type[models.Model]) -> dict[str, tuple[str, str]]:
    """Return each column with a declared foreign key, with the table and column that it refers to."""
    return {
        _column(one): (one.remote_field.model._meta.db_table, _column(one.target_field))
        for one in model._meta.local_concrete_fields
        if isinstance(one, models.ForeignKey) and one.db_constraint  # type: ignore[attr-defined]  # unknown to the stub
    }


def columns_of(model: type[models.Model], names: Sequence[str]) -> Columns:
    return tuple(_column(model._meta.get_field(name)) for name in names)


def _column(field: object) -> str:
    """Return the column of a field that has one."""
    assert isinstance(field, models.Field)
    assert field.column is not None
    return field.column


def duplicates(table: str, columns: Columns) -> list[tuple]:
    """Return the first few values that occur more than once, each with its count."""
    names = ", ".join(_quoted(column) for column in columns)
    some_null = " OR ".join(f"{_quoted(column)} IS NULL" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {names}, COUNT(*) FROM {_quoted(table)} WHERE NOT ({some_null})"
            f" GROUP BY {names} HAVING COUNT(*) > 1 LIMIT 5"
        )
        return cursor.fetchall()


def create_index(table: str, *, name: str, columns: Columns, is_unique: bool) -> None:
    verb = "CREATE UNIQUE INDEX" if is_unique else "CREATE INDEX"
    _change(f"{verb} {_quoted(name)} ON {_quoted(table)} ({', '.join(_quoted(column) for column in columns)})")


def drop_index(table: str, *, name: str) -> None:
    """Drop an index. Raises OperationalError for an index that SQLite made for a table constraint."""
    _change(connection.schema_editor().sql_delete_index % {"name": _quoted(name), "table": _quoted(table)})


def _change(statement: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION lock_wait_timeout = %s", [METADATA_LOCK_WAIT_S])
        cursor.execute(statement)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
