"""Runs several processes at once and measures them, from the first start to the last end."""

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from backend.localrun.processes import group_members

# Called in its process to prepare, e.g. to connect; it returns the function that is measured.
Job = Callable[[], Callable[[], None]]

PATIENCE_S = 300
_fork = multiprocessing.get_context("fork")
_ticks_per_s = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """`seconds`: elapsed time of all processes together. `cpu_s`: processor time of these processes only."""

    seconds: float
    cpu_s: float


def run_together(jobs: Sequence[Job]) -> Measured:
    """Run each job in its own process, all at once. Raises RuntimeError if a job fails."""
    connections.close_all()
    barrier = _fork.Barrier(len(jobs))
    results = _fork.SimpleQueue()
    processes = [_fork.Process(target=_run, args=(job, barrier, results)) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_S)
    if any(process.exitcode != 0 for process in processes):
        raise RuntimeError("a measured process failed; its error stands above")
    times = [results.get() for _ in processes]
    return Measured(
        seconds=max(ended for _, ended, _ in times) - min(began for began, _, _ in times),
        cpu_s=sum(cpu_s for _, _, cpu_s in times),
    )


def _run(job: Job, barrier: object, results: object) -> None:
    run = job()
    barrier.wait()
    began, cpu_before_s = time.monotonic(), time.process_time()
    try:
        run()
        results.put((began, time.monotonic(), time.process_time() - cpu_before_s))
    finally:
        connections.close_all()


def cpu_s_of(leader: int) -> float:
    """Return the processor time that a server's running processes have used so far."""
    used = 0
    for pid in group_members(leader):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / _ticks_per_s
