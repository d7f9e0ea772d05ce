"""Backups and restores one by one: what passes for a backup is one, and nothing is restored that is not, or onto what
is not empty. The whole disaster is in test_drill.py."""

import gzip
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import MySQLdb
import pytest
from pytest_django import DjangoDbBlocker

from backend.localrun.processes import PROJECT_FOLDER, wait_until
from backend.sales.models import Batch
from backend.testing import Cast
from tests.deploy.second_server import NAME, Site, looking_into
from tests.shop_day import post, sale

BACKUP_NAME = "caisse-????????T??????Z.sql.gz"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """A shop with some sales, on its own server."""
    with django_db_blocker.unblock(), Site(tmp_path_factory.mktemp("backup") / "site") as site:
        site.run("start/migrate")
        with looking_into(site.url()):
            site.cast = Cast()
        yield site


@pytest.fixture
def sell(site: Site) -> Callable[[], str]:
    """Record one sale and return its receipt."""

    def sell() -> str:
        with looking_into(site.url()):
            return str(post(site.cast.device, sale(site.cast.rice)).receipt)

    return sell


@pytest.fixture
def backup(site: Site, sell: Callable[[], str], tmp_path: Path) -> Path:
    sell()
    return take_backup(site, tmp_path / "backups")


def take_backup(site: Site, folder: Path) -> Path:
    site.run("backup/backup", environment={"BACKUP_DIR": str(folder)})
    return max(folder.glob(BACKUP_NAME))


def receipts(site: Site) -> set[str]:
    with looking_into(site.url()):
        return {str(receipt) for receipt in Batch.objects.values_list("receipt", flat=True)}


def restore(site: Site, backup: Path, *options: str, binlogs: Path | None = None, expects: int = 0) -> str:
    """Restore onto the server itself, replacing its database."""
    environment = {"BINLOG_DIR": str(binlogs)} if binlogs else {}
    return site.run("backup/restore", *options, backup, environment=environment, expects=expects)


def test_a_backup_is_for_its_owner_alone_and_older_ones_go(site: Site, backup: Path) -> None:
    assert backup.stat().st_mode & 0o077 == 0
    assert gzip.decompress(backup.read_bytes()).splitlines()[-1].startswith(b"-- Dump completed")
    long_ago = time.time() - 20 * 24 * 3600
    for path in backup.parent.iterdir():
        os.utime(path, (long_ago, long_ago))
    newer = take_backup(site, backup.parent)

    assert sorted(path.name for path in backup.parent.iterdir()) == [newer.name, f"{newer.name}.sha256"]


