"""A TCP proxy that misbehaves on demand, between a client and a real server (HTTP, MariaDB, Redis).

    with FaultProxy(("127.0.0.1", 8000)) as proxy:
        proxy.swallow_answer_to(b"POST ")       # the server gets the request, its answer is lost
        till = Till(path, proxy.url, serial)
        …
        proxy.wait_for_faults(1)

A mode applies to all connections, open ones included:
pass_through()                    bytes go both ways; the first mode
refuse()                          the port is closed, and open connections are reset
hang()                            connections are accepted, no bytes are passed on: a frozen host, a silent firewall
delay(seconds)                    each piece of an answer is delayed
cut_request(after_bytes=N)        the server gets the first N bytes that a connection sends, then both sides are cut
swallow_answer_to(pattern)        the piece with the pattern is passed on; as soon as the server replies, both sides are
                                  cut and the reply is thrown away. For a lost answer to COMMIT: b"\\x03COMMIT"
The last two happen `times` times (default once), then bytes pass again.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass

PIECE_BYTES = 65536
TICK_S = 0.02
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Mode:
    """What is done to the bytes. `left`: how many more times."""

    name: str = "pass"
    delay_s: float = 0.0
    after_bytes: int = 0
    pattern: bytes = b""
    left: int = 0


class FaultProxy:
    """Listens on a free port of loopback. target: (host, port), or the path of a unix socket."""

    host = "127.0.0.1"

    def __init__(self, target: tuple[str, int] | str) -> None:
        self.target = target
        self.mode = Mode()
        self.faults = 0
        self.generation = 0  # connections of an older generation reset themselves
        self.open_count = 0
        self.changed = threading.Condition()
        self.port = 0
        self.listener: socket.socket | None = None
        self._listen()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def pass_through(self) -> None:
        self._set(Mode())

    def hang(self) -> None:
        self._set(Mode("hang"))

    def delay(self, seconds: float) -> None:
        self._set(Mode("delay", delay_s=seconds))

    def cut_request(self, *, after_bytes: int, times: int = 1) -> None:
        self._set(Mode("cut", after_bytes=after_bytes, left=times))

    def swallow_answer_to(self, pattern: bytes = b"", *, times: int = 1) -> None:
        """An empty pattern matches everything."""
        self._set(Mode("swallow", pattern=pattern, left=times))

    def refuse(self) -> None:
        """Returns when the port is closed and the last connection is gone."""
        with self.changed:
            if self.listener:
                # Closing alone would leave the port open for as long as a thread is inside accept().
                self.listener.shutdown(socket.SHUT_RDWR)
                self.listener.close()
                self.listener = None
            self.generation += 1
            if not self.changed.wait_for(lambda: self.open_count == 0, timeout=5):
                raise TimeoutError("a connection does not end")

    close = refuse

    def wait_for_faults(self, count: int, timeout_s: float = 10.0) -> None:
        with self.changed:
            if not self.changed.wait_for(lambda: self.faults >= count, timeout_s):
                raise TimeoutError(f"{self.faults} of {count} faults after {timeout_s} s")

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- The threads: one that accepts, one for each connection ---

    def _set(self, mode: Mode) -> None:
        with self.changed:
            self.mode = mode
            if self.listener is None:
                self._listen()

    def _listen(self) -> None:
        self.listener = socket.create_server((self.host, self.port))  # again the same port after `refuse`
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self.changed:
                generation = self.generation
                self.open_count += 1
            threading.Thread(target=self._serve, args=[client, generation], daemon=True).start()

    def _serve(self, client: socket.socket, generation: int) -> None:
        family = socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET
        # An error means that one side went away: the connection is over for the other one too.
        with client, socket.socket(family, socket.SOCK_STREAM) as server, contextlib.suppress(OSError):
            server.connect(self.target)
            if self._carry(client, server, generation) == "struck":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        with self.changed:
            self.open_count -= 1
            self.changed.notify_all()

    def _carry(self, client: socket.socket, server: socket.socket, generation: int) -> str:
        """Move bytes until one side ends, a fault strikes, or `refuse` starts a new generation."""
        sent_bytes, tail, is_answer_doomed = 0, b"", False
        while self.generation == generation:
            readable, _, _ = select.select([client, server], [], [], TICK_S)
            mode = self.mode  # read after the wait: what came meanwhile came under the new mode
            if mode.name == "hang":
                time.sleep(TICK_S)
                continue
            if client in readable:
                piece = client.recv(PIECE_BYTES)
                if mode.name == "cut" and sent_bytes + len(piece) > mode.after_bytes and self._may_strike(mode):
                    server.sendall(piece[: max(0, mode.after_bytes - sent_bytes)])
                    return self._strike()
                # The pattern may lie across two pieces, so the end of the last one is looked at again.
                if mode.name == "swallow" and mode.pattern in tail + piece and not is_answer_doomed:
                    is_answer_doomed = self._may_strike(mode)
                sent_bytes, tail = sent_bytes + len(piece), piece[-len(mode.pattern) :] if mode.pattern else b""
                server.sendall(piece)
                if not piece:
                    return "ended"
            if server in readable:
                piece = server.recv(PIECE_BYTES)
                if is_answer_doomed:
                    return self._strike()
                time.sleep(mode.delay_s)
                client.sendall(piece)
                if not piece:
                    return "ended"
        return "struck"

    def _may_strike(self, mode: Mode) -> bool:
        with self.changed:
            mode.left -= 1
            return mode.left >= 0

    def _strike(self) -> str:
        with self.changed:
            self.faults += 1
            self.changed.notify_all()
        return "struck"
