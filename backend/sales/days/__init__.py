"""The end of a day and of a month: totals, reconciliation with what a till reports, closing."""
