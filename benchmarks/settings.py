"""The project's settings with two more addresses, which the API is compared with under the same server."""

from backend.config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
