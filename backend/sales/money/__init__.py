"""Amounts, what documents brought in and gave back, and what of it is tax."""
