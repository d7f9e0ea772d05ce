"""Checks, their findings, and the list of all checks. A check only reads; a finding may carry its repair."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from backend.shops.models import Shop, Terminal

# How many findings of one check are shown; the rest are counted.
FINDINGS_MAX = 20


@dataclass(frozen=True, slots=True)
class Scope:
    """What is examined: everything, one shop, or one till (then `shop` is the till's, None if it has none)."""

    shop: Shop | None = None
    terminal: Terminal | None = None

    def narrow(self, *, shop: str = "shop_id", terminal: str | None = "terminal_id") -> dict[str, int | None]:
        """Return the filters for a query whose columns have these names; `terminal=None`: it has no such column.

        For one till only the till's column is filtered, so that rows of it that name another shop are seen too.
        """
        if self.terminal is not None and terminal is not None:
            return {terminal: self.terminal.pk}
        if self.terminal is not None:
            return {shop: self.terminal.shop_id}
        return {shop: self.shop.pk} if self.shop is not None else {}


@dataclass(frozen=True, slots=True)
class Repair:
    """A safe fix of one finding: a sentence that says what it would do, and the function that does it.

    The function runs in its own durable transaction, inside `bounded_time()`, and is tried again after a transient
    fault. It takes its locks in the usual order, checks the finding again, and changes nothing if that is gone. It may
    return what it changed, `{"before": …, "after": …}`, for the log.
    """

    sentence: str
    act: Callable[[], dict[str, object] | None] = field(repr=False)
    # False for functions with their own transactions, and for schema changes, which MariaDB and MySQL commit at once.
    is_transactional: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in French sentences for the people who look after the shops."""

    found: str  # what, and where: with ids, codes, numbers
    means: str  # what it means for the shop
    repair: Repair | None = None
    # Worth knowing but no fault: it does not change the exit code.
    is_note: bool = False


Look = Callable[[Scope], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """`promise`: P1 to P13, or "" if it guards none of them. `is_global`: it concerns the whole installation."""

    name: str
    promise: str
    title: str
    look: Look = field(repr=False)
    is_global: bool = False
    cost: str = ""


CHECKS: list[Check] = []


def check(*, promise: str = "", title: str, is_global: bool = False, cost: str = "") -> Callable[[Look], Look]:
    """Register a function as a check. Its name is the check's name in reports. `title`: a French sentence.

    A global check is skipped when one shop or till is examined. A check yields its findings one by one. At most
    FINDINGS_MAX are shown, but all are counted, and repaired with --fix, so a check reads in chunks, each a query
    without locks. `cost`: in French, what it reads if that is more than a few rows.

    """

    def register(look: Look) -> Look:
        CHECKS.append(Check(look.__name__, promise, title, look, is_global, cost))
        return look

    return register
