"""The folder of one test run: in memory where there is room for it, and removed even if the run was killed.

The databases of a run wait for the disk thousands of times. In memory they do not wait, and they still lose nothing
when a process is killed: only a power cut would show the difference.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PREFIX = "caisse-tests-"
MEMORY = Path("/dev/shm")
# Two MariaDB servers with their logs take half a gigabyte; tests that restore a copy start more of them.
MEMORY_FREE_BYTES_MIN = 2 * 1024**3


def make_run_folder(memory: Path = MEMORY, *, disk: Path | None = None, bytes_min: int = MEMORY_FREE_BYTES_MIN) -> Path:
    """Create this run's folder and remove those of runs that were killed. Its name carries this process's id."""
    disk = disk or Path(tempfile.gettempdir())
    remove_leftovers((memory, disk))
    parent = memory if _has_room(memory, bytes_min) else disk
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))


def remove_leftovers(parents: Iterable[Path]) -> None:
    """Remove the folders of runs whose process is gone. Another user's folders stay: we may not remove them."""
    for parent in parents:
        for folder in parent.glob(f"{PREFIX}*"):
            pid = folder.name.removeprefix(PREFIX).partition("-")[0]
            if pid.isdecimal() and not _lives(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


def _has_room(folder: Path, bytes_min: int) -> bool:
    """Tell whether the folder has this much room. Tests run programs that they write, so it must allow that too."""
    with suppress(OSError):
        if os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_NOEXEC:
            return shutil.disk_usage(folder).free >= bytes_min
    return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
