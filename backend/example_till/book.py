"""The till's file on disk: its tables, its counters and its settings. Standard library only.

Triggers refuse what must never happen (an edited sale, a lost sale), whatever program opens the file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL, receipt TEXT, etag TEXT);
CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'envoyer' CHECK (state IN ('envoyer', 'attendre', 'garder', 'corriger')),
    batch INTEGER REFERENCES batches(id), code TEXT, sentence TEXT,
    CHECK ((state = 'attendre') = (batch IS NOT NULL)));
CREATE INDEX IF NOT EXISTS queue_batch ON queue (batch);
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, content TEXT NOT NULL, status TEXT NOT NULL,
    server_id INTEGER, registration_number TEXT, purged_at TEXT NOT NULL, amount TEXT, money TEXT);
CREATE INDEX IF NOT EXISTS journal_registration_number ON journal (registration_number);
-- Of every document, in the queue or in the journal: the till's day, and what names the sale that it follows.
CREATE TABLE IF NOT EXISTS documents (number TEXT PRIMARY KEY, day TEXT NOT NULL, origin TEXT);
CREATE INDEX IF NOT EXISTS documents_day ON documents (day);
CREATE INDEX IF NOT EXISTS documents_origin ON documents (origin);
-- The drawers that were counted. `answer` is empty until the server has compared the day.
CREATE TABLE IF NOT EXISTS closings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL, drawer TEXT NOT NULL, closed_at TEXT NOT NULL,
    answer TEXT);
CREATE TABLE IF NOT EXISTS articles (
    id INTEGER PRIMARY KEY, code TEXT, barcode TEXT, is_active INTEGER NOT NULL, content TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS articles_code ON articles (code);
CREATE INDEX IF NOT EXISTS articles_barcode ON articles (barcode);
CREATE TRIGGER IF NOT EXISTS a_sale_is_never_edited BEFORE UPDATE OF number, content ON queue
    BEGIN SELECT RAISE(ABORT, 'une vente ne se modifie pas'); END;
CREATE TRIGGER IF NOT EXISTS a_batch_is_never_edited BEFORE UPDATE OF key, body ON batches
    BEGIN SELECT RAISE(ABORT, 'un lot ne se modifie pas'); END;
CREATE TRIGGER IF NOT EXISTS a_sale_leaves_only_for_the_journal BEFORE DELETE ON queue
    WHEN NOT EXISTS (SELECT 1 FROM journal WHERE number = OLD.number)
    BEGIN SELECT RAISE(ABORT, 'une vente ne quitte la file que pour le journal'); END;
CREATE TRIGGER IF NOT EXISTS a_recorded_sale_is_never_edited BEFORE UPDATE OF number, content ON journal
    BEGIN SELECT RAISE(ABORT, 'une vente ne se modifie pas'); END;
CREATE TRIGGER IF NOT EXISTS a_sale_leaves_the_journal_only_for_the_queue BEFORE DELETE ON journal
    WHEN NOT EXISTS (SELECT 1 FROM queue WHERE number = OLD.number AND content = OLD.content)
    BEGIN SELECT RAISE(ABORT, 'une vente ne quitte le journal que pour la file'); END;
"""

# Files of the first version had no table `documents`; the day is the one written.
FROM_VERSION_0 = """
INSERT OR IGNORE INTO documents (number, day, origin)
    SELECT number, substr(coalesce(json_extract(content, '$.date_vente'), date('now')), 1, 10),
           coalesce(json_extract(content, '$.origine.numero_facture'),
                    json_extract(content, '$.origine.numero_enregistrement'))
    FROM (SELECT number, content FROM queue UNION ALL SELECT number, content FROM journal);
"""
# Columns of the journal that files of an earlier version do not have: what the server said of a document's amount and
# of the money that it moved.
NEW_COLUMNS = ("amount", "money")
VERSION = 2


class Book:
    """One SQLite file. `transaction` makes several steps atomic; outside it, each step is a transaction of its own."""

    def __init__(self, path: str | Path) -> None:
        # Readable by its owner only from the start, because it holds the token. SQLite's side files get the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self.path = Path(path)
        self.file = sqlite3.connect(path, timeout=10, isolation_level=None)
        # FULL: a paid sale must survive a power cut one second later.
        self.file.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        if self._version() < VERSION:
            with self.transaction():
                self._migrate()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. IMMEDIATE takes the write lock first, so that two processes can't read the same counter."""
        if self.file.in_transaction:
            yield
            return
        self.file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.file.execute("COMMIT")
        except BaseException:
            if self.file.in_transaction:
                self.file.execute("ROLLBACK")
            raise

    # --- Counters: in the same file as the sales, so that both change in one transaction ---

    def count(self, name: str) -> int:
        """The next value of a counter."""
        self.file.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", [name]
        )
        return self.counted(name)

    def counted(self, name: str) -> int:
        """The last value of a counter; 0 before the first."""
        row = self.file.execute("SELECT value FROM counters WHERE name = ?", [name]).fetchone()
        return row[0] if row else 0

    def count_on_from(self, name: str, value: int) -> None:
        """Make the next value larger than `value`, and than any value before."""
        self.file.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            [name, value],
        )

    # --- Settings ---

    def setting(self, name: str) -> str | None:
        row = self.file.execute("SELECT value FROM settings WHERE name = ?", [name]).fetchone()
        return row and row[0]

    def keep_settings(self, **settings: str | None) -> None:
        """Store these settings together; None deletes one."""
        with self.transaction():
            for name, value in settings.items():
                self.file.execute("DELETE FROM settings WHERE name = ?", [name])
                if value is not None:
                    self.file.execute("INSERT INTO settings VALUES (?, ?)", [name, value])

    def make_private(self) -> None:
        """Restrict the file to its owner, before a token is stored in it."""
        for suffix in ("", "-wal", "-shm"):
            path = Path(f"{self.path}{suffix}")
            if path.exists():
                path.chmod(0o600)

    def exists(self, source: str, *values: str) -> bool:
        return self.file.execute(f"SELECT EXISTS (SELECT 1 FROM {source})", values).fetchone()[0] == 1

    def close(self) -> None:
        self.file.close()

    def _version(self) -> int:
        return self.file.execute("PRAGMA user_version").fetchone()[0]

    def _migrate(self) -> None:
        """Migrate inside a transaction, unless another process did it first. Not by `executescript`, which commits."""
        if self._version() >= VERSION:
            return
        for statement in _statements(SCHEMA + FROM_VERSION_0):
            self.file.execute(statement)
        for column in NEW_COLUMNS:
            if not self.exists("pragma_table_info('journal') WHERE name = ?", column):
                self.file.execute(f"ALTER TABLE journal ADD COLUMN {column} TEXT")
        self.file.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script. SQLite decides where one ends, because triggers contain semicolons."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
