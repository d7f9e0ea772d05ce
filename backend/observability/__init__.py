"""Counters, logs and request ids."""
