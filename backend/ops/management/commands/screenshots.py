"""`manage.py screenshots`: pictures of the main pages from the demo data, for README and docs/pages.md."""

import secrets
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backend.db.database_url import of_sqlite
from backend.localrun.launcher import DEMO_DAYS
from backend.localrun.processes import ProcessFailed
from backend.localrun.screenshots import PageBroken, take_screenshots
from backend.localrun.stack import Stack
from backend.localrun.supervisor import StopRequested, stop_signals_raise

FOLDER = settings.BASE_DIR / "docs" / "images"


class Command(BaseCommand):
    help = "Starts the demo shop on a throw-away SQLite, and writes pictures of its pages to docs/images."
    # They would check a database that this command does not use.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go; default docs/images")
        parser.add_argument("--days", type=int, default=DEMO_DAYS, help="how many days of sales the pages show")

    def handle(self, *, folder: Path, days: int, **_: object) -> None:
        try:
            with stop_signals_raise(), tempfile.TemporaryDirectory(prefix="caisse-") as temporary:
                written = self._take(Path(temporary), folder=folder, days=days)
        except (PageBroken, ProcessFailed) as error:
            raise CommandError(str(error)) from error
        except StopRequested:
            raise CommandError("arrêté avant la fin") from None
        total_kb = sum(path.stat().st_size for path in written) // 1024
        self.stdout.write(f"{len(written)} images dans {folder}, {total_kb} Ko")

    def _take(self, temporary: Path, *, folder: Path, days: int) -> list[Path]:
        environment = {
            "DATABASE_URL": of_sqlite(temporary / "caisse.sqlite3"),
            # Nothing is sent while the pictures are taken, so no worker is needed.
            "BROKER_URL": "",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "VAR_DIR": str(temporary),
            "STATIC_ROOT": str(temporary / "static"),
        }
        password = secrets.token_urlsafe(12)
        with Stack(folder=temporary, environment=environment) as stack:
            stack.run_once("collect_static")
            stack.run_once("migrate", "--no-input")
            self.stdout.write(f"{days} jours de ventes sont racontés…")
            demo = {"DEMO_PASSWORD": password, "DEMO_TOKEN": secrets.token_urlsafe(32)}
            stack.run_once("demo", "--days", str(days), environment=demo)
            api = stack.add_api().start_ready()
            return take_screenshots(
                base_url=api.url, username="demo", password=password, folder=folder, say=self.stdout.write
            )
