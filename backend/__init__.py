"""What runs in every process: the domain, its doors, and its settings."""

# The one place that names the version; tests/test_version.py compares what cannot read it.
__version__ = "0.2.0"
