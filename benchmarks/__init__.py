"""The speed targets of the design, measured side by side in one run: `python -m benchmarks`."""
