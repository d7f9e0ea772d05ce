"""Compares posting alone, without HTTP and Celery: processes that call `post_slice`."""

from collections.abc import Callable, Sequence

from django.db import connection

from backend.sales.posting.runner import post_slice
from benchmarks import bare, databases, filling
from benchmarks.report import Comparison, Target, median, milliseconds, per_s
from benchmarks.together import Measured, run_together
from benchmarks.world import TILLS, Till

POSTING, RECORDING, BARE = "posting", "recording", "bare"
FEW, MANY = "few_stored", "many_stored"
SALES_EACH = 100
FEW_STORED = 1000


def post_all(tills: Sequence[Till], *, database: str) -> Callable[[], Callable[[], None]]:
    """Return the job of one process: post everything that waits of these tills, in slices of the usual length."""

    def prepare() -> Callable[[], None]:
        databases.use(database)
        connection.ensure_connection()
        return run

    def run() -> None:
        for till in tills:
            while post_slice(till.terminal_id).has_more:
                pass

    return prepare


def share(tills: Sequence[Till], processes: int) -> list[Sequence[Till]]:
    return [tills[start::processes] for start in range(processes)]


def hand_over(tills: Sequence[Till], prefix: str, *, database: str, sales: int) -> None:
    with databases.using(database):
        for till in tills:
            till.hand_over(prefix, sales=sales)


def prepare_bare() -> None:
    for database in (RECORDING, BARE):
        databases.copy_template(database)
    with databases.using(RECORDING):
        bare.number_documents_high()


def measure_bare(tills: Sequence[Till], prefix: str, *, processes: int, sales: int) -> Measured:
    """Record the statements of posting such batches, then measure the bare loop replaying them."""
    for database in (RECORDING, BARE):
        hand_over(tills, prefix, database=database, sales=sales)
    with databases.using(RECORDING):
        recorded = {till: bare.record(till) for till in tills}
    jobs = []
    for own in share(tills, processes):
        transactions = [transaction for till in own for transaction in recorded[till]]
        jobs.append(lambda transactions=transactions: bare.replayer(transactions, database=BARE))
    return run_together(jobs)


def compare_with_bare(tills: Sequence[Till], *, rounds: int) -> list[Comparison]:
    """Posting with 1, 2 and 4 processes against the bare loop with as many."""
    databases.copy_template(POSTING)
    prepare_bare()
    sales = TILLS * SALES_EACH
    counts = (1, 2, 4)
    times: dict[int, list[tuple[Measured, Measured]]] = {count: [] for count in counts}
    for number in range(rounds + 1):
        for count in counts:
            prefix = f"P{number}-{count}"
            other = measure_bare(tills, prefix, processes=count, sales=SALES_EACH)
            hand_over(tills, prefix, database=POSTING, sales=SALES_EACH)
            ours = run_together([post_all(own, database=POSTING) for own in share(tills, count)])
            # The first round is a warm-up.
            if number:
                times[count].append((ours, other))
    return [_against_bare(count, times[count], sales) for count in counts]


def _against_bare(count: int, times: list[tuple[Measured, Measured]], sales: int) -> Comparison:
    def side(index: int) -> str:
        cpu = milliseconds([pair[index].cpu_s for pair in times], each=sales)
        return f"{per_s(sales, [pair[index].seconds for pair in times])}, {cpu} of Python a sale"

    return Comparison(
        what=f"1. posting, {count} process{'es' if count > 1 else ''}, against the bare loop",
        ours=side(0),
        other=side(1),
        ratios=[other.seconds / ours.seconds for ours, other in times],
    )


def compare_stored(tills: Sequence[Till], *, rounds: int, stored: int) -> list[Comparison]:
    """The cost of a sale with many sales stored against the cost with a few."""
    for database, sales in ((FEW, FEW_STORED), (MANY, stored)):
        databases.copy_template(database)
        with databases.using(database):
            filling.store(tills, sales)
    databases.let_settle()
    pairs = []
    for number in range(2 * rounds + 1):
        pair = [_post_fresh(tills[:2], f"S{number}", database=database, sales=SALES_EACH) for database in (MANY, FEW)]
        if number:
            pairs.append(pair)
    what = f"4. a sale with {stored:,} stored, against {FEW_STORED:,}"
    return [_cost(what, pairs, sales=2 * SALES_EACH, target=Target(1.15))]


def compare_batch_sizes(tills: Sequence[Till], *, rounds: int) -> list[Comparison]:
    """The cost of a sale in a batch of 1,000 against one in a batch of 10, with twenty batches waiting at a time."""
    databases.copy_template(POSTING)
    pairs = []
    for number in range(rounds + 1):
        large = _post_fresh(tills[:1], f"L{number}", database=POSTING, sales=1000)
        small = [_post_small(tills[1], f"M{number}-{part}") for part in range(5)]
        if number:
            total = Measured(sum(one.seconds for one in small), sum(one.cpu_s for one in small))
            pairs.append([large, total])
    return [_cost("5. a sale in a batch of 1,000, against 10", pairs, sales=1000, target=Target(1.1))]


def _post_small(till: Till, prefix: str) -> Measured:
    for batch in range(20):
        hand_over([till], f"{prefix}-{batch}", database=POSTING, sales=10)
    return run_together([post_all([till], database=POSTING)])


def _post_fresh(tills: Sequence[Till], prefix: str, *, database: str, sales: int) -> Measured:
    hand_over(tills, prefix, database=database, sales=sales)
    return run_together([post_all(tills, database=database)])


def _cost(what: str, pairs: list[list[Measured]], *, sales: int, target: Target) -> Comparison:
    ours, other = zip(*pairs, strict=True)
    cpu = median([one.cpu_s for one in ours]) / median([one.cpu_s for one in other])
    return Comparison(
        what=what,
        ours=milliseconds([one.seconds for one in ours], each=sales),
        other=milliseconds([one.seconds for one in other], each=sales),
        ratios=[one.seconds / two.seconds for one, two in pairs],
        target=target,
        notes=[f"{what}: {cpu:.3g} in Python's CPU alone"],
    )
