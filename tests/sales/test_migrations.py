"""Migrations that change rows change all of them, and leave history protected."""

from pathlib import Path

from backend.localrun.servers import PrivateMariaDB
from backend.localrun.stack import Stack
from tests.plugin import Rig

BEFORE = (
    (
        "INSERT INTO shops_shop (id, code, name, currency, currencies, timezone, stock_policy, legal_name, address,"
        " phone, nif, rccm, id_nat, vat_regime, created_at) VALUES (7, 'S', 'S', 'CDF', 'CDF', 'UTC', 'refuse', '', '',"
        " '', '', '', '', '', '2026-01-01')"
    ),
    (
        "INSERT INTO sales_batch (id, receipt, terminal_id, shop_id, device_id, sha256, sale_count, next_position,"
        " created_count, error_count, duplicate_count, version, sequence_holes, request_id, app_version, received_at,"
        " moved_at) VALUES (3, UUID(), 1, 7, 1, '', 1, 1, 0, 0, 0, 0, '[]', '', '', '2026-01-01', '2026-01-01')"
    ),
    "INSERT INTO sales_batchbody (batch_id, deflated) VALUES (3, 'x')",
    (
        "INSERT INTO sales_outcomehistory (position, status, code, path, detail, version, at, replaced_at, author,"
        " reason, batch_id) VALUES (1, 'failed', '', '', '', 1, '2026-01-01', '2026-01-01', '', '', 3)"
    ),
)


def test_older_rows_get_their_batchs_shop_and_are_protected_again(rig: Rig, tmp_path: Path) -> None:
    with PrivateMariaDB(tmp_path / "mariadb", databases=("old",)) as server:
        environment = {"DATABASE_URL": server.url("old"), "BROKER_URL": rig.broker_url}
        with Stack(folder=tmp_path, environment=environment) as stack:
            stack.run_once("migrate", "sales", "0008")
            stack.run_once("migrate", "shops")
            run(server, *BEFORE)
            stack.run_once("migrate")
            assert run(server, "SELECT shop_id FROM sales_batchbody") == [(7,)]
            assert run(server, "SELECT shop_id FROM sales_outcomehistory") == [(7,)]
            assert len(run(server, "SHOW TRIGGERS LIKE 'sales_batchbody'")) == 2


def run(server: PrivateMariaDB, *statements: str) -> list[tuple]:
    import MySQLdb

    session = MySQLdb.connect(unix_socket=str(server.socket), user="root", db="old", autocommit=True)
    cursor = session.cursor()
    for statement in statements:
        cursor.execute(statement)
    rows = list(cursor.fetchall())
    session.close()
    return rows
