"""The supervisor restarts dead services, kills those that do not answer, and reports it."""

import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from backend.health.probes import file_is_fresh
from backend.localrun import supervisor
from backend.localrun.processes import Service, wait_until
from backend.localrun.supervisor import StopRequested, Supervisor

# The supervisor runs until it is stopped: a test that fails to stop it should not take five minutes.
pytestmark = pytest.mark.timeout(60)

BEATING = "import pathlib, sys, time\nwhile True:\n    pathlib.Path(sys.argv[1]).touch(); time.sleep(0.05)"


class Bench:
    """Runs a supervisor in the test's main thread while `script`, in another, does things to its services."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services: list[Service] = []
        self.said: list[str] = []

    def add(self, name: str, program: str) -> Service:
        heartbeat = self.folder / f"{name}.heartbeat"
        command = [sys.executable, "-c", program, heartbeat]
        service = Service(name=name, command=command, log=self.folder / f"{name}.log")
        service.sign_of_life = heartbeat
        self.services.append(service)
        return service

    def add_beating(self, name: str) -> Service:
        service = self.add(name, BEATING)
        assert service.sign_of_life
        service.answers = partial(file_is_fresh, service.sign_of_life, age_s_max=0.5)
        return service.start_ready()

    def run_until(self, happened: object, *, timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s

        def say(sentence: str) -> None:
            self.said.append(sentence)

        class Ending(Supervisor):
            def _check(self, *arguments: object, **named: object) -> None:
                super()._check(*arguments, **named)
                if happened() or time.monotonic() > deadline:
                    raise StopRequested

        with pytest.raises(StopRequested):
            Ending(self.services, say=say).run()
        assert happened(), self.said


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(supervisor, "SILENT_S_MAX", 1)
    monkeypatch.setattr(supervisor, "PROBE_EVERY_S", 0.1)
    monkeypatch.setattr(supervisor, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(supervisor, "BACKOFF_S", (0.05, 0.1))
    bench = Bench(tmp_path)
    yield bench
    for service in bench.services:
        service.kill9()


def test_it_restarts_a_service_that_died(bench: Bench) -> None:
    service = bench.add_beating("api")
    first = service.pid
    service.kill9()
    bench.run_until(lambda: service.is_running() and service.pid != first and service.answers())
    assert bench.said == ["api s'est arrêté (code -9) ; nouveau départ dans 0.05 s."]


def test_it_kills_and_restarts_a_service_that_is_frozen_and_leaves_the_others_alone(bench: Bench) -> None:
    frozen, healthy = bench.add_beating("worker"), bench.add_beating("api")
    first, others = frozen.pid, healthy.pid
    threading.Timer(0.5, frozen.freeze).start()
    bench.run_until(lambda: frozen.is_running() and frozen.pid != first and frozen.answers())
    assert bench.said[0] == "worker ne répond plus depuis 1 s : arrêt forcé."
    assert healthy.pid == others
    assert healthy.is_running()


def test_it_gives_a_service_that_is_starting_time_before_it_must_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "SILENT_S_MAX", 0.5)
    service = bench.add("slow", f"import time\ntime.sleep(1.5)\n{BEATING}")
    service.answers = partial(file_is_fresh, bench.folder / "slow.heartbeat", age_s_max=0.5)
    service.start_ready()
    first = service.pid
    service.kill9()
    bench.run_until(lambda: service.pid != first and service.answers())
    assert bench.said == ["slow s'est arrêté (code -9) ; nouveau départ dans 0.05 s."]


def test_it_notices_a_service_that_is_frozen_before_it_was_asked_once(bench: Bench) -> None:
    service = bench.add_beating("api")
    service.freeze()
    bench.run_until(lambda: bench.said)
    assert bench.said[0] == "api ne répond plus depuis 1 s : arrêt forcé."


def test_it_says_so_when_a_service_dies_again_and_again_and_shows_why(bench: Bench) -> None:
    service = bench.add("beat", "raise SystemExit('no such schedule')")
    service.start()
    bench.run_until(lambda: any("sans cesse" in sentence for sentence in bench.said))
    bench.run_until(lambda: any("no such schedule" in sentence for sentence in bench.said))


def test_it_watches_a_service_that_cannot_be_asked_by_its_process_alone(bench: Bench) -> None:
    service = bench.add("beat", "import time; time.sleep(60)")
    service.start()
    service.freeze()
    started = time.monotonic()
    bench.run_until(lambda: time.monotonic() - started > 2)
    assert bench.said == []
    assert wait_until(service.is_running, timeout_s=1)
