"""`manage.py import_articles`: previews articles, units and opening stock from a spreadsheet; --apply imports them."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from backend.inventory.errors import CatalogueRefused
from backend.inventory.french_numbers import plain_number
from backend.inventory.importing.columns import COLUMNS, write_articles_csv, write_articles_xlsx
from backend.inventory.importing.import_articles import ImportRefused, carry_out, plan_import, read_articles_sheet
from backend.inventory.importing.plans import ImportPlan
from backend.inventory.importing.spreadsheets import FILE_BYTES_MAX
from backend.shops.models import Shop


class Command(BaseCommand):
    help = (
        "Shows what the CSV or XLSX FILE would create and change in a shop. --apply does it, all or nothing. "
        f"Columns: {', '.join(COLUMNS)}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--shop", metavar="CODE", required=True)
        parser.add_argument("--apply", action="store_true", help="carry it out")
        parser.add_argument(
            "--author", metavar="NAME", default="Import", help="who brought the stock, as the movements say"
        )
        parser.add_argument("--export", metavar="FILE", type=Path, help="write the shop's articles there first")

    def handle(self, *, file: Path | None, shop: str, export: Path | None, **options: object) -> None:
        found = Shop.objects.filter(code=shop).first()
        if found is None:
            raise CommandError(f"No shop has the code {shop}")
        if export:
            self._export(found, export)
        if file:
            self._import(found, file, is_applied=bool(options["apply"]), author=str(options["author"]))
        elif not export:
            raise CommandError("Name a FILE to import, or --export FILE")

    def _export(self, shop: Shop, path: Path) -> None:
        write = write_articles_xlsx if path.suffix.lower() == ".xlsx" else write_articles_csv
        try:
            path.write_bytes(write(shop))
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Written: {path}")

    def _import(self, shop: Shop, path: Path, *, is_applied: bool, author: str) -> None:
        try:
            with path.open("rb") as file:
                # One byte beyond the limit shows that the file is too large.
                sheet = read_articles_sheet(file.read(FILE_BYTES_MAX + 1))
            plan = plan_import(shop=shop, sheet=sheet)
            if is_applied and not plan.errors:
                plan = carry_out(shop=shop, sheet=sheet, author=author)
        except OSError as error:
            raise CommandError(str(error)) from error
        except ImportRefused as refused:
            # The shop changed between the preview and the import.
            plan = refused.plan
        except CatalogueRefused as refused:
            raise CommandError(str(refused)) from refused
        if sheet.ignored_columns:
            self.stdout.write(f"Colonnes ignorées : {', '.join(sheet.ignored_columns)}")
        self._show(plan)
        if plan.errors:
            raise CommandError(f"{len(plan.errors)} erreur(s) : rien n'a été importé")
        if plan.is_empty:
            self.stdout.write(f"{plan.line_count} ligne(s) : rien ne change.")
        else:
            self.stdout.write("C'est fait." if is_applied else "Aperçu seulement ; --apply pour importer.")

    def _show(self, plan: ImportPlan) -> None:
        for made in plan.creations:
            self.stdout.write(f"ligne {made.line} : nouveau ({made.what}) {made.subject}")
        for change in plan.changes:
            self.stdout.write(
                f"ligne {change.line} : {change.subject}, {change.column} : {change.before} → {change.after}"
            )
        for opening in plan.openings:
            self.stdout.write(f"ligne {opening.line} : {opening.subject}, entrée de {plain_number(opening.quantity)}")
        for note in plan.ignored:
            self.stdout.write(f"ligne {note.line}, {note.column} : ignoré, {note.sentence}")
        for error in plan.errors:
            self.stderr.write(f"ligne {error.line}, {error.column} : {error.sentence}")
