"""The project's settings for the tests and for the processes that they start: the failpoints work."""

from backend.config.settings import *  # noqa: F403

FAILPOINTS_ENABLED = True
