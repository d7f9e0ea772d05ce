"""What one sale costs a machine: processor time, disk space, bytes of the binary log. For estimates, not comparisons:
docs/operations.md multiplies these figures by the sales of a day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from benchmarks import databases
from benchmarks.posting import hand_over, post_all, share
from benchmarks.together import cpu_s_of, run_together
from benchmarks.world import TILLS, Till

COST = "cost"
BATCHES = 10
SALES_EACH = 100
PROCESSES = 2
# Tables grow by whole pages: only growth over many sales shows what one sale takes.
WARM_UP_BATCHES = 2


@dataclass(frozen=True)
class DiskSpace:
    """Bytes that the tables and the binary log take."""

    tables: dict[str, int]
    log: int


def measure_cost(tills: Sequence[Till], *, server_pid: int) -> Iterator[str]:
    """Post thousands of sales of three lines, and yield lines of text that say what one of them took."""
    databases.copy_template(COST)
    _post(tills, "W", batches=WARM_UP_BATCHES)
    before, cpu_before_s = _disk_space(), cpu_s_of(server_pid)
    poster_cpu_s = _post(tills, "C", batches=BATCHES)
    server_cpu_s = cpu_s_of(server_pid) - cpu_before_s
    after = _disk_space()
    sales = TILLS * BATCHES * SALES_EACH
    yield f"{sales:,} sales of three lines, in batches of {SALES_EACH}, {PROCESSES} processes that post"
    poster_ms, server_ms = poster_cpu_s / sales * 1000, server_cpu_s / sales * 1000
    yield f"processor time a sale: {poster_ms:.2f} ms to post it, {server_ms:.2f} ms of the database, intake included"
    growth = {name: (after.tables[name] - size) / sales for name, size in before.tables.items()}
    room, log = sum(growth.values()), (after.log - before.log) / sales
    yield f"room a sale: {room:,.0f} bytes of tables and indexes, {log:,.0f} bytes of binary log"
    yield "of the tables: " + ", ".join(
        f"{name} {size:,.0f}" for name, size in sorted(growth.items(), key=lambda one: -one[1]) if size >= 1
    )


def _post(tills: Sequence[Till], prefix: str, *, batches: int) -> float:
    """Hand over and post; return the processor time of the posting processes, in seconds."""
    for number in range(batches):
        hand_over(tills, f"{prefix}{number}", database=COST, sales=SALES_EACH)
    return run_together([post_all(own, database=COST) for own in share(tills, PROCESSES)]).cpu_s


def _disk_space() -> DiskSpace:
    with databases.using(COST), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
        names = [name for (name,) in cursor.fetchall()]
        # The server refreshes its figures of a table only when asked.
        cursor.execute(f"ANALYZE TABLE {', '.join(f'`{name}`' for name in names)}")
        cursor.fetchall()
        cursor.execute(
            "SELECT table_name, data_length + index_length FROM information_schema.tables"
            " WHERE table_schema = DATABASE()"
        )
        tables = {name: int(size) for name, size in cursor.fetchall()}
        cursor.execute("SHOW BINARY LOGS")
        return DiskSpace(tables, sum(int(row[1]) for row in cursor.fetchall()))
