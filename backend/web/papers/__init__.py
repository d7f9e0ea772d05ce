"""Invoices and closings as PDF."""
