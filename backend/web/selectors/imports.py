"""The plan of an import, cut to what a page can show."""

from dataclasses import dataclass
from typing import Any

from backend.inventory.importing.plans import ImportPlan

SHOWN_MAX = 40


@dataclass(frozen=True)
class Part:
    """The first of many entries of one kind, and how many there are."""

    entries: list[Any]
    count: int

    @property
    def more_count(self) -> int:
        return self.count - len(self.entries)


@dataclass(frozen=True)
class PlanView:
    line_count: int
    errors: Part
    creations: Part
    changes: Part
    openings: Part
    ignored: Part
    is_empty: bool


def plan_view(plan: ImportPlan) -> PlanView:
    return PlanView(
        line_count=plan.line_count,
        errors=_part(plan.errors),
        creations=_part(plan.creations),
        changes=_part(plan.changes),
        openings=_part(plan.openings),
        ignored=_part(plan.ignored),
        is_empty=plan.is_empty,
    )


def _part(entries: list[Any]) -> Part:
    return Part(entries[:SHOWN_MAX], len(entries))
