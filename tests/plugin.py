"""Private servers for one test run, started before Django reads its settings (loaded with `-p tests.plugin`).

Nothing else on the machine is used, so any number of runs can go on side by side; of a run with `-n 2` each process has
servers of its own. Read from the environment:
TEST_DATABASE_URL  runs on that MariaDB or MySQL server, in a database of its own, instead of on a private MariaDB;
TEST_EMBEDDED=1    runs the tests marked `embedded` on a SQLite file and whatever broker `make run` would find.

All files lie in one folder (tests/run_folder.py), the tests' own (tmp_path) too; it is gone when the run is over. To
look at what a failed test has left, name another place for those: `--basetemp=FOLDER`.
"""

import os
import secrets
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backend.db.database_url import of_sqlite
from backend.localrun.processes import PROJECT_FOLDER, ProcessFailed
from backend.localrun.servers import FakeRedis, PrivateMariaDB, PrivateRedis, find_broker
from tests.connection_watch import FOREIGN_PORTS, ConnectionWatch
from tests.run_folder import make_run_folder


@dataclass
class Rig:
    """The servers of this run. `database_url` names the test database itself, for processes started beside pytest."""

    folder: Path
    database_url: str = ""
    broker_url: str = ""
    is_embedded: bool = False
    mariadb: PrivateMariaDB | None = None
    redis: PrivateRedis | FakeRedis | None = None
    watch: ConnectionWatch = field(default_factory=ConnectionWatch)

    def stop(self) -> None:
        self.watch.end()
        for server in (self.mariadb, self.redis):
            if server:
                server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


RIG = pytest.StashKey[Rig]()
# What a test is given, or what its file imports, if it waits for a commit, a browser, a server or a program.
SLOW_FIXTURES = frozenset({"real_database", "browser", "rig", "mariadb_server", "redis_server"})
STARTERS = frozenset({
    "subprocess", "threading", "ChildProcess", "Service", "Stack", "PrivateMariaDB", "PrivateRedis", "find_program",
})  # fmt: skip
# A shop's whole days take a minute even in one process.
SLOW_FOLDERS = frozenset({"acceptance", "properties"})
# The folder that the process which hands out the tests gives to those that run them.
RUN_FOLDER = "CAISSE_TEST_RUN_FOLDER"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> object:
    """Runs around pytest-django's hook of the same name, which imports the settings."""
    _keep_compiled_code()
    rig = early_config.stash[RIG] = Rig(folder=_make_folder(early_config))
    early_config.add_cleanup(rig.stop)
    # A run that is asked to end cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = early_config.known_args_namespace
    if getattr(options, "numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ:
        # This process only hands out the tests, and watches the processes that the others start.
        os.environ[RUN_FOLDER] = str(rig.folder)
        rig.watch.ports = FOREIGN_PORTS - {_port_of(os.environ.get("TEST_DATABASE_URL", ""))}
        rig.watch.start()
        return (yield)
    try:
        _prepare(rig, starts=not (options.collectonly or options.help or options.version))
    except ProcessFailed as failure:
        raise pytest.UsageError(str(failure)) from failure
    return (yield)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """In the embedded run a file without the mark is not even imported: it may need packages that are missing."""
    is_test = collection_path.is_file() and collection_path.suffix == ".py"
    if config.stash[RIG].is_embedded and is_test and "mark.embedded" not in collection_path.read_text(encoding="utf-8"):
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is fast; on the embedded default leave out what is not marked: SQLite proves nothing about it."""
    for item in items:
        if item.get_closest_marker("django_db"):
            raise pytest.UsageError(f"{item.nodeid}: use the fixture `db` of tests/conftest.py, not the mark django_db")
        if is_fast(item):
            item.add_marker("fast")
    if not config.stash[RIG].is_embedded:
        return
    left_out = [item for item in items if not item.get_closest_marker("embedded")]
    items[:] = [item for item in items if item.get_closest_marker("embedded")]
    config.hook.pytest_deselected(items=left_out)


def is_fast(item: pytest.Item) -> bool:
    """Whether a test stays inside this process: it commits nothing, opens no browser and starts no program. A few that
    do only that take seconds, and say so themselves."""
    if SLOW_FOLDERS.intersection(item.path.parts) or item.get_closest_marker("slow"):
        return False
    return SLOW_FIXTURES.isdisjoint(item.fixturenames) and STARTERS.isdisjoint(vars(item.module))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that touched a server that is not its own has failed, even if its tests passed."""
    watch = session.config.stash[RIG].watch
    watch.end()
    if watch.seen and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for sentence in sorted(config.stash[RIG].watch.seen):
        terminalreporter.write_line(f"FAILED: a server that this run did not start was touched by {sentence}", red=True)


def _keep_compiled_code() -> None:
    """Let the two hundred processes of a run compile each file once, even where Python is told to keep nothing."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _make_folder(config: pytest.Config) -> Path:
    """Create the folder of this process: the run's, or one inside it, so that the run removes what a process leaves."""
    run_folder = os.environ.pop(RUN_FOLDER, "")
    if run_folder and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
        folder = Path(run_folder, worker)
        folder.mkdir(mode=0o700)
        return folder
    folder = make_run_folder()
    if not config.known_args_namespace.basetemp:
        config.option.basetemp = str(folder / "tmp")
    return folder


def _prepare(rig: Rig, *, starts: bool) -> None:
    """Start what this run needs and say so in the environment, which the settings read."""
    name = f"test_caisse_{secrets.token_hex(5)}"
    given_url = os.environ.pop("TEST_DATABASE_URL", "")
    rig.is_embedded = os.environ.get("TEST_EMBEDDED") == "1"
    if rig.is_embedded:
        name = str(rig.folder / "test.sqlite3")
        rig.database_url = of_sqlite(Path(name))
    elif given_url:
        rig.watch.ports = FOREIGN_PORTS - {_port_of(given_url)}
        rig.database_url = urlsplit(given_url)._replace(path=f"/{name}").geturl()
    else:
        rig.mariadb = PrivateMariaDB(rig.folder / "mariadb")
        rig.database_url = rig.mariadb.url(name)
    if starts:
        rig.watch.start()
        if rig.mariadb:
            rig.mariadb.start()
        _start_broker(rig)
    (rig.folder / "var").mkdir()
    os.environ |= {
        "DATABASE_URL": rig.database_url,
        # Django would put "test_" before the name, which has it already.
        "TEST_DATABASE_NAME": name,
        "BROKER_URL": rig.broker_url,
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "LOG_FORMAT": "console",
        "VAR_DIR": str(rig.folder / "var"),
        # Kept from run to run: collecting takes longer than many tests.
        "STATIC_ROOT": str(PROJECT_FOLDER / "var" / "tests" / "static"),
    }


def _port_of(database_url: str) -> int | None:
    """Return the port of a server that was given to this run, None if none was."""
    return (urlsplit(database_url).port or 3306) if database_url else None


def _start_broker(rig: Rig) -> None:
    if rig.is_embedded:
        rig.redis = find_broker(folder=rig.folder / "broker", environment={}).server
    else:
        rig.redis = PrivateRedis(rig.folder / "redis").start()
    rig.broker_url = rig.redis.url if rig.redis else ""
