"""Sends gunicorn's log lines through our formatter: left alone, gunicorn writes plain text among the JSON lines."""

from gunicorn import glogging
from gunicorn.config import Config

from backend.environment import environment
from backend.observability import logs


class GunicornLogger(glogging.Logger):
    """Used by `--logger-class`. It reads the environment, because the master starts before the settings are loaded."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        env = environment()
        logs.configure(format_name=env.str("LOG_FORMAT", default="console"), level=env.str("LOG_LEVEL", default="INFO"))
        for handler in list(self.error_log.handlers):
            self.error_log.removeHandler(handler)
        self.error_log.propagate = True
