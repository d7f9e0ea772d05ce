"""The fixtures of all tests. `tests/plugin.py` has started the run's own servers before.

db                 pytest-django's: each test in a transaction that is rolled back. For tests of a single process.
                   Where the test has a fixture `cast`, `standing_cast` is there already: committed once for many tests.
real_database      commits are real; afterwards every table is emptied, the append-only ones too. Wherever threads,
                   processes, `on_commit` or the database's own locks matter. Cannot be used together with db.
stack              builds processes on the test database and the run's broker (backend/localrun/stack.py); implies
                   real_database; all are stopped before the tables are emptied:
                       api = stack.add_api(processes=2).start_ready()          api.url
                       worker = stack.add_worker(concurrency=4).start_ready()  worker.children()
                       sweep = stack.add_sweep().start_ready()                 sweep.freeze() .thaw() .kill9() .stop()
                   Names are free to choose (name="worker-2"); `environment={...}` is laid over a process's environment;
                   `stack.environment` is that of all that are added later.
mariadb_server     the run's MariaDB, to be frozen, killed or restarted; it works again afterwards.
redis_server       the run's Redis, likewise. Both skip the test if the server is not this run's own.
rig                the run's servers: rig.database_url, rig.broker_url, rig.is_embedded.

Mark a test `embedded` if `make test-embedded` should run it on SQLite too.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker

from backend.localrun.servers import PrivateMariaDB, PrivateRedis
from backend.localrun.stack import Stack
from backend.testing import Cast
from tests.plugin import RIG, Rig
from tests.tables import SHARED_CAST, empty_tables


def keep_idle_session(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Let the test's own session be idle for longer than the few seconds after which the server ends it."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION wait_timeout = 3600")


connection_created.connect(keep_idle_session, dispatch_uid="keep-idle-session")

# Each client of a test builds the middlewares anew, and WhiteNoise would look into the 400 files that it may serve each
# time. As in development it looks when it is asked; tests/web/test_static_files.py serves as an installation does.
settings.WHITENOISE_AUTOREFRESH = True

# Making the cast would take a second and a half: no test is about the strength of a password. Other processes
# read the number from the hash, so they let these people in.
PBKDF2PasswordHasher.iterations = 1


@pytest.fixture(autouse=True)
def forget_calls() -> None:
    """Clear this process's counts of devices' calls: SQLite gives the next test's devices the same ids."""
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Collect the static files, as a start does, for this process's pages and those of the stack."""
    call_command("collect_static")
    # Importing the tests may have read the manifest before another process wrote it.
    staticfiles_storage.hashed_files, staticfiles_storage.manifest_hash = staticfiles_storage.load_manifest()


@pytest.fixture(scope="session")
def rig(pytestconfig: pytest.Config) -> Rig:
    return pytestconfig.stash[RIG]


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Create the test database once. pytest-django's own looks for its own marks and knows nothing of real_database."""
    with django_db_blocker.unblock():
        created = setup_databases(verbosity=0, interactive=False, aliases={"default"}, serialized_aliases=set())
    yield
    with django_db_blocker.unblock():
        teardown_databases(created, verbosity=0)


@pytest.fixture
def _beforehand(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        if "standing_day" in request.fixturenames:
            SHARED_CAST.enter(has_day=True)
        elif "standing_cast" in request.fixturenames:
            SHARED_CAST.enter(has_day=False)
        else:
            SHARED_CAST.leave()


@pytest.fixture
def db(_beforehand: None, _django_db_helper: None) -> None:
    """pytest-django's, on tables that hold the cast or nothing."""


@pytest.fixture
def standing_cast(db: None) -> Cast:
    return copy.deepcopy(SHARED_CAST.cast)


@pytest.fixture
def standing_day(standing_cast: Cast) -> Cast:
    """The cast after a day on which a bit of everything happened: `busy_day` of tests/doctor/planted_faults.py."""
    return standing_cast


@pytest.fixture
def real_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        SHARED_CAST.leave()
        yield
        empty_tables(connection)
        connections.close_all()


@pytest.fixture
def stack(real_database: None, rig: Rig, tmp_path: Path) -> Iterator[Stack]:
    environment = {"DATABASE_URL": rig.database_url, "BROKER_URL": rig.broker_url}
    with Stack(folder=tmp_path, environment=environment) as stack:
        yield stack


@pytest.fixture
def mariadb_server(rig: Rig) -> Iterator[PrivateMariaDB]:
    if not rig.mariadb:
        pytest.skip("the database of this run is not ours to stop")
    yield rig.mariadb
    rig.mariadb.thaw()
    if not rig.mariadb.process.is_running():
        rig.mariadb.start()


@pytest.fixture
def redis_server(rig: Rig) -> Iterator[PrivateRedis]:
    if not isinstance(rig.redis, PrivateRedis):
        pytest.skip("this run has no Redis server")
    yield rig.redis
    rig.redis.thaw()
    # Its messages belong to the test that is over; it keeps nothing on disk.
    rig.redis.kill9()
    rig.redis.start()
