"""`manage.py run`: everything on SQLite with demo data, for a first look and for a single shop's PC."""

from contextlib import ExitStack

from backend.db.database_url import of_sqlite
from backend.localrun.launcher import Base, FlowerLogin, Front, ServeCommand
from backend.localrun.servers import find_broker
from backend.localrun.stack import Stack


class Command(ServeCommand):
    help = "Tout sur SQLite, avec des données de démonstration ; s'arrête avec Ctrl-C."
    title = "Caisses hors ligne, tout en un"

    def prepare(self, *, cleanup: ExitStack) -> Base:
        database = self.folder / "caisse.sqlite3"
        broker = find_broker(folder=self.folder / "broker")
        cleanup.callback(broker.stop)
        return Base(
            environment={"DATABASE_URL": of_sqlite(database), "BROKER_URL": broker.url, "LOG_FORMAT": "console"},
            description=[f"base de données  {database}", f"courtier         {broker.origin}"],
            servers=[broker.server.process] if broker.server else [],
        )

    def add_services(self, stack: Stack, *, port: int, flower: FlowerLogin | None) -> Front:
        if flower:
            stack.environment["FLOWER_URL"] = f"http://127.0.0.1:{flower.port}"
        api = stack.add_api(port=port)
        if flower:
            # A solo worker posts in the process that answers pings, so the supervisor notices when it freezes.
            stack.add_worker(pool="solo", concurrency=1)
        stack.add_sweep()
        if not flower:
            return Front(api)
        watcher = stack.add_flower(port=flower.port, user=flower.user, password=flower.password)
        return Front(api, flower_url=f"{watcher.url}/")
