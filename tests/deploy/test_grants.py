"""The three accounts of deploy/database: each can do its work, and the application nothing more."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

import MySQLdb
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from MySQLdb.cursors import Cursor
from pytest_django import DjangoDbBlocker

from backend.db.dialect import APPEND_ONLY_TABLES
from backend.example_till import Till
from backend.inventory.models import Article
from backend.localrun.stack import Stack
from backend.ops.housekeeping import forget_old_heartbeats, forget_old_refused_calls
from backend.sales.models import Heartbeat, InvoiceSequence, Sale
from backend.sales.repair.retry import set_outcome_aside
from backend.shops.exchange_rates import set_rate
from backend.testing import Cast
from tests.deploy.second_server import DEPLOY, looking_into
from tests.invariants import check_invariants
from tests.plugin import Rig
from tests.shop_day import post, sale
from tests.web.page_forms import form_of

ACCOUNTS = ("caisse", "caisse_migrations", "caisse_backup")
# Passwords with characters that a shell or SQL would misread.
PASSWORDS = {"APP": "a'b\\c\"d$e`f", "MIGRATIONS": "m igrations", "BACKUP": "%b;--"}
# Errors for a missing right, on a statement, table or column. 1419 would be the binlog's, 1644 a trigger's.
DENIED = {1044, 1045, 1142, 1143, 1227, 1370}
TRIGGER_REFUSES = 1644


class Accounts:
    """A separate database on the run's server, with the accounts that the script makes."""

    def __init__(self, rig: Rig) -> None:
        self.given = urlsplit(rig.database_url)
        self.name = f"{self.given.path[1:]}_grants"
        self.folder = rig.folder

    def create(self, **passwords: str) -> str:
        """Run the script, with each password in a file."""
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_NAME": self.name,
            "DATABASE_HOST": self.given.hostname,
            "DATABASE_PORT": str(self.given.port),
            "ROOT_USER": self.given.username,
            "ROOT_PASSWORD": unquote(self.given.password or ""),
        }
        for name, password in {**PASSWORDS, **passwords}.items():
            path = self.folder / f"{name}-password"
            path.write_text(f"{password}\n")
            environment[f"{name}_PASSWORD_FILE"] = str(path)
        done = subprocess.run(
            [DEPLOY / "database" / "create-users"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def connect(self, account: str, *, password: str | None = None) -> AbstractContextManager[MySQLdb.Connection]:
        secret = {"caisse": "APP", "caisse_migrations": "MIGRATIONS", "caisse_backup": "BACKUP"}[account]
        return self._connect(account, password or PASSWORDS[secret], database=self.name)

    def root(self) -> AbstractContextManager[MySQLdb.Connection]:
        return self._connect(self.given.username, unquote(self.given.password or ""), database="")

    def url(self, account: str) -> str:
        secret = quote(PASSWORDS["APP" if account == "caisse" else "MIGRATIONS"], safe="")
        return f"mysql://{account}:{secret}@{self.given.hostname}:{self.given.port}/{self.name}"

    def _connect(self, user: str, password: str, *, database: str) -> AbstractContextManager[MySQLdb.Connection]:
        return closing(
            MySQLdb.connect(
                host=self.given.hostname, port=self.given.port, user=user, password=password, database=database
            )
        )


@pytest.fixture(scope="module")
def accounts(rig: Rig, django_db_blocker: DjangoDbBlocker) -> Iterator[Accounts]:
    accounts = Accounts(rig)
    with accounts.root() as root:
        cursor = root.cursor()
        cursor.execute("SELECT user FROM mysql.user WHERE user IN %s", [ACCOUNTS])
        if cursor.fetchall():
            pytest.skip("this server has accounts of these names, which are somebody's")
        cursor.execute("SELECT @@GLOBAL.log_bin_trust_function_creators")
        (trusted,) = cursor.fetchone()
    try:
        accounts.create()
        with django_db_blocker.unblock(), looking_into(accounts.url("caisse_migrations")):
            call_command("migrate", interactive=False, verbosity=0)
        yield accounts
    finally:
        with accounts.root() as root:
            cursor = root.cursor()
            cursor.execute(f"DROP DATABASE IF EXISTS `{accounts.name}`")
            for account in ACCOUNTS:
                cursor.execute(f"DROP USER IF EXISTS '{account}'@'%'")
            cursor.execute(f"SET GLOBAL log_bin_trust_function_creators = {trusted:d}")


@pytest.fixture(scope="module")
def cast(accounts: Accounts, django_db_blocker: DjangoDbBlocker) -> Cast:
    """People, tills and goods, a sale, and one that was refused and set aside: a row in each table of history."""
    with django_db_blocker.unblock(), looking_into(accounts.url("caisse")):
        cast = Cast()
        post(cast.token_device, sale(cast.rice))
        set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2850), user=cast.alice)
        refused = post(cast.token_device, sale(cast.rice, quantity=1000))
        set_outcome_aside(batch_id=refused.pk, position=1, author="alice", reason="essai")
        return cast


