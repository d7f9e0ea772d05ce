"""All the doctor's checks: importing a module registers its own. `manage.py doctor` runs them by promise, P1 first."""

from backend.doctor.checks import (
    backlog,  # noqa: F401
    batches,  # noqa: F401
    deferrals,  # noqa: F401
    drawers,  # noqa: F401
    followers,  # noqa: F401
    money,  # noqa: F401
    order,  # noqa: F401
    orphans,  # noqa: F401
    outcomes,  # noqa: F401
    registers,  # noqa: F401
    schema,  # noqa: F401
    sequence_gaps,  # noqa: F401
    servers,  # noqa: F401
    shops,  # noqa: F401
    stocks,  # noqa: F401
    tills,  # noqa: F401
    totals,  # noqa: F401
    units,  # noqa: F401
    walls,  # noqa: F401
)
from backend.doctor.registry import CHECKS

__all__ = ["CHECKS"]
