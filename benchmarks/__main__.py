"""`python -m benchmarks`: starts private servers, measures, prints the table. The exit code does not depend on it."""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

COMPARISONS = ("posting", "throughput", "answers", "stored", "sizes", "polls", "pages", "cost")
SERVED = {"throughput", "answers", "polls"}


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="caisse-benchmarks-"))
    try:
        _run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="The speed targets, as ratios in one run."
    )
    parser.add_argument(
        "comparisons", nargs="*", metavar="comparison", help=f"of {', '.join(COMPARISONS)}; default: all"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is measured (5)")
    parser.add_argument("--stored", type=int, default=100_000, help="sales in the full database (100000)")
    parser.add_argument("--workers", type=int, default=4, help="processes that post, behind Celery and bare (4)")
    options = parser.parse_args()
    unknown = set(options.comparisons) - set(COMPARISONS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(COMPARISONS)}")
    if not (1 <= options.rounds <= 50 and 1000 <= options.stored <= 5_000_000 and 1 <= options.workers <= 16):
        parser.error("rounds 1 to 50, stored 1,000 to 5,000,000, workers 1 to 16")
    return options


def _run(options: argparse.Namespace, folder: Path) -> None:
    from backend.localrun.servers import PrivateMariaDB

    with PrivateMariaDB(folder / "mariadb", databases=("template",)) as mariadb:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            "DATABASE_URL": mariadb.url("template"),
            # No broker here: the benchmark calls the posting itself. The served system has a broker.
            "BROKER_URL": "",
            "SECRET_KEY": "signs-nothing",
            "LOG_FORMAT": "json",
            "VAR_DIR": str(folder),
            "STATIC_ROOT": str(folder / "static"),
        }
        began = time.monotonic()
        with _log_to(folder / "posting.log"):
            comparisons = list(_compare(options, folder, mariadb))
        from benchmarks.report import table

        if comparisons:
            print(table(comparisons))
        print(f"{options.rounds} rounds after one to warm up; {time.monotonic() - began:.0f} s in all")


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Write the posting's log lines to a file, as a service does: a terminal would slow the measurement."""
    kept = os.dup(2)
    with path.open("ab") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    except BaseException:
        os.write(kept, path.read_bytes()[-3000:])
        raise
    finally:
        os.dup2(kept, 2)


def _compare(options: argparse.Namespace, folder: Path, mariadb: object) -> Iterator[object]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("collect_static")
    from benchmarks import cost, databases, pages, posting, serving
    from benchmarks.world import make_tills

    databases.make_template()
    tills = make_tills()
    print(f"MariaDB {serving.server_version()}, {os.cpu_count()} cores, everything on this machine", flush=True)
    wanted = set(options.comparisons or COMPARISONS)
    rounds = options.rounds
    if "posting" in wanted:
        yield from _print_each(posting.compare_with_bare(tills, rounds=rounds))
    if wanted & SERVED:
        with serving.serve(folder=folder, mariadb=mariadb, workers=options.workers) as served:
            if "throughput" in wanted:
                yield from _print_each(serving.compare_throughput(served, tills, rounds=rounds))
            if "answers" in wanted:
                yield from _print_each(serving.compare_answers(served, tills, rounds=rounds))
            if "polls" in wanted:
                yield from _print_each(serving.compare_polls(served, tills, rounds=rounds))
    if "stored" in wanted:
        yield from _print_each(posting.compare_stored(tills, rounds=rounds, stored=options.stored))
    if "sizes" in wanted:
        yield from _print_each(posting.compare_batch_sizes(tills, rounds=rounds))
    if "pages" in wanted:
        yield from _print_each(pages.compare_pages(tills, rounds=rounds, stored=options.stored))
    if "cost" in wanted:
        _print_cost(cost.measure_cost(tills, server_pid=mariadb.process.pid))


def _print_cost(lines: Iterable[str]) -> None:
    for line in lines:
        print(f"  {line}", flush=True)


def _print_each(comparisons: Iterable) -> Iterator[object]:
    """Print each comparison as it is measured: the table comes minutes later."""
    for one in comparisons:
        print(f"  {one.what}: {one.ours} against {one.other}", file=sys.stdout, flush=True)
        yield one


if __name__ == "__main__":
    main()
