"""Style sheets, scripts and pictures under names that hold a hash of their content: browsers keep them for ever."""

from functools import cache

import structlog
from whitenoise.storage import CompressedManifestStaticFilesStorage

log = structlog.get_logger("caisse.static")


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's, except that a page with a missing file is shown without it, where WhiteNoise's would answer 500."""

    def stored_name(self, name: str) -> str:
        try:
            return super().stored_name(name)
        except ValueError:
            _log_missing(name)
            return name


@cache
def _log_missing(name: str) -> None:
    """Log each name once a process: every page would say the same."""
    log.error("static_file_missing", file=name)
