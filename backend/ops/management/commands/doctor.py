"""`manage.py doctor`: looks for what a broken promise leaves behind; repairs what is safe to repair, if asked."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from backend.db.dialect import is_sqlite
from backend.doctor.registry import Scope
from backend.doctor.reports import (
    json_of_following,
    json_of_result,
    json_of_scope,
    text_of_following,
    text_of_result,
    text_of_sum,
)
from backend.doctor.runner import Result, examine
from backend.doctor.trace_device import Following, follow_device
from backend.ops.doctor_history import remember_run
from backend.shops.models import Shop

EMPTY = "La base est encore vide : « make run » ou « manage.py migrate » la crée, puis le docteur a quoi examiner."


class Command(BaseCommand):
    help = (
        "Examines data, schema and settings, or follows one device's sales; changes nothing without --fix, but for the"
        " note it keeps of what an examination of everything found."
        " Exits with 0 if nothing is found, 1 if something is, 2 for wrong arguments."
    )
    # It reports on the same things itself, and more; a database that is away must not end in a traceback.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
        parser.add_argument("--fix", action="store_true", help="carry out the repairs that are offered")
        parser.add_argument("--shop", metavar="CODE", help="only what concerns one shop")
        parser.add_argument("--terminal", metavar="SERIAL", help="follow one device's sales, then examine its till")

    def handle(self, *, shop: str | None, terminal: str | None, fix: bool, **options: object) -> None:
        if shop and terminal:
            raise CommandError("--shop or --terminal, not both", returncode=2)
        if sentence := _why_not():
            self._say(json.dumps({"error": sentence}, ensure_ascii=False) if options["json"] else sentence)
            raise SystemExit(1)
        began_at = datetime.now(UTC)
        following = follow_device(terminal) if terminal else None
        scope = self._scope(shop, following)
        if options["json"]:
            results = self._run(scope, following, fix=fix, is_quiet=True)
            report = {"scope": json_of_scope(scope, serial=terminal), "fix": fix}
            report["following"] = json_of_following(following) if following else None
            report["checks"] = [json_of_result(result) for result in results]
            self._say(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            results = self._run(scope, following, fix=fix, is_quiet=False)
        if not shop and not terminal:
            remember_run(results, at=began_at)
        if any(result.seen.finding_count for result in results) or (following and following.is_fault):
            raise SystemExit(1)

    def _scope(self, shop_code: str | None, following: Following | None) -> Scope:
        if following is not None and following.terminal is not None:
            return Scope(shop=following.terminal.shop, terminal=following.terminal)
        if shop_code is None:
            return Scope()
        try:
            return Scope(shop=Shop.objects.get(code=shop_code))
        except Shop.DoesNotExist as error:
            raise CommandError(f"No shop has the code {shop_code}", returncode=2) from error

    def _run(self, scope: Scope, following: Following | None, *, fix: bool, is_quiet: bool) -> list[Result]:
        """Run the checks and say each as it is done. A serial that leads to no till has none of its own."""
        results = []
        if following is not None and not is_quiet:
            self._say_all(text_of_following(following))
        if following is None or following.terminal is not None:
            for result in examine(scope=scope, fix=fix):
                results.append(result)
                if not is_quiet:
                    self._say_all(text_of_result(result, fix=fix))
            if not is_quiet:
                self._say(f"\n{text_of_sum(results)}")
        return results

    def _say_all(self, lines) -> None:
        for line in lines:
            self._say(line)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        # A check may take minutes: whoever reads through a pipe shall see the one before.
        self.stdout.flush()


def _why_not() -> str:
    """Return why there is nothing to examine, or nothing. Does not create the file that it looks for."""
    name = str(connection.settings_dict["NAME"])
    if is_sqlite(connection) and not _is_in_memory() and not Path(name).exists():
        return EMPTY
    try:
        tables = connection.introspection.table_names()
    except DatabaseError as error:
        return f"La base ne répond pas : {error}"
    return "" if Shop._meta.db_table in tables else EMPTY


def _is_in_memory() -> bool:
    return connection.is_in_memory_db()  # type: ignore[attr-defined]  # SQLite's own; the stub knows what all share
