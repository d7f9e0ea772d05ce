"""Child processes that can be started, frozen, killed and stopped, and that never outlive their parent."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

PDEATHSIG = Path(__file__).with_name("pdeathsig.py")
PROJECT_FOLDER = Path(__file__).resolve().parents[2]

STOP_PATIENCE_S = 10.0
READY_S_MAX = 60.0
LOOK_AGAIN_S = 0.05
# Below 32768, where the kernel's range for outgoing connections begins: a client that keeps trying to reach a stopped
# server in that range ends up connected to itself.
PORT_FIRST, PORT_LAST = 20_000, 32_000


class ProcessFailed(Exception):
    """A process ended, or never became ready."""


class ChildProcess:
    """One program in its own process group, with its output in a file.

    Signals go to the whole group, except SIGTERM, which goes to the leader: gunicorn and Celery end their own children.
    Processes that a leader leaves behind are killed when its end is noticed.
    """

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path = PROJECT_FOLDER,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.environment = dict(environment) if environment is not None else None
        self.folder = folder
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The leader's process id, which is also the group's id. Raises ProcessFailed before the first start."""
        if self._popen is None:
            raise ProcessFailed(f"{self.name} was never started")
        return self._popen.pid

    def start(self) -> None:
        """Start the program. From the main thread only: the kernel watches the thread that starts it."""
        if self.is_running():
            raise ProcessFailed(f"{self.name} is running already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603 - the commands are ours
                [sys.executable, "-I", "-S", str(PDEATHSIG), str(os.getpid()), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.folder,
                process_group=0,
            )

    def is_running(self) -> bool:
        return self._popen is not None and self.exit_code() is None

    def exit_code(self) -> int | None:
        """Return how the leader ended (negative: the signal), None while it runs."""
        if self._popen is None:
            return None
        if self._popen.returncode is None and self._has_ended():
            # Until it is waited for, the leader keeps the group's id, so this signal cannot reach another group.
            self._signal_group(signal.SIGKILL)
            self._popen.wait()
        return self._popen.returncode

    def stop(self, *, patience_s: float = STOP_PATIENCE_S) -> None:
        """Ask the program to end, and kill it if it still runs after `patience_s`. A frozen program is thawed first."""
        stop_together([self], patience_s=patience_s)

    def ask_to_stop(self) -> None:
        if self.is_running():
            os.kill(self.pid, signal.SIGTERM)
            self.thaw()

    def kill9(self) -> None:
        """Kill the leader and its children at once, as a power cut would."""
        if self.is_running():
            self._signal_group(signal.SIGKILL)
            self.wait(timeout_s=STOP_PATIENCE_S)

    def freeze(self) -> None:
        """Freeze the whole group (SIGSTOP): it stays alive, keeps its locks and connections, and answers nothing."""
        if self.is_running():
            self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.is_running():
            self._signal_group(signal.SIGCONT)

    def wait(self, *, timeout_s: float) -> int:
        """Return the exit code. Raises ProcessFailed if the program still runs after `timeout_s`."""
        if not wait_until(lambda: not self.is_running(), timeout_s=timeout_s):
            raise ProcessFailed(f"{self.name} still runs after {timeout_s} s")
        return self.exit_code() or 0

    def children(self) -> list[int]:
        """Return the ids of the group's processes other than the leader: gunicorn's workers, Celery's pool."""
        return sorted(pid for pid in group_members(self.pid) if pid != self.pid)

    def log_tail(self, *, lines: int = 15) -> str:
        """Return the last lines of what the program printed."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _has_ended(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class Service(ChildProcess):
    """A child that serves, with probes for whether it answers and whether it has started."""

    answers: Callable[[], bool] | None = None
    is_ready: Callable[[], bool] | None = None
    # Its address, if it serves HTTP: http://127.0.0.1:PORT, no slash at the end.
    url: str = ""
    # A heartbeat file that is deleted before each start, because an old one proves nothing.
    sign_of_life: Path | None = None

    def start(self) -> None:
        if self.sign_of_life:
            self.sign_of_life.unlink(missing_ok=True)
        super().start()

    def start_ready(self, *, timeout_s: float = READY_S_MAX) -> Self:
        """Start it and return it once it answers. Raises ProcessFailed with the end of its log if it does not."""
        self.start()
        return self.wait_ready(timeout_s=timeout_s)

    def wait_ready(self, *, timeout_s: float = READY_S_MAX) -> Self:
        """Wait as start_ready does, for a service that has been started already."""
        is_ready = self.is_ready or self.answers or self.is_running
        if wait_until(lambda: not self.is_running() or is_ready(), timeout_s=timeout_s) and self.is_running():
            return self
        what = "is not ready" if self.is_running() else f"ended with {self.exit_code()}"
        raise ProcessFailed(f"{self.name} {what}; see {self.log}\n{self.log_tail()}")


def stop_together(processes: Iterable[ChildProcess], *, patience_s: float = STOP_PATIENCE_S) -> None:
    """Ask all to end, wait for them together, then kill those that still run."""
    running = [process for process in processes if process.is_running()]
    for process in running:
        process.ask_to_stop()
    wait_until(lambda: not any(process.is_running() for process in running), timeout_s=patience_s)
    for process in running:
        process.kill9()


def wait_until(happened: Callable[[], object], *, timeout_s: float, pause_s: float = LOOK_AGAIN_S) -> bool:
    """Wait until `happened()` is true; return whether it became true within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause_s)
    return True


def free_port() -> int:
    """Return a loopback port that is free at this moment."""
    for _ in range(1000):
        port = random.SystemRandom().randint(PORT_FIRST, PORT_LAST)
        if port_is_free(port):
            return port
    raise ProcessFailed(f"no free port between {PORT_FIRST} and {PORT_LAST}")


def port_is_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket() as trial:
        # Servers set this option too: connections of an ended server in TIME_WAIT do not make the port busy.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def group_members(group: int) -> list[int]:
    """Return the ids of the processes in a process group (Linux)."""
    return [pid for pid, _parent, its_group in process_table() if its_group == group]


def process_table() -> list[tuple[int, int, int]]:
    """Return (process, parent, group) of every process that this user can see, zombies left out (Linux)."""
    table = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            # The program's name is in brackets, and may itself contain brackets and spaces.
            state, parent, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if state not in "ZX":
                table.append((int(entry.name), int(parent), int(group)))
    return table
