"""The floor: a bare mysqlclient loop that replays the statements of a posting and does nothing else.

The statements are recorded from a posting in one database and replayed in another with the same content. Only the id of
each new document is read from the database, as any program would have to.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import MySQLdb
from django.db import connection

from backend.sales.posting.runner import post_slice
from benchmarks.world import Till

# Each transaction of a posting begins by claiming its lane.
CLAIM = "FROM sales_lane WHERE terminal_id"
NEW_DOCUMENT = "INSERT INTO sales_sale ("
# The first document id in the recording database: no other number in a statement is so high.
FIRST_DOCUMENT_ID = 2_000_000_000
ENDLESS_S = 3600

Statement = tuple[str, list[Any], list[int]]
Transaction = list[Statement]


@dataclass
class Recorder:
    """An execute wrapper that records statements by transaction, and which parameters are a new document's id."""

    transactions: list[Transaction] = field(default_factory=list)

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        if CLAIM in sql or not self.transactions:
            self.transactions.append([])
        values = list(params or ())
        places = [index for index, value in enumerate(values) if isinstance(value, int) and value >= FIRST_DOCUMENT_ID]
        self.transactions[-1].append((sql, values, places))
        return execute(sql, params, many, context)


def number_documents_high() -> None:
    """Set the document ids of the recording database apart from any other number."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE sales_sale AUTO_INCREMENT = {FIRST_DOCUMENT_ID}")


def record(till: Till) -> list[Transaction]:
    """Post all that waits of a till in one slice, in the recording database, and return the statements."""
    recorder = Recorder()
    with connection.execute_wrapper(recorder):
        post_slice(till.terminal_id, slice_s=ENDLESS_S)
    return recorder.transactions


def replayer(transactions: list[Transaction], *, database: str) -> Callable[[], None]:
    """Return a loop that replays the transactions with one commit each, connected with the project's own options."""
    options = {**connection.get_connection_params(), "database": database}
    session = MySQLdb.connect(**options)
    session.cursor().execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    session.autocommit(False)  # noqa: FBT003 - the driver takes no name for it

    def replay() -> None:
        cursor = session.cursor()
        for transaction in transactions:
            document_id = 0
            for sql, values, places in transaction:
                for index in places:
                    values[index] = document_id
                cursor.execute(sql, values)
                if sql.startswith(NEW_DOCUMENT):
                    document_id = cursor.lastrowid
                elif cursor.description:
                    cursor.fetchall()
            session.commit()

    return replay
