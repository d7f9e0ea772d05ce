"""Child processes end when they should: when asked, when killed, or when their parent dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.localrun.processes import ChildProcess, ProcessFailed, Service, process_table, stop_together, wait_until

SLEEP = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
# Starts a child of its own in the same group, tells its id, and waits.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep({seconds})
"""

Start = Callable[[str], Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a Python program as a child that is ended after the test in any case."""
    children: list[Service] = []

    def start(program: str) -> Service:
        name = f"child-{len(children)}"
        child = Service(name=name, command=[sys.executable, "-c", program], log=tmp_path / f"{name}.log")
        children.append(child)
        child.start()
        return child

    yield start
    for child in children:
        child.kill9()


def is_alive(pid: int) -> bool:
    return any(pid == each for each, _parent, _group in process_table())


def wait_for_line(child: ChildProcess) -> str:
    assert wait_until(child.log_tail, timeout_s=20)
    return child.log_tail()


def test_a_child_that_is_asked_to_stop_stops(start: Start) -> None:
    child = start(SLEEP)
    child.stop()
    assert child.exit_code() == -signal.SIGTERM


def test_a_child_that_ignores_the_request_is_killed(start: Start) -> None:
    child = start(DEAF)
    wait_for_line(child)
    child.stop(patience_s=0.3)
    assert child.exit_code() == -signal.SIGKILL


def test_a_frozen_child_is_woken_so_that_it_can_stop(start: Start) -> None:
    child = start(SLEEP)
    child.freeze()
    child.stop()
    assert child.exit_code() == -signal.SIGTERM


def test_children_that_are_stopped_together_are_waited_for_together(start: Start) -> None:
    children = [start(DEAF), start(SLEEP), start(DEAF)]
    wait_for_line(children[0])
    wait_for_line(children[2])
    stop_together(children, patience_s=0.3)
    assert [child.exit_code() for child in children] == [-signal.SIGKILL, -signal.SIGTERM, -signal.SIGKILL]


def test_killing_a_child_kills_what_it_started(start: Start) -> None:
    child = start(PARENT.format(seconds=60))
    grandchild = int(wait_for_line(child))
    assert child.children() == [grandchild]
    child.kill9()
    assert wait_until(lambda: not is_alive(grandchild), timeout_s=5)


def test_what_a_child_leaves_behind_is_killed_when_its_end_is_noticed(start: Start) -> None:
    child = start(PARENT.format(seconds=0))
    grandchild = int(wait_for_line(child))
    assert child.wait(timeout_s=20) == 0
    assert wait_until(lambda: not is_alive(grandchild), timeout_s=5)


def test_a_child_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from backend.localrun.processes import ChildProcess
child = ChildProcess(name="c", command=[sys.executable, "-c", {SLEEP!r}], log=Path({str(tmp_path / "log")!r}))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    with starter.stdout:
        pid = int(starter.stdout.readline())
    assert is_alive(pid)
    starter.kill()
    starter.wait()
    assert wait_until(lambda: not is_alive(pid), timeout_s=5)


def test_a_child_that_ends_at_once_says_why(start: Start) -> None:
    child = start("raise SystemExit('the reason')")
    child.is_ready = lambda: False
    with pytest.raises(ProcessFailed, match=r"ended with 1.*\nthe reason"):
        child.wait_ready(timeout_s=20)


def test_a_child_cannot_be_started_twice(start: Start) -> None:
    child = start(SLEEP)
    with pytest.raises(ProcessFailed, match="running already"):
        child.start()
    os.kill(child.pid, 0)
