"""Prints a run's table: each comparison as a ratio measured in this run, beside its target."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """What the design asks of a ratio: at least or at most `bound`."""

    bound: float
    is_minimum: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.is_minimum else '≤'} {self.bound:g}"

    def verdict(self, ratio: float) -> str:
        return "met" if (ratio >= self.bound if self.is_minimum else ratio <= self.bound) else "NOT MET"


@dataclass(frozen=True)
class Comparison:
    """One line of the table. `ratios` has one entry for each round, in which both sides were measured in turn."""

    what: str
    ours: str
    other: str
    ratios: Sequence[float]
    target: Target | None = None
    notes: list[str] = field(default_factory=list)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def table(comparisons: Sequence[Comparison]) -> str:
    """Return the table in Markdown: medians, spread between rounds, and whether each target is met."""
    rows = [("comparison", "ours", "against", "ratio", "rounds", "target", "")]
    notes: list[str] = []
    for one in comparisons:
        ratio = median(one.ratios)
        spread = f"{min(one.ratios):.3g} to {max(one.ratios):.3g}"
        target, verdict = (str(one.target), one.target.verdict(ratio)) if one.target else ("none", "")
        rows.append((one.what, one.ours, one.other, f"{ratio:.3g}", spread, target, verdict))
        notes += one.notes
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*lines, "", *notes])


def per_s(sales: int, seconds: Sequence[float]) -> str:
    return f"{sales / median(seconds):.0f}/s"


def milliseconds(seconds: Sequence[float], *, each: int = 1) -> str:
    return f"{median(seconds) / each * 1000:.2f} ms"
