"""A cash register in a file: an example for authors of tills. Standard library only; `till.py` has the rules."""

from backend.example_till.till import Report, Till

__all__ = ["Report", "Till"]
