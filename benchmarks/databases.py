"""The databases of a run: a template is migrated and filled, the others are copies of it with the same ids."""

import contextlib
import time
from collections.abc import Iterator

from django.core.management import call_command
from django.db import connection, connections

from backend.db import dialect

TEMPLATE = "template"
BUFFER_POOL_BYTES = 1024**3
SETTLING_S_MAX = 60
SILENCE_S_MAX = 600


def use(database: str) -> None:
    """Connect Django to this database from now on."""
    connections.close_all()
    connection.settings_dict["NAME"] = database


@contextlib.contextmanager
def using(database: str) -> Iterator[None]:
    use(database)
    yield
    connections.close_all()


def make_template() -> None:
    """Migrate the template. The server gets as much memory as in production: cold pages are not to be measured."""
    use(TEMPLATE)
    # The measuring session is idle for longer than a serving session may be.
    connection.settings_dict["OPTIONS"]["init_command"] += f", wait_timeout={SILENCE_S_MAX}"
    with connection.cursor() as cursor:
        cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {BUFFER_POOL_BYTES}")
    call_command("migrate", verbosity=0)


def copy_template(database: str) -> None:
    """Create `database` again with the template's tables, rows and triggers."""
    use(TEMPLATE)
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")
        cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        definitions = {table: _definition(cursor, table) for table in tables}
    use(database)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in tables:
            cursor.execute(definitions[table])
            cursor.execute(f"INSERT INTO `{table}` SELECT * FROM `{TEMPLATE}`.`{table}`")
    dialect.install_triggers(connection)
    connections.close_all()


def let_settle() -> None:
    """Wait until the server has written the pages that a fill left in memory, so that no measurement includes it."""
    connections.close_all()
    with connection.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_max_dirty_pages_pct = 0")
        deadline = time.monotonic() + SETTLING_S_MAX
        while time.monotonic() < deadline:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
            if int(cursor.fetchone()[1]) < 100:
                break
            time.sleep(0.2)
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = 90")
    connections.close_all()


def _definition(cursor: object, table: str) -> str:
    cursor.execute(f"SHOW CREATE TABLE `{table}`")
    return cursor.fetchone()[1]
