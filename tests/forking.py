"""Processes that are forked from one which has Django and the code under test loaded: they start in milliseconds.

A fork of the test's own process would inherit its threads' locks and its connections. The server that forks is started
by the first of these processes, has neither, and dies with the test's process; its forks die with it.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess

import pytest

from backend.localrun.pdeathsig import PR_SET_PDEATHSIG

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.poster", "tests.acceptance.dying_till"])


def fork(act: Callable[..., None], *arguments: object, **options: object) -> ForkServerProcess:
    """Start a process that does this, in a group of its own. Its settings are the tests', but it has no broker."""
    # The server reads its settings once.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROKER_URL", "")
        forkserver.ensure_running()
    process = _CONTEXT.Process(target=_act, args=(act, arguments, options), daemon=True)
    process.start()
    return process


def _act(act: Callable[..., None], arguments: tuple[object, ...], options: dict[str, object]) -> None:
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    act(*arguments, **options)
