"""A cash register in a file: the example for those who write tills. Standard library only; `till.py` has the rules."""

from backend.example_till.till import Report, Till

__all__ = ["Report", "Till"]