@pytest.fixture
def as_application(accounts: Accounts, django_db_blocker: DjangoDbBlocker) -> Iterator[Accounts]:
    with django_db_blocker.unblock(), looking_into(accounts.url("caisse")):
        yield accounts


def test_the_application_does_all_its_work_with_these_rights(
    as_application: Accounts, cast: Cast, rig: Rig, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": as_application.url("caisse"), "BROKER_URL": rig.broker_url}
    with Stack(folder=tmp_path, environment=environment) as stack:
        for service in (stack.add_api(), stack.add_worker(concurrency=1), stack.add_sweep()):
            service.start()
        for service in stack.services.values():
            service.wait_ready()
        # The shop's zone: between 23:00 and 24:00 UTC, the machine's day is another, and the till would close that.

        options = {"zone": ZoneInfo(cast.shop.timezone), "backoff_s": (0.1, 1.0)}
        with Till(tmp_path / "till.sqlite3", stack["api"].url, cast.device.serial, **options) as till:
            lines = [{"article_id": cast.rice.pk, "quantite": 2, "prix_unitaire": 25000}]
            numbers = [till.sell(lines) for _ in range(3)]
            till_numbers = [*numbers, till.void(number=numbers[0])]
            till.close_drawer()
            report = till.sync(timeout_s=60)
            assert [answer["resultat"] for answer in report.days] == ["egal"]
    assert Sale.objects.filter(number__in=till_numbers).count() == 4

    browser = Client()
    browser.force_login(cast.alice)
    form = reverse("web:new_article")
    filled = form_of(browser.get(form), form, nom="Sel", code="SEL1", prix="1500")
    assert browser.post(form, filled).status_code == 302
    assert Article.objects.filter(shop=cast.shop, code="SEL1").exists()

    heartbeat = Heartbeat.objects.latest("pk")
    heartbeat.pk, heartbeat.at = None, datetime.now(UTC) - timedelta(days=40)
    heartbeat.save(force_insert=True)
    assert (forget_old_heartbeats(), forget_old_refused_calls()) == (1, 0)

    last_month = (datetime.now(UTC).replace(day=1) - timedelta(days=2)).strftime("%Y-%m")
    call_command("close_month", last_month, shop=cast.shop.code, stdout=StringIO())
    assert InvoiceSequence.objects.filter(closed_at__isnull=False).exists()
    check_invariants()
    for options in ({}, {"fix": True}):
        out = StringIO()
        call_command("doctor", stdout=out, **options)
        assert " 0 constat" in out.getvalue()
        assert "DROP" not in out.getvalue()


def attempt(cursor: Cursor, statement: str) -> int:
    """Return the number of the server's error; 0 if the statement succeeded."""
    try:
        cursor.execute(statement)
    except MySQLdb.Error as error:
        return error.args[0]
    return 0


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE sales_heartbeat",
        "TRUNCATE TABLE sales_batchbody",
        "ALTER TABLE sales_batchbody ADD note int",
        "CREATE TABLE mine (id int)",
        "CREATE INDEX mine ON sales_batch (received_at)",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE TRIGGER mine BEFORE INSERT ON sales_batchbody FOR EACH ROW SET @x = 1",
        "DROP TRIGGER sales_batchbody_no_delete",
        "DROP DATABASE {name}",
        "LOCK TABLES sales_batch WRITE",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 0",
        "SELECT user FROM mysql.user",
        "GRANT DROP ON {name}.* TO caisse",
    ],
)
def test_the_application_cannot(accounts: Accounts, statement: str) -> None:
    """Each is refused for a missing right only: another account could do it."""
    with accounts.connect("caisse") as session:
        assert attempt(session.cursor(), statement.format(name=accounts.name)) in DENIED


