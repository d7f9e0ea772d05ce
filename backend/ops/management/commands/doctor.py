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
    json_of_result,
    json_of_scope,
    json_of_trace,
    text_of_result,
    text_of_sum,
    text_of_trace,
)
from backend.doctor.runner import Result, examine
from backend.doctor.trace_device import Trace, trace_device
from backend.ops.doctor_history import keep_run
from backend.shops.models import Shop

EMPTY = "La base est encore vide : « make run » ou « manage.py migrate » la crée, puis le docteur a quoi examiner."


class Command(BaseCommand):
    help = (
        "Examines data, schema and settings, or follows one device's sales. Changes nothing without --fix, except that"
        " it records what a full examination found."
        " Exits with 0 if nothing is found, 1 if something is, 2 for wrong arguments."
    )
    # The doctor reports on the same things and more, and a database that is away must not end in a traceback.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
        parser.add_argument("--fix", action="store_true", help="carry out the repairs that are offered")
        parser.add_argument("--shop", metavar="CODE", help="only what concerns one shop")
        parser.add_argument("--terminal", metavar="SERIAL", help="follow one device's sales, then examine its till")

    def handle(self, *, shop: str | None, terminal: str | None, fix: bool, **options: object) -> None:
        if shop and terminal:
            raise CommandError("--shop or --terminal, not both", returncode=2)
        if sentence := _reason_not_to_run():
            self._say(json.dumps({"error": sentence}, ensure_ascii=False) if options["json"] else sentence)
            raise SystemExit(1)
        began_at = datetime.now(UTC)
        trace = trace_device(terminal) if terminal else None
        scope = self._scope(shop, trace)
        if options["json"]:
            results = self._run(scope, trace, fix=fix, is_quiet=True)
            report = {"scope": json_of_scope(scope, serial=terminal), "fix": fix}
            report["following"] = json_of_trace(trace) if trace else None
            report["checks"] = [json_of_result(result) for result in results]
            self._say(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            results = self._run(scope, trace, fix=fix, is_quiet=False)
        if not shop and not terminal:
            keep_run(results, at=began_at)
        if any(result.seen.finding_count for result in results) or (trace and trace.is_fault):
            raise SystemExit(1)

    def _scope(self, shop_code: str | None, trace: Trace | None) -> Scope:
        if trace is not None and trace.terminal is not None:
            return Scope(shop=trace.terminal.shop, terminal=trace.terminal)
        if shop_code is None:
            return Scope()
        try:
            return Scope(shop=Shop.objects.get(code=shop_code))
        except Shop.DoesNotExist as error:
            raise CommandError(f"No shop has the code {shop_code}", returncode=2) from error

    def _run(self, scope: Scope, trace: Trace | None, *, fix: bool, is_quiet: bool) -> list[Result]:
        """Run the checks and print each result as it comes. A serial that leads to no till has no checks to run."""
        results = []
        if trace is not None and not is_quiet:
            self._say_all(text_of_trace(trace))
        if trace is None or trace.terminal is not None:
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
        # A check may take minutes: a reader behind a pipe should see the results before it.
        self.stdout.flush()


def _reason_not_to_run() -> str:
    """Return why there is nothing to examine, or "". Does not create the SQLite file that it looks for."""
    name = str(connection.settings_dict["NAME"])
    if is_sqlite(connection) and not _is_in_memory() and not Path(name).exists():
        return EMPTY
    try:
        tables = connection.introspection.table_names()
    except DatabaseError as error:
        return f"La base ne répond pas : {error}"
    return "" if Shop._meta.db_table in tables else EMPTY


def _is_in_memory() -> bool:
    return connection.is_in_memory_db()  # type: ignore[attr-defined]  # only SQLite's backend has it
