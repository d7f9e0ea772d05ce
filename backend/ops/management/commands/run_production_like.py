"""`manage.py run_production_like`: the services of docker-compose.yml without Docker, on private servers."""

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings

from backend.db.database_url import of_mysql
from backend.localrun.launcher import Base, FlowerLogin, Front, ServeCommand
from backend.localrun.local_secrets import kept_secret
from backend.localrun.processes import PROJECT_FOLDER, ProcessFailed, free_port
from backend.localrun.servers import PrivateMariaDB, PrivateRedis
from backend.localrun.stack import Stack

DATABASE = "caisse"
DATABASE_FOLDER = PROJECT_FOLDER / "deploy" / "database"
FLOWER_PREFIX = "flower"


class Command(ServeCommand):
    help = "MariaDB, Redis, nginx, gunicorn, workers, deux balayages, beat et Flower, tous privés ; Ctrl-C arrête tout."
    title = "Caisses hors ligne, comme en production"
    folder: Path = settings.VAR_DIR.resolve() / "production-like"

    def prepare(self, *, cleanup: ExitStack) -> Base:
        mariadb = cleanup.enter_context(
            PrivateMariaDB(self.folder / "mariadb", keeps_data=True, configuration=DATABASE_FOLDER / "server.cnf")
        )
        redis = cleanup.enter_context(PrivateRedis(self.folder / "redis"))
        passwords = {
            name: kept_secret(self.folder / f"database-{name.partition('_')[0].lower()}-password")
            for name in ("APP_PASSWORD", "MIGRATIONS_PASSWORD", "BACKUP_PASSWORD")
        }
        create_users(mariadb, passwords=passwords)
        app, migrations = passwords["APP_PASSWORD"], passwords["MIGRATIONS_PASSWORD"]
        host, port = "127.0.0.1", mariadb.port
        return Base(
            environment={
                "DATABASE_URL": of_mysql(DATABASE, user="caisse", password=app, host=host, port=port),
                "BROKER_URL": redis.url,
                "ALLOWED_HOSTS": "localhost,127.0.0.1",
                "TRUSTED_PROXIES": "1",
                "HTTPS": "0",
                "METRICS_TOKEN": kept_secret(self.folder / "metrics-token"),
                "LOG_FORMAT": "json",
            },
            migrations={
                "DATABASE_URL": of_mysql(DATABASE, user="caisse_migrations", password=migrations, host=host, port=port)
            },
            description=[f"MariaDB          127.0.0.1:{mariadb.port}", f"Redis            {redis.url}"],
            servers=[mariadb.process, redis.process],
        )

    def environment(self, base: Base, *, port: int) -> dict[str, str]:
        environment = super().environment(base, port=port)
        return {**environment, "FLOWER_URL": f"{environment['PUBLIC_URL']}/{FLOWER_PREFIX}"}

    def add_services(self, stack: Stack, *, port: int, flower: FlowerLogin | None) -> Front:
        return add_production_services(stack, port=port, flower=flower)


def add_production_services(stack: Stack, *, port: int, flower: FlowerLogin | None) -> Front:
    """Add what docker-compose.yml starts from our image, and nginx in front of it on `port`."""
    api = stack.add_api(port=free_port(), processes=2)
    stack.add_worker(concurrency=4)
    stack.add_sweep(name="sweep-1")
    stack.add_sweep(name="sweep-2")
    stack.add_beat()
    stack.add_doctor()
    watcher = None
    if flower is not None:
        watcher = stack.add_flower(
            port=flower.port, user=flower.user, password=flower.password, url_prefix=FLOWER_PREFIX
        )
    nginx = stack.add_nginx(port=port, api=api, flower=watcher)
    return Front(nginx, flower_url=f"{nginx.url}/{FLOWER_PREFIX}/")


def create_users(mariadb: PrivateMariaDB, *, passwords: dict[str, str]) -> None:
    """Create the database and its accounts as production does. Raises ProcessFailed."""
    environment = {
        **os.environ,
        **passwords,
        "DATABASE_NAME": DATABASE,
        "DATABASE_SOCKET": str(mariadb.socket),
        "USERS_HOST": "127.0.0.1",
    }
    script = DATABASE_FOLDER / "create-users"
    result = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if result.returncode:
        raise ProcessFailed(f"create-users ended with {result.returncode}\n{result.stdout}{result.stderr}")
