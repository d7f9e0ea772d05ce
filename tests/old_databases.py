"""Databases of an older version, made by its migrations and filled by plain SQL."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.localrun.servers import PrivateMariaDB

Run = Callable[..., list[tuple]]


@contextmanager
def mariadb(folder: Path) -> Iterator[tuple[str, Run]]:
    import MySQLdb

    with PrivateMariaDB(folder / "mariadb", databases=("old",)) as server:

        def run(statement: str, *parameters: object) -> list[tuple]:
            session = MySQLdb.connect(unix_socket=str(server.socket), user="root", db="old", autocommit=True,
                                      charset="utf8mb4")  # fmt: skip
            cursor = session.cursor()
            cursor.execute("SET foreign_key_checks = 0")
            cursor.execute(statement, parameters)
            rows = list(cursor.fetchall())
            session.close()
            return rows

        yield server.url("old"), run


@contextmanager
def sqlite(folder: Path) -> Iterator[tuple[str, Run]]:
    path = folder / "old.sqlite3"

    def run(statement: str, *parameters: object) -> list[tuple]:
        with sqlite3.connect(path) as session:
            return session.execute(statement.replace("%s", "?"), parameters).fetchall()

    yield f"sqlite:///{path}", run


def insert(run: Run, table: str, **values: object) -> None:
    """Insert a row; columns that are not named and need something get 0, an empty text or a date."""
    if "sqlite" in run.__qualname__:
        columns = [(name, kind, not_null) for _, name, kind, not_null, _, _ in run(f"PRAGMA table_info({table})")]
    else:
        columns = [(row[0], row[1], row[2] == "NO") for row in run(f"SHOW COLUMNS FROM {table}")]
    empty: dict[str, Any] = {"uuid": str(uuid.uuid4()), "char": uuid.uuid4().hex}
    empty |= {"datetime": "2026-01-01", "date": "2026-01-01", "varchar": "", "longtext": "[]", "text": "[]"}
    row = {
        name: values[name] if name in values else empty.get(kind.partition("(")[0].lower(), 0)
        for name, kind, not_null in columns
        if name in values or (not_null and name != "id")
    }
    marks = ", ".join(["%s"] * len(row))
    run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values())
