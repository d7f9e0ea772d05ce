"""gunicorn's own words through our formatter: it would write them past it, and a machine that reads JSON stumbles."""

from gunicorn import glogging
from gunicorn.config import Config

from backend.environment import environment
from backend.observability import logs


class GunicornLogger(glogging.Logger):
    """Named by `--logger-class`. The settings are not read yet where the master starts, so it asks the environment."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        env = environment()
        logs.configure(format_name=env.str("LOG_FORMAT", default="console"), level=env.str("LOG_LEVEL", default="INFO"))
        for handler in list(self.error_log.handlers):
            self.error_log.removeHandler(handler)
        self.error_log.propagate = True
