"""The project's settings for the tests and the processes that they start: failpoints, and no missing file."""

import os

from backend.config import settings as installation
from backend.config.settings import *  # noqa: F403

FAILPOINTS_ENABLED = True
# Strict: a page with a missing file breaks its test.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}  # noqa: F405
# One test starts an API that holds answers for a moment only.
COMPLETE_HOLD_S = float(os.environ.get("TEST_COMPLETE_HOLD_S", installation.COMPLETE_HOLD_S))
