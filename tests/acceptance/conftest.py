"""Fixtures for the tests of the example till: a whole system, started once a file, and tills."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from backend.example_till import Till
from backend.localrun.stack import Stack
from backend.sales.tills.pauses import pause, resume
from backend.testing import Cast
from tests.acceptance.dying_till import act_until_death
from tests.faults.proxy import FaultProxy
from tests.forking import fork
from tests.plugin import Rig

MakeTill = Callable[..., Till]


@pytest.fixture(scope="module")
def running(django_db_setup: None, rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The API, a worker and a sweep, started once for this file: the tills are what is tested here."""
    environment = {"DATABASE_URL": rig.database_url, "BROKER_URL": rig.broker_url, "ENROLMENTS_PER_MINUTE": "1000"}
    with Stack(folder=tmp_path_factory.mktemp("stack"), environment=environment) as stack:
        stack.add_api()
        stack.add_worker(concurrency=2)
        stack.add_sweep()
        for service in stack.services.values():
            service.start()
        for service in stack.services.values():
            service.wait_ready()
        yield stack


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


@pytest.fixture
def open_shop(running: Stack, cast: Cast) -> str:
    """The address at which Alice's tills hand over."""
    return running["api"].url


@pytest.fixture
def resume_posting(open_shop: str, cast: Cast) -> Callable[[], None]:
    """Stop posting, not intake, until the test calls the function that this returns."""
    pause()
    return resume


@pytest.fixture
def proxy(open_shop: str) -> Iterator[FaultProxy]:
    with FaultProxy(("127.0.0.1", urlsplit(open_shop).port)) as proxy:
        yield proxy


@pytest.fixture
def make_till(cast: Cast, tmp_path: Path) -> Iterator[MakeTill]:
    """Make tills of Alice's. All tills of one test share the file caisse.sqlite3 unless `file` names another."""
    with ExitStack() as tills:

        def make(url: str, *, file: str = "caisse.sqlite3", **options: object) -> Till:
            options = {
                "serial": cast.device.serial,
                "backoff_s": (0.1, 1.0),
                "zone": ZoneInfo(cast.shop.timezone),
            } | options
            return tills.enter_context(Till(tmp_path / file, url, **options))

        yield make


@pytest.fixture
def die_at(tmp_path: Path) -> Callable[..., bool]:
    """Let a till do something in a process that kills itself just before its Nth step: a statement on its file, a call
    going out, an answer coming in. Returns whether it died; False means that it had fewer steps."""

    def die_at(step: int, url: str, action: str, *arguments: str, file: str, serial: str) -> bool:
        till = {"step": step, "path": str(tmp_path / file), "url": url, "serial": serial}
        process = fork(act_until_death, action, arguments, **till)
        process.join(60)
        assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
        return process.exitcode != 0

    return die_at
