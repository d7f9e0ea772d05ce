"""Finds processes of a test run that connect to ports which a test run must leave alone (Linux)."""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from backend.localrun.processes import process_table

LOOK_EVERY_S = 0.2
# The ports of the MariaDB and the Redis that a developer's machine may be running for other things.
FOREIGN_PORTS = frozenset({3306, 6379})


class ConnectionWatch(threading.Thread):
    """Reads the kernel's table of connections a few times a second, for this process and its descendants.

    A wrong database or broker stays connected, or is tried again and again, so a look now and then is enough.
    `seen` holds one sentence for each port and program.
    """

    def __init__(self, ports: Iterable[int] = FOREIGN_PORTS) -> None:
        super().__init__(name="connection-watch", daemon=True)
        self.ports = frozenset(ports)
        self.seen: set[str] = set()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()

    def end(self) -> None:
        self._ended.set()
        if self.is_alive():
            self.join()

    def look(self) -> None:
        inodes = connections_to(self.ports)
        if not inodes:
            return
        for pid in family(os.getpid()):
            for inode in sockets_of(pid) & inodes.keys():
                self.seen.add(f"a connection to port {inodes[inode]}: {command_of(pid)}")


def connections_to(ports: frozenset[int]) -> dict[str, int]:
    """Return {socket's inode: remote port} of the connections to these ports."""
    found = {}
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                port, inode = int(fields[2].rpartition(":")[2], 16), fields[9]
                # A closed connection in TIME_WAIT belongs to no process: inode 0.
                if port in ports and inode != "0":
                    found[inode] = port
    return found


def family(pid: int) -> set[int]:
    """Return this process and all its descendants."""
    table = process_table()
    members = {pid}
    while more := {child for child, parent, _group in table if parent in members} - members:
        members |= more
    return members


def sockets_of(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    inodes = set()
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    return inodes


def command_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {pid}"
