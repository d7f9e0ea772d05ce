"""Failpoints: named points of a posting at which a test may make the process die, freeze, raise or wait.

They work only where the setting FAILPOINTS_ENABLED is true, which only tests/settings.py says: no environment variable
turns them on. There, the environment says what happens:

FAULT=kill@stock        die at once (SIGKILL) when the point `stock` is reached
FAULT=freeze@numbered   stop (SIGSTOP) there, locks held
FAULT=raise@lines       raise an error that is no refusal
FAULT=wait@nothing      wait there until the file named by FAULT_FILE is gone (10 s at most)
FAULT=wear@looked_up    raise a transient, as an overloaded database would
FAULT_NUMBER=FAC-7      only for the sale of that number; FAULT_TIMES=5 only the first five times of this process
"""

import os
import signal
import time
from pathlib import Path

from django.conf import settings
from django.db import OperationalError

# No point is called "", so without the setting each call is one comparison.
_verb, _, _point = os.environ.get("FAULT", "").partition("@") if settings.FAILPOINTS_ENABLED else ("", "", "")
_number = os.environ.get("FAULT_NUMBER", "")
_file = os.environ.get("FAULT_FILE", "")
_times_left = int(os.environ.get("FAULT_TIMES", "1000000"))

WAIT_S_MAX = 10


class Planted(Exception):
    """The bug that a test planted."""


def failpoint(point: str, *, number: str = "") -> None:
    """Do what FAULT says about `point`; without FAULT, or where failpoints are off, do nothing."""
    global _times_left  # noqa: PLW0603 - a test's count in a test's process
    if point != _point or (_number and number != _number) or _times_left <= 0:
        return
    _times_left -= 1
    if _verb == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif _verb == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif _verb == "raise":
        raise Planted(point)
    elif _verb == "wear":
        raise OperationalError(1205, "planted: lock wait timeout exceeded")
    elif _verb == "wait":
        _wait()


def _wait() -> None:
    """Write FAULT_FILE.reached to show that the point is reached, then wait until FAULT_FILE is removed."""
    Path(f"{_file}.reached").touch()
    deadline = time.monotonic() + WAIT_S_MAX
    while Path(_file).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