def test_a_backup_that_is_killed_leaves_nothing_that_passes_for_one(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    environment = {**site.environment(), "BACKUP_DIR": str(folder)}
    with root(site) as session:
        # The dump goes from table to table, and waits at this one.
        session.cursor().execute("LOCK TABLES sales_salepayment WRITE")
        dumping = subprocess.Popen(
            [PROJECT_FOLDER / "deploy/backup/backup"],
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        try:
            assert wait_until(lambda: somebody_waits(site), timeout_s=30)
        finally:
            os.killpg(dumping.pid, signal.SIGKILL)
            dumping.wait()
        session.cursor().execute("UNLOCK TABLES")

    assert [path.name[0] for path in folder.iterdir()] == ["."]
    assert not list(folder.glob("*.sql.gz"))
    assert take_backup(site, folder).exists()


def somebody_waits(site: Site) -> bool:
    with root(site) as session:
        cursor = session.cursor()
        cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'")
        return cursor.fetchone()[0] > 0


def root(site: Site) -> AbstractContextManager[MySQLdb.Connection]:
    return closing(MySQLdb.connect(unix_socket=str(site.server.socket), user="root", database=NAME))


def flush_binlogs(site: Site) -> None:
    with root(site) as session:
        session.cursor().execute("FLUSH BINARY LOGS")


def copy_of(folder: Path, copy: Path) -> Path:
    copy.mkdir()
    for path in folder.glob("binlog.0*"):
        shutil.copy(path, copy / path.name)
    return copy


@contextmanager
def copier(site: Site, folder: Path) -> Iterator[Callable[[], bool]]:
    """Run deploy/backup/binlogs; what is given tells whether it has all that the server wrote. It must end well."""
    process = subprocess.Popen(
        [PROJECT_FOLDER / "deploy/backup/binlogs"],
        env={**site.environment(), "BINLOG_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
    )

    def has_all() -> bool:
        newest = max(site.server.binlogs.glob("binlog.0*"))
        return any(path.stat().st_size == newest.stat().st_size for path in folder.glob(f"*.{newest.name}"))

    try:
        yield has_all
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def cut_short(content: bytes) -> bytes:
    return content[:-100]


def altered(content: bytes) -> bytes:
    return content[:200] + bytes([content[200] ^ 1]) + content[201:]


@pytest.mark.parametrize("damage", [cut_short, altered])
def test_a_damaged_backup_is_refused(site: Site, backup: Path, damage: Callable[[bytes], bytes]) -> None:
    before = receipts(site)
    backup.write_bytes(damage(backup.read_bytes()))

    said = restore(site, backup, "--without-binlogs", "--replace", NAME, expects=1)

    assert "sha256 differs" in said
    assert receipts(site) == before


def test_a_dump_that_ends_too_early_is_refused_though_its_sum_is_right(site: Site, backup: Path) -> None:
    before = receipts(site)
    backup.write_bytes(gzip.compress(gzip.decompress(backup.read_bytes())[:-60]))
    digest = hashlib.sha256(backup.read_bytes()).hexdigest()
    backup.with_name(f"{backup.name}.sha256").write_text(f"{digest}  {backup.name}\n")

    said = restore(site, backup, "--without-binlogs", "--replace", NAME, expects=1)

    assert "is not whole" in said
    assert receipts(site) == before


def test_a_database_that_is_not_empty_is_left_alone_unless_it_is_named(
    site: Site, backup: Path, sell: Callable[[], str]
) -> None:
    before, later = receipts(site), sell()

    assert "nothing was changed" in restore(site, backup, "--without-binlogs", expects=1)
    assert "nothing was changed" in restore(site, backup, "--without-binlogs", "--replace", "other", expects=1)
    assert receipts(site) == before | {later}


def test_nothing_is_restored_without_a_word_about_the_binlogs(site: Site, backup: Path) -> None:
    assert "BINLOG_DIR" in restore(site, backup, "--replace", NAME, expects=1)


def test_a_restore_up_to_a_moment_stops_there(site: Site, backup: Path, sell: Callable[[], str]) -> None:
    """Onto the server itself: what the restore writes to the binlog meanwhile is not replayed."""
    before, good = receipts(site), sell()
    time.sleep(1.1)  # a binlog's clock counts seconds
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    time.sleep(1.1)
    bad = sell()
    assert bad in receipts(site)

    restore(site, backup, "--until", moment, "--replace", NAME, binlogs=site.server.binlogs)

    assert receipts(site) == before | {good}
    assert is_in_order(site)


def test_binlogs_with_a_hole_are_refused(site: Site, backup: Path, sell: Callable[[], str], tmp_path: Path) -> None:
    before = receipts(site)
    for _ in range(2):
        flush_binlogs(site)
    binlogs = copy_of(site.server.binlogs, tmp_path / "binlogs")
    *_, middle, _last = sorted(binlogs.iterdir())
    middle.unlink()

    assert "lacks what comes before" in restore(site, backup, "--replace", NAME, binlogs=binlogs, expects=1)
    assert receipts(site) == before


def test_a_check_replays_copies_that_outlived_their_copier_up_to_the_last_whole_event(
    site: Site, sell: Callable[[], str], tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    backup = take_backup(site, tmp_path / "backups")
    before, sold = receipts(site), set()
    for _ in range(2):
        with copier(site, folder) as has_all:
            sold.add(sell())
            flush_binlogs(site)
            sold.add(sell())
            assert wait_until(has_all, timeout_s=30)
    assert len({path.name.split(".")[0] for path in folder.iterdir()}) == 2
    newest = max(folder.iterdir(), key=lambda path: path.suffix)
    newest.write_bytes(newest.read_bytes()[:-10])

    environment = {"BACKUP_DIR": str(backup.parent), "BINLOG_DIR": str(folder)}
    said = site.run("backup/check", environment=environment)

    assert "is torn" in said  # the end of the last sale's posting; its batch is whole
    assert f"restored: {len(before | sold)} batches" in said
    assert receipts(site) == before | sold  # on a server of its own


def is_in_order(site: Site) -> bool:
    """Whether the server's own binlogs, which now have the replayed rows too, can be read from their beginning."""
    binlogs = sorted(site.server.binlogs.glob("binlog.0*"))
    command = ["mariadb-binlog", "--no-defaults", *binlogs]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_a_copier_that_stands_still_is_noticed(site: Site, sell: Callable[[], str], tmp_path: Path) -> None:
    environment = {"BINLOG_DIR": str(tmp_path / "copies")}
    with copier(site, tmp_path / "copies"):
        sell()
        site.run("backup/copying", environment=environment)
    sell()
    assert "lacks the end of binlog" in site.run("backup/copying", environment=environment, expects=1)
    flush_binlogs(site)
    assert "lacks the end of binlog" in site.run("backup/copying", environment=environment, expects=1)


def test_copies_of_another_servers_binlogs_are_not_mixed_with_these(site: Site, tmp_path: Path) -> None:
    folder = copy_of(site.server.binlogs, tmp_path / "copies")
    newest = max(folder.iterdir())
    # As one of the same name that another server began at another second.
    content = bytearray(newest.read_bytes())
    content[4] ^= 1
    newest.write_bytes(content)

    said = site.run("backup/binlogs", environment={"BINLOG_DIR": str(folder)}, expects=1)

    assert "another server" in said
    assert newest.read_bytes() == content


def test_a_check_fails_where_backups_have_stopped_and_where_the_doctor_finds_something(
    site: Site, backup: Path
) -> None:
    environment = {"BACKUP_DIR": str(backup.parent)}
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(backup, (two_days_ago, two_days_ago))
    assert "48 hours old" in site.run("backup/check", environment=environment, expects=1)
    assert "has no backup" in site.run("backup/check", environment={"BACKUP_DIR": "/"}, expects=1)

    with root(site) as session:
        session.cursor().execute("UPDATE inventory_articleunit SET stock = stock + 1 LIMIT 1")
        session.commit()
    try:
        take_backup(site, backup.parent)
        assert "stock_is_the_sum_of_movements" in site.run("backup/check", environment=environment, expects=3)
    finally:
        with root(site) as session:
            session.cursor().execute("UPDATE inventory_articleunit SET stock = stock - 1 LIMIT 1")
            session.commit()
