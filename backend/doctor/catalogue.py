"""All the doctor's checks: importing a module registers its own. `manage.py doctor` runs them by promise, P1 first."""

from backend.doctor.registry import CHECKS

__all__ = ["CHECKS"]
