"""Asking what may not answer: a frozen database or broker must not freeze whoever reports that it is frozen.

A question is put in a thread of its own, and who asked waits for it a bounded time, however long the thread does.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import Error, connection

Answer = TypeVar("Answer")

# Threads that wait for what is frozen: past that, the answer is known anyway.
ASKED_AT_ONCE_MAX = 8
# Bad news is looked at again soon: who starts everything up waits for it to change.
BAD_NEWS_KEPT_S = 1.0

_slots = threading.BoundedSemaphore(ASKED_AT_ONCE_MAX)


class Asked(Generic[Answer]):
    """One question on its way. The answer is None until it is there, and if there is none."""

    def __init__(self, ask: Callable[[], Answer | None]) -> None:
        self._ask = ask
        self._done = threading.Event()
        self._began_at = time.monotonic()
        self.answer: Answer | None = None
        self.answered_at: float | None = None
        if _slots.acquire(blocking=False):
            threading.Thread(target=self._run, name="asking", daemon=True).start()
        else:
            self._end()

    def _run(self) -> None:
        try:
            self.answer = self._ask()
        finally:
            _slots.release()
            self._end()
            # Last, so that nobody waits for it: a server that is frozen may hear the farewell late.
            with contextlib.suppress(Error):
                connection.close()

    def _end(self) -> None:
        self.answered_at = time.monotonic()
        self._done.set()

    def wait(self, patience_s: float) -> Answer | None:
        """Return the answer, or None if it has not come `patience_s` after the question was put."""
        self._done.wait(max(0.0, self._began_at + patience_s - time.monotonic()))
        return self.answer


class KeptQuestion(Generic[Answer]):
    """A question whose answer serves everybody in this process for a while. Only one is on its way at a time."""

    def __init__(self, ask: Callable[[], Answer | None], *, patience_s: float, kept_s: float) -> None:
        self._ask = ask
        self._patience_s = patience_s
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._asked: Asked[Answer] | None = None

    def put(self) -> Asked[Answer]:
        """Ask, unless an answer is fresh or on its way: several questions put first are waited for together."""
        with self._lock:
            if self._asked is None or self._is_stale(self._asked):
                self._asked = Asked(self._ask)
            return self._asked

    def answer(self) -> Answer | None:
        """Return the answer, or None: there is none, or it did not come in time."""
        return self.put().wait(self._patience_s)

    def _is_stale(self, asked: Asked[Answer]) -> bool:
        if asked.answered_at is None:
            return False
        kept_s = self._kept_s if asked.answer else min(self._kept_s, BAD_NEWS_KEPT_S)
        return time.monotonic() - asked.answered_at > kept_s
