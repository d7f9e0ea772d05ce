"""gunicorn's own words through our formatter: it would write them past it, and a machine that reads JSON stumbles."""

import os

from gunicorn import glogging

from backend.config import logs


class GunicornLogger(glogging.Logger):
    """Named by `--logger-class`. The settings are not read yet where the master starts, so it asks the environment."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        logs.configure(
            format_name=os.environ.get("LOG_FORMAT", "console"), level=os.environ.get("LOG_LEVEL", "INFO")
        )
        for handler in list(self.error_log.handlers):
            self.error_log.removeHandler(handler)
        self.error_log.propagate = True
