"""Spreadsheets in: cells and columns read, what an import would do shown as a plan, then all of it or nothing."""
