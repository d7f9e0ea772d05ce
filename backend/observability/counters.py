"""The counts of this process that are not yet in the database: a dictionary behind a lock, with no I/O.

Counting takes about a microsecond, cheap enough for every sale. `backend/ops/counter_flush.py` takes the counts and
adds them to rows that all processes share.
"""

import bisect
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter's help text, the names of its labels, and the values of its label that are shown from the start."""

    help: str
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    is_histogram: bool = False


ROLES = ("api", "worker", "sweep")
# All counters: a name or a label that is missing here raises KeyError. The layer that counts a label's values declares
# them by register_values.
CATALOGUE: dict[str, Counter] = {
    "caisse_sales_total": Counter("Outcomes written, by status; one that replaces another counts too", ("status",)),
    "caisse_refusals_total": Counter("Outcomes written that have a reason, by its code", ("code",)),
    "caisse_posting_seconds": Counter("How long a sale's posting took, its commit included", is_histogram=True),
    "caisse_retries_total": Counter("Transactions tried again after a fault that passes by itself", ("reason",)),
    "caisse_rings_total": Counter("Rings that the broker took", ("by",), ROLES),
    "caisse_ring_failures_total": Counter("Rings that the broker did not take", ("by",), ROLES),
    "caisse_sweep_rings_total": Counter("Rings by sweeps, for tills whose sales did not move"),
    "caisse_sweep_posted_sales_total": Counter("Sales that sweeps posted themselves"),
    "caisse_intake_total": Counter(
        "Posts of batches, by the answer: accepted, repeated, or the problem's code", ("answer",)
    ),
}

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
BUCKET_NAMES = (*(f"{bound:g}" for bound in BUCKETS_S), "+Inf")
# Label values are codes. Any other text must not make a new series.
VALUE = re.compile(r"[a-z0-9_]{1,40}")
SERIES_MAX = 64
OTHER = "other"


class Series(NamedTuple):
    """One number that grows: a name, and canonical JSON of its label values."""

    name: str
    labels: str = "{}"


class _Counts:
    def __init__(self) -> None:
        # Called at the first count of each process, and again in each fork, to start the flusher.
        self.begin: Callable[[], None] | None = None
        self._known: dict[tuple, Series] = {}
        self.forget()

    def forget(self) -> None:
        """Start from nothing: a child must not write its parent's counts, nor wait for its parent's lock."""
        self._lock = threading.Lock()
        self._values: dict[Series, float] = {}
        self._has_begun = False

    def series(self, name: str, labels: dict[str, str]) -> Series:
        key = (name, *labels.items())
        return self._known.get(key) or self._declare(key, labels)

    def _declare(self, key: tuple, labels: dict[str, str]) -> Series:
        name = key[0]
        if set(labels) != set(CATALOGUE[name].labels):
            raise KeyError(f"{name} has the labels {CATALOGUE[name].labels}, not {tuple(labels)}")
        is_full = sum(one.name == name for one in set(self._known.values())) >= SERIES_MAX
        if is_full or not all(VALUE.fullmatch(value) for value in labels.values()):
            return Series(name, _as_text(dict.fromkeys(labels, OTHER)))
        return self._known.setdefault(key, Series(name, _as_text(labels)))

    def add(self, *amounts: tuple[Series, float]) -> None:
        with self._lock:
            for series, amount in amounts:
                self._values[series] = self._values.get(series, 0) + amount
            is_first, self._has_begun = not self._has_begun, True
        if is_first and self.begin is not None:
            self.begin()

    def take(self) -> dict[Series, float]:
        with self._lock:
            taken, self._values = self._values, {}
        return taken


def _as_text(labels: Mapping[str, str]) -> str:
    return json.dumps(labels, sort_keys=True, separators=(",", ":"))


_counts = _Counts()
os.register_at_fork(after_in_child=_counts.forget)
_HISTOGRAMS = {
    name: (tuple(Series(f"{name}_bucket", _as_text({"le": le})) for le in BUCKET_NAMES), Series(f"{name}_sum"))
    for name, counter in CATALOGUE.items()
    if counter.is_histogram
}


def register_values(name: str, values: Iterable[str]) -> None:
    """Declare the values of a counter's label, so that each of them is shown from the start, at 0."""
    CATALOGUE[name] = replace(CATALOGUE[name], values=tuple(values))


def count(name: str, amount: float = 1, /, **labels: str) -> None:
    """Add to a counter of the catalogue. Raises KeyError for a name or a label that is not declared there.

    Call it after the commit of what it counts: a roll-back does not undo it.
    """
    if amount:
        _counts.add((_counts.series(name, labels), amount))


def observe(name: str, seconds: float) -> None:
    """Add a duration to a histogram of the catalogue: to its own bucket only, and to the sum."""
    buckets, total = _HISTOGRAMS[name]
    _counts.add((buckets[bisect.bisect_left(BUCKETS_S, seconds)], 1), (total, seconds))


def take() -> dict[Series, float]:
    """Return what was counted since the last call, and forget it."""
    return _counts.take()


def put_back(counted: Mapping[Series, float]) -> None:
    """Put back counts that could not be written."""
    _counts.add(*counted.items())


def at_first_count(begin: Callable[[], None]) -> None:
    """Have `begin` called at the first count of this process, and of each that is forked from it."""
    _counts.begin = begin
