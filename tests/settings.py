"""The project's settings for the tests and the processes that they start: failpoints, and no missing file."""

from backend.config.settings import *  # noqa: F403

FAILPOINTS_ENABLED = True
# Strict: a page with a missing file breaks its test.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}  # noqa: F405
