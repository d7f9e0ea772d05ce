"""Calls that may never return: a frozen database or broker must not freeze the process that reports it.

Each call runs in its own thread. The caller waits for a bounded time, however long the thread takes.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Generic, TypeVar

from django.db import Error, connection

Answer = TypeVar("Answer")

# Beyond this number, enough threads already hang on the frozen server to know that it does not answer.
PENDING_CALLS_MAX = 8
# A failure is cached for a shorter time: a start that waits for the server should see it come back soon.
FAILURE_CACHED_S = 1.0

_slots = threading.BoundedSemaphore(PENDING_CALLS_MAX)


class PendingCall(futures.Future[Answer | None]):
    """One call in progress. Its result is None if it raises, or if too many others are in progress."""

    def __init__(self, ask: Callable[[], Answer | None]) -> None:
        super().__init__()
        self.began_at = self.ended_at = time.monotonic()
        if _slots.acquire(blocking=False):
            threading.Thread(target=self._run, args=(ask,), name="bounded-call", daemon=True).start()
        else:
            self.set_result(None)

    def _run(self, ask: Callable[[], Answer | None]) -> None:
        answer = None
        try:
            answer = ask()
        finally:
            _slots.release()
            self.ended_at = time.monotonic()
            self.set_result(answer)
            # Last, so that no caller waits for it: closing a connection to a frozen server may take long.
            with contextlib.suppress(Error):
                connection.close()

    def wait(self, patience_s: float) -> Answer | None:
        """Return the result, or None if the call has not ended `patience_s` after it began."""
        done, _pending = futures.wait([self], timeout=max(0.0, self.began_at + patience_s - time.monotonic()))
        return self.result() if done else None


class CachedCall(Generic[Answer]):
    """A call whose result is shared by this process for a while. Only one is in progress at a time."""

    def __init__(self, ask: Callable[[], Answer | None], *, patience_s: float, cached_s: float) -> None:
        self._ask = ask
        self._patience_s = patience_s
        self._cached_s = cached_s
        self._lock = threading.Lock()
        self._last: PendingCall[Answer] | None = None

    def start(self) -> PendingCall[Answer]:
        """Begin a call unless the last one is fresh or in progress. Start several first to wait for them together."""
        with self._lock:
            if self._last is None or self._is_stale(self._last):
                self._last = PendingCall(self._ask)
            return self._last

    def result(self) -> Answer | None:
        """Return the result; None if the call failed or did not end in time."""
        return self.start().wait(self._patience_s)

    def _is_stale(self, call: PendingCall[Answer]) -> bool:
        if not call.done():
            return False
        cached_s = self._cached_s if call.result() else min(self._cached_s, FAILURE_CACHED_S)
        return time.monotonic() - call.ended_at > cached_s
