"""Calls that may not return: a frozen database or broker must not freeze the process that reports that it is frozen.

Each call runs in a thread of its own, and its caller waits for a bounded time, however long the thread takes.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Generic, TypeVar

from django.db import Error, connection

Answer = TypeVar("Answer")

# Threads that wait for what is frozen: past that, the answer is known anyway.
ASKED_AT_ONCE_MAX = 8
# Bad news is looked at again soon: a process that starts everything up waits for it to change.
BAD_NEWS_KEPT_S = 1.0

_slots = threading.BoundedSemaphore(ASKED_AT_ONCE_MAX)


class Asked(futures.Future[Answer | None]):
    """One call on its way. Its result is None if it raises, and if too many others are on their way."""

    def __init__(self, ask: Callable[[], Answer | None]) -> None:
        super().__init__()
        self.began_at = self.ended_at = time.monotonic()
        if _slots.acquire(blocking=False):
            threading.Thread(target=self._run, args=(ask,), name="asking", daemon=True).start()
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
            # Last, so that nobody waits for it: a server that is frozen may take long to close a connection.
            with contextlib.suppress(Error):
                connection.close()

    def wait(self, patience_s: float) -> Answer | None:
        """Return the result, or None if it has not come `patience_s` after the call began."""
        done, _pending = futures.wait([self], timeout=max(0.0, self.began_at + patience_s - time.monotonic()))
        return self.result() if done else None


class KeptQuestion(Generic[Answer]):
    """A call whose result serves everybody in this process for a while. Only one is on its way at a time."""

    def __init__(self, ask: Callable[[], Answer | None], *, patience_s: float, kept_s: float) -> None:
        self._ask = ask
        self._patience_s = patience_s
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._asked: Asked[Answer] | None = None

    def put(self) -> Asked[Answer]:
        """Begin a call unless a result is fresh or on its way: several that are begun first are waited for together."""
        with self._lock:
            if self._asked is None or self._is_stale(self._asked):
                self._asked = Asked(self._ask)
            return self._asked

    def answer(self) -> Answer | None:
        """Return the result, or None: there is none, or it did not come in time."""
        return self.put().wait(self._patience_s)

    def _is_stale(self, asked: Asked[Answer]) -> bool:
        if not asked.done():
            return False
        kept_s = self._kept_s if asked.result() else min(self._kept_s, BAD_NEWS_KEPT_S)
        return time.monotonic() - asked.ended_at > kept_s
