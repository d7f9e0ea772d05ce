"""What a check is, what it finds, and the list of all checks. A check only reads; a finding may carry its repair."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from backend.shops.models import Shop, Terminal

# How many findings of one check are shown; the rest is a number.
FINDINGS_MAX = 20


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: everything, one shop, or one till (then `shop` is the till's, None if it has none)."""

    shop: Shop | None = None
    terminal: Terminal | None = None

    def narrow(self, *, shop: str = "shop_id", terminal: str | None = "terminal_id") -> dict[str, int | None]:
        """Return the filters, for a query whose columns have these names; `terminal=None`: it has no such column.

        One till is looked for by its own column alone: a row of it that names another shop must be seen.
        """
        if self.terminal is not None and terminal is not None:
            return {terminal: self.terminal.pk}
        if self.terminal is not None:
            return {shop: self.terminal.shop_id}
        return {shop: self.shop.pk} if self.shop is not None else {}


@dataclass(frozen=True, slots=True)
class Repair:
    """A safe fix of one finding: what it would do, in a sentence, and the act.

    The act runs in a durable transaction of its own, inside `bounded_time()`, and is tried again after a transient
    fault. It takes its locks in the one order, looks again at what it found, and changes nothing if that is gone. It
    may return what it changed, `{"before": …, "after": …}`, for the log.
    """

    sentence: str
    act: Callable[[], dict[str, object] | None] = field(repr=False)
    # False for what has transactions of its own, and for the schema, which MariaDB and MySQL commit by themselves.
    is_transactional: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. French sentences: they are read by whoever looks after the shops."""

    found: str  # what, and where: with ids, codes, numbers
    means: str  # what it means for the shop
    repair: Repair | None = None
    # Worth knowing, and no fault: it does not change the exit code.
    is_note: bool = False


Look = Callable[[Scope], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """`promise`: P1 to P12, or "" for what guards something else. `is_global`: it looks at the whole installation."""

    name: str
    promise: str
    title: str
    look: Look = field(repr=False)
    is_global: bool = False
    cost: str = ""


CHECKS: list[Check] = []


def check(*, promise: str = "", title: str, is_global: bool = False, cost: str = "") -> Callable[[Look], Look]:
    """Register a function as a check. Its name is the check's, written in the findings; title: a French sentence.

    A check that is global is skipped where one shop or till is asked about. A check yields findings as it meets them,
    at most FINDINGS_MAX of them are shown; all are counted, and repaired if that was asked, so it reads by chunks, each
    a query that takes no lock. `cost`: in French, what it reads where that is more than a few rows.
    """

    def register(look: Look) -> Look:
        CHECKS.append(Check(look.__name__, promise, title, look, is_global, cost))
        return look

    return register