@pytest.mark.parametrize("account", ["caisse", "caisse_migrations"])
def test_nobody_changes_history(accounts: Accounts, account: str, cast: Cast) -> None:
    """Neither the application's account nor the migrations' can, and the application cannot drop the triggers."""
    with accounts.connect(account) as session:
        cursor = session.cursor()
        for table in APPEND_ONLY_TABLES:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            assert cursor.fetchone()[0] > 0
            key = {"sales_batchbody": "batch_id", "sales_moneymovement": "document_id"}.get(table, "id")
            assert attempt(cursor, f"UPDATE {table} SET {key} = {key}") == TRIGGER_REFUSES
            assert attempt(cursor, f"DELETE FROM {table}") == TRIGGER_REFUSES


def test_the_backup_account_reads_and_no_more(accounts: Accounts) -> None:
    with accounts.connect("caisse_backup") as session:
        cursor = session.cursor()
        assert attempt(cursor, "SELECT COUNT(*) FROM sales_batch") == 0
        for statement in (
            "INSERT INTO sales_batchbody VALUES (1, 'x')",
            "DELETE FROM sales_heartbeat",
            "DROP TRIGGER sales_batchbody_no_delete",
            "TRUNCATE TABLE sales_batchbody",
        ):
            assert attempt(cursor, statement) in DENIED


def test_running_the_script_again_changes_passwords_and_nothing_else(accounts: Accounts) -> None:
    rights = rights_of(accounts)
    with accounts.root() as root:
        pattern = accounts.name.replace("_", r"\_")
        root.cursor().execute(f"GRANT DROP, TRIGGER ON `{pattern}`.* TO 'caisse'@'%'")
    accounts.create(APP="another one")
    try:
        assert rights_of(accounts) == rights
        with accounts.connect("caisse", password="another one") as session:
            assert attempt(session.cursor(), "TRUNCATE TABLE sales_batchbody") in DENIED
        with pytest.raises(MySQLdb.OperationalError), accounts.connect("caisse"):
            pass
    finally:
        accounts.create()


def rights_of(accounts: Accounts) -> list[list[str]]:
    with accounts.root() as root:
        cursor = root.cursor()
        found = []
        for account in ACCOUNTS:
            cursor.execute(f"SHOW GRANTS FOR '{account}'@'%'")
            found.append(sorted(line.partition(" IDENTIFIED BY ")[0] for (line,) in cursor.fetchall()))
        return found


def test_no_password_stands_on_a_command_line(accounts: Accounts, tmp_path: Path) -> None:
    """A client in the place of the real one records its arguments."""
    noted = tmp_path / "noted"
    client = tmp_path / "client"
    client.write_text(f'#!/bin/sh\necho "$@" >>{noted}\ncat >/dev/null\n')
    client.chmod(0o755)
    secrets = {name: f"secret-{name}" for name in ("APP_PASSWORD", "MIGRATIONS_PASSWORD", "BACKUP_PASSWORD")}
    environment = {**os.environ, **secrets, "ROOT_PASSWORD": "secret-root", "DATABASE_CLIENT": str(client)}
    subprocess.run([DEPLOY / "database" / "create-users"], env=environment, check=True, stdout=subprocess.DEVNULL)
    assert "--user=root" in noted.read_text()
    assert "secret" not in noted.read_text()
