"""Keeps services alive: restarts a service that died, kills and restarts a service that stopped answering.

A frozen process is worse than a dead one: on SQLite, a poster that hangs holds the write lock of the whole database.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from backend.localrun.processes import Service

SILENT_S_MAX = 10
# Importing Django on a busy machine takes much longer than answering a probe.
STARTING_S_MAX = 60
PROBE_EVERY_S = 2
LOOK_EVERY_S = 0.25
# After this long, earlier crashes no longer count.
STEADY_S = 60
BACKOFF_S = (0.5, 1, 2, 5, 10, 30)
CRASHES_IN_A_ROW_MAX = 4
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Ctrl-C, a closed terminal, or SIGTERM. Like KeyboardInterrupt a BaseException, so that no handler swallows it."""


@contextmanager
def stop_signals_raise() -> Iterator[None]:
    """Raise StopRequested in the main thread at the first signal to stop; ignore later signals.

    The handlers are set explicitly, because a shell makes a background program ignore Ctrl-C.
    """
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    if before[signal.SIGHUP] == signal.SIG_IGN:
        # Started with nohup: it must survive the terminal.
        del before[signal.SIGHUP]

    def stop(_number: int, _frame: FrameType | None) -> None:
        # The children are being stopped now; another interruption would leave some running.
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise StopRequested

    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Watched:
    """One service and its state. `answered_at` is None from a start until the first answer."""

    service: Service
    started_at: float
    answered_at: float | None
    crashes_in_a_row: int = 0
    restart_at: float | None = None
    probe: threading.Thread | None = field(default=None, repr=False)

    def silent_too_long(self, *, now: float) -> bool:
        """Return whether its answer is overdue: since its last answer, or since its start if it never answered."""
        if not self.service.answers:
            return False
        if self.answered_at is None:
            return now - self.started_at > STARTING_S_MAX
        return now - self.answered_at > SILENT_S_MAX


class Supervisor:
    """Watches services that have started and answered. Calls `say` with a sentence when something happens to one."""

    def __init__(self, services: Iterable[Service], *, say: Callable[[str], None]) -> None:
        now = time.monotonic()
        self._watched = [Watched(service, started_at=now, answered_at=now) for service in services]
        self._say = say
        self._ending = threading.Event()

    def run(self) -> None:
        """Watch until StopRequested. Restarts happen here, in the main thread, because its death ends the children."""
        for watched in self._watched:
            if watched.service.answers:
                # A probe waits for its answer, so each has a thread: a silent service must not delay other probes.
                watched.probe = threading.Thread(target=self._probe, args=(watched,), daemon=True)
                watched.probe.start()
        try:
            while True:
                for watched in self._watched:
                    self._check(watched, now=time.monotonic())
                time.sleep(LOOK_EVERY_S)
        finally:
            self._ending.set()

    def _probe(self, watched: Watched) -> None:
        answers = watched.service.answers
        while answers and not self._ending.wait(PROBE_EVERY_S):
            pid = watched.service.pid
            # If the service was restarted meanwhile, the answer was the old process's.
            if answers() and watched.service.pid == pid:
                watched.answered_at = time.monotonic()

    def _check(self, watched: Watched, *, now: float) -> None:
        service = watched.service
        if watched.restart_at is not None:
            if now >= watched.restart_at:
                self._start_again(watched, now=now)
        elif not service.is_running():
            self._plan_restart(watched, now=now)
        elif watched.silent_too_long(now=now):
            self._say(f"{service.name} ne répond plus depuis {SILENT_S_MAX} s : arrêt forcé.")
            service.kill9()
            self._plan_restart(watched, now=now)

    def _plan_restart(self, watched: Watched, *, now: float) -> None:
        lived_s = now - watched.started_at
        watched.crashes_in_a_row = 1 if lived_s > STEADY_S else watched.crashes_in_a_row + 1
        pause_s = BACKOFF_S[min(watched.crashes_in_a_row, len(BACKOFF_S)) - 1]
        watched.restart_at = now + pause_s
        name, code = watched.service.name, watched.service.exit_code()
        self._say(f"{name} s'est arrêté (code {code}) ; nouveau départ dans {pause_s:g} s.")
        if watched.crashes_in_a_row > CRASHES_IN_A_ROW_MAX:
            self._say(f"{name} s'arrête sans cesse ({watched.crashes_in_a_row} fois de suite) ; sa fin de journal :")
            self._say(watched.service.log_tail())
            self._say(f"Le journal entier : {watched.service.log}")

    def _start_again(self, watched: Watched, *, now: float) -> None:
        watched.restart_at = None
        watched.answered_at = None
        watched.started_at = now
        watched.service.start()
