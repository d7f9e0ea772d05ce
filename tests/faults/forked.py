"""A poster as a fork of a process that has Django loaded (tests/forking.py)."""

import importlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.localrun.processes import STOP_PATIENCE_S, ProcessFailed
from tests.forking import fork


class ForkedPoster:
    """A poster that runs from now on, and can be waited for, thawed and killed as a ChildProcess can."""

    def __init__(self, *, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._process = fork(post, list(arguments), dict(environment), str(log))

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def is_running(self) -> bool:
        return self._process.is_alive()

    def wait(self, *, timeout_s: float) -> int:
        """Return the exit code, negative for a signal. Raises ProcessFailed if it still runs after `timeout_s`."""
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            raise ProcessFailed(f"poster {self.pid} still runs after {timeout_s} s")
        return self._process.exitcode

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill9(self) -> None:
        self._process.kill()
        self._process.join(STOP_PATIENCE_S)


def post(arguments: Sequence[str], environment: Mapping[str, str], log: str) -> None:
    """What the fork does: write to a log of its own, take its own faults, and post."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.environ.update(environment)
    # Only the fork has Django: this file is read by the test's process too, before the settings are.
    from backend.sales.posting import failpoints
    from tests.faults import poster

    # It read FAULT when the server loaded it.
    importlib.reload(failpoints)
    poster.main(arguments)
