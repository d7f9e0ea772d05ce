"""Static files under names with a hash of their content, so that browsers may cache them for ever."""

from functools import cache

import structlog
from whitenoise.storage import CompressedManifestStaticFilesStorage

log = structlog.get_logger("caisse.static")


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, except that a missing file does not break the page: WhiteNoise's own would answer 500."""

    def stored_name(self, name: str) -> str:
        try:
            return super().stored_name(name)
        except ValueError:
            _log_missing(name)
            return name


@cache
def _log_missing(name: str) -> None:
    """Log each name once in each process: every page would log it again."""
    log.error("static_file_missing", file=name)
