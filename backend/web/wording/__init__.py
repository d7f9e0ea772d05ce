"""Codes in the words of a shopkeeper."""
