"""`manage.py run_production_like`: every process of a production machine, on a private MariaDB and a private Redis."""

from contextlib import ExitStack
from pathlib import Path

from django.conf import settings

from backend.ops.processes import Service
from backend.ops.servers import PrivateMariaDB, PrivateRedis
from backend.ops.serving import Base, ServeCommand
from backend.ops.stack import Stack

DATABASE = "caisse"


class Command(ServeCommand):
    help = "MariaDB, Redis, gunicorn, workers, deux balayages, beat et Flower, tous privés ; s'arrête avec Ctrl-C."
    title = "Caisses hors ligne, comme en production"
    folder: Path = settings.VAR_DIR.resolve() / "production-like"

    def prepare(self, *, cleanup: ExitStack) -> Base:
        mariadb = cleanup.enter_context(
            PrivateMariaDB(self.folder / "mariadb", databases=(DATABASE,), keeps_data=True)
        )
        redis = cleanup.enter_context(PrivateRedis(self.folder / "redis"))
        return Base(
            environment={
                "DATABASE_URL": mariadb.url(DATABASE),
                "BROKER_URL": redis.url,
                "ALLOWED_HOSTS": "localhost,127.0.0.1",
                "LOG_FORMAT": "json",
            },
            description=[f"MariaDB          127.0.0.1:{mariadb.port}", f"Redis            {redis.url}"],
            servers=[mariadb.process, redis.process],
        )

    def add_api(self, stack: Stack, *, port: int) -> Service:
        return stack.add_api(port=port, processes=2)

    def add_services(self, stack: Stack) -> None:
        stack.add_worker(concurrency=4)
        stack.add_sweep(name="sweep-1")
        stack.add_sweep(name="sweep-2")
        stack.add_beat()
