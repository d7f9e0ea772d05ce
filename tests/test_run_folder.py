"""A run's folder lies in memory where there is room, and a killed run's folder goes when the next run starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.localrun.processes import PROJECT_FOLDER
from tests.run_folder import make_run_folder

MAKE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tests.run_folder import make_run_folder
folder = make_run_folder(Path(sys.argv[1]), bytes_min=0)
(folder / "data").write_text("x")
print(folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def test_it_lies_in_memory_where_there_is_room(memory: Path, disk: Path) -> None:
    assert make_run_folder(memory, disk=disk, bytes_min=1).parent == memory


@pytest.mark.parametrize(("name", "bytes_min"), [("memory", 2**60), ("nowhere", 1)], ids=["too small", "not there"])
def test_it_lies_on_the_disk_otherwise(memory: Path, disk: Path, name: str, bytes_min: int) -> None:
    assert make_run_folder(memory.with_name(name), disk=disk, bytes_min=bytes_min).parent == disk


def test_the_next_run_removes_the_folder_of_a_killed_one(memory: Path, disk: Path) -> None:
    ours = make_run_folder(memory, disk=disk, bytes_min=0)
    command = [sys.executable, "-c", MAKE_AND_DIE, memory]
    killed = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert (left / "data").exists(), killed.stderr
    next_one = make_run_folder(memory, disk=disk, bytes_min=0)
    # Ours belongs to a run that lives.
    assert set(memory.iterdir()) == {ours, next_one}


def test_a_folder_that_is_none_of_ours_is_left_alone(memory: Path, disk: Path) -> None:
    others = {memory / "caisse-tests-notes", memory / f"somebody-{os.getpid()}-x"}
    for other in others:
        other.mkdir()
    make_run_folder(memory, disk=disk, bytes_min=2**60)
    assert set(memory.iterdir()) == others
