"""A day's and a month's end: totals, what a till reports against what is recorded, closing."""
