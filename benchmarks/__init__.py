"""Measures the design's speed targets side by side in one run: `python -m benchmarks`."""
