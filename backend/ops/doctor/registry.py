"""What a check is, what it finds, and the list of all checks. A check only reads; a finding may carry its repair."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from backend.shops.models import Shop, Terminal


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: everything, one shop, or one till."""

    shop: Shop | None = None
    terminal: Terminal | None = None

    def narrow(self, *, shop: str = "shop_id", terminal: str | None = "terminal_id") -> dict[str, int]:
        """Return the filters, for a query whose columns have these names; `terminal=None`: it has no such column."""
        filters = {}
        if self.shop is not None:
            filters[shop] = self.shop.pk
        if self.terminal is not None and terminal is not None:
            filters[terminal] = self.terminal.pk
        return filters


@dataclass(frozen=True, slots=True)
class Repair:
    """A safe fix of one finding: what it would do, in a sentence, and the act, which runs in a transaction of its own."""

    sentence: str
    act: Callable[[], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. French sentences: they are read by whoever looks after the shops."""

    found: str  # what, and where: with ids, codes, numbers
    means: str  # what it means for the shop
    repair: Repair | None = None


Look = Callable[[Scope], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """`promise`: P1 to P12, or "" for what guards something else. `is_global`: it looks at the whole installation."""

    name: str
    promise: str
    title: str
    look: Look = field(repr=False)
    is_global: bool = False


CHECKS: list[Check] = []


def check(*, promise: str = "", title: str, is_global: bool = False) -> Callable[[Look], Look]:
    """Register a function as a check. Its name is the check's, written in the findings; title: a French sentence.

    A check that is global is skipped where one shop or till is asked about. A check yields findings as it meets them,
    at most FINDINGS_MAX of them are shown.
    """

    def register(look: Look) -> Look:
        CHECKS.append(Check(look.__name__, promise, title, look, is_global))
        return look

    return register
