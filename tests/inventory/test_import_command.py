"""`manage.py import_articles`: shows a preview by default, changes with --apply, and explains errors."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backend.inventory.models import Article, StockMovement
from backend.testing import Cast

pytestmark = pytest.mark.embedded

SHEET = "code;nom;niveau;prix;stock;couleur\nSEL;Sel;PIECE;500;40;blanc\nRIZ25;;PIECE;26000;7;\n"


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "articles.csv"
    path.write_text(SHEET, encoding="utf-8")
    return path


def run(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("import_articles", *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue().splitlines()


def test_it_changes_nothing_without_apply(cast: Cast, sheet: Path) -> None:
    shown = [
        "Colonnes ignorées : couleur",
        "ligne 2 : nouveau (article) Sel",
        "ligne 2 : nouveau (unité) Sel · PIECE",
        "ligne 3 : Riz 25 kg · PCE, prix : 25000 → 26000",
        "ligne 2 : Sel · PIECE, entrée de 40",
        "ligne 3, stock : ignoré, a déjà bougé : faites un ajustement",
    ]
    assert run(sheet, "--shop", "BTQ-009") == [*shown, "Aperçu seulement ; --apply pour importer."]
    assert not Article.objects.filter(code="SEL").exists()
    assert run(sheet, "--shop", "BTQ-009", "--apply", "--author", "Alice") == [*shown, "C'est fait."]
    assert StockMovement.objects.get(unit__article__code="SEL").author == "Alice"
    assert run(sheet, "--shop", "BTQ-009", "--apply")[-1] == "2 ligne(s) : rien ne change."


def test_errors_are_printed_by_line_and_nothing_is_done(cast: Cast, sheet: Path) -> None:
    sheet.write_text(SHEET + "HUI20;;PIECE;-1;;\n", encoding="utf-8")
    for options in ([], ["--apply"]):
        out = StringIO()
        with pytest.raises(CommandError, match=r"1 erreur\(s\) : rien n'a été importé"):
            call_command("import_articles", str(sheet), "--shop", "BTQ-009", *options, stdout=out, stderr=out)
        assert "ligne 4, prix : ne peut pas être négatif" in out.getvalue()
    assert not Article.objects.filter(code="SEL").exists()


@pytest.mark.parametrize("name", ["export.csv", "export.xlsx"])
def test_its_export_imports_without_a_change(cast: Cast, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert run("--shop", "BTQ-009", "--export", path) == [f"Written: {path}"]
    assert run(path, "--shop", "BTQ-009", "--apply") == ["2 ligne(s) : rien ne change."]


def test_a_refused_import_is_explained(cast: Cast, sheet: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        ([sheet, "--shop", "BTQ-000"], "No shop has the code BTQ-000"),
        ([tmp_path / "absent.csv", "--shop", "BTQ-009"], "No such file"),
        (["--shop", "BTQ-009"], "Name a FILE to import"),
        (["--shop", "BTQ-009", "--export", tmp_path], "Is a directory"),
    ):
        with pytest.raises(CommandError, match=sentence):
            run(*arguments)
    sheet.write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="CSV UTF-8"):
        run(sheet, "--shop", "BTQ-009")
