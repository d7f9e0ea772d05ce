"""Uploaded files: what is read from them, and what is refused before it does harm."""

import contextlib
import datetime
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.writer.excel import save_workbook

from backend.inventory.errors import CatalogueRefused, HeaderMissing, SheetTooLarge, SheetUnreadable
from backend.inventory.importing.spreadsheets import (
    FILE_BYTES_MAX,
    LINES_MAX,
    Sheet,
    read_sheet,
    write_sheet_csv,
    write_sheet_xlsx,
)

COLUMNS = ("code", "nom", "prix")
SHEET = "xl/worksheets/sheet1.xml"


def read(content: bytes) -> Sheet:
    return read_sheet(content=content, columns=COLUMNS)


def cells(sheet: Sheet) -> list[tuple[int, dict[str, object]]]:
    return [(line.number, line.cells) for line in sheet.lines]


def workbook(*rows: list[object], change: Callable = lambda book: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book)
    buffer = io.BytesIO()
    save_workbook(book, buffer)
    return buffer.getvalue()


def repacked(content: bytes, parts: dict[str, bytes]) -> bytes:
    """Return the archive with these parts added, or in place of its own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {**dict.fromkeys(old.namelist()), **parts}:
            new.writestr(name, parts[name] if name in parts else old.read(name))
    return buffer.getvalue()


def part_of(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


def refused(content: bytes, refusal: type[CatalogueRefused]) -> str:
    with pytest.raises(refusal) as caught:
        read(content)
    assert caught.value.code
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_csv_is_read_whatever_program_wrote_it(delimiter: str, mark: bytes, newline: str) -> None:
    rows = [["", "", ""], ["CODE", "Nom", "Couleur"], ["A1", '"Riz; 25, kg"', "rouge"], [], ["A2", "Blé"]]
    text = newline.join(delimiter.join(row) for row in rows)
    sheet = read(mark + text.encode())
    assert cells(sheet) == [(3, {"code": "A1", "nom": "Riz; 25, kg"}), (5, {"code": "A2", "nom": "Blé"})]
    assert (sheet.columns, sheet.ignored_columns) == (("code", "nom"), ("Couleur",))


def test_a_workbook_is_read_without_floats() -> None:
    def as_percent(book: openpyxl.Workbook) -> None:
        book.active["C5"].number_format = "0%"

    rows = [["Code", "Nom", "Prix"], [123, "Riz", 0.1 + 0.2], ["00123", True, 123456789012.34], [3017620422003, "x"]]
    sheet = read(workbook(*rows, [None, None, 0.16], change=as_percent))
    assert cells(sheet) == [
        (2, {"code": Decimal(123), "nom": "Riz", "prix": Decimal("0.3")}),
        (3, {"code": "00123", "nom": "oui", "prix": Decimal("123456789012.34")}),
        (4, {"code": Decimal(3017620422003), "nom": "x"}),
        (5, {"prix": Decimal(16)}),
    ]


def test_a_formula_is_read_as_its_stored_value() -> None:
    content = workbook(["code", "nom", "prix"], ["A1", "Riz", "=1+1"])
    assert cells(read(content)) == [(2, {"code": "A1", "nom": "Riz"})]
    sheet = part_of(content, SHEET)
    kept = sheet.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>").replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    assert kept != sheet
    assert cells(read(repacked(content, {SHEET: kept})))[0][1]["prix"] == 2


def test_a_cell_that_a_spreadsheet_made_a_date_or_an_error_is_named() -> None:
    def with_error(book: openpyxl.Workbook) -> None:
        book.active["C3"].value = "#REF!"

    dated = ["A1", datetime.datetime(2024, 2, 1, tzinfo=None), 5]  # noqa: DTZ001 - as a workbook keeps it
    sheet = read(workbook(["code", "nom", "prix"], dated, ["A2", "Riz", 7], change=with_error))
    assert [list(line.faults) for line in sheet.lines] == [["nom"], ["prix"]]
    assert "mettez la colonne au format texte" in str(sheet.lines[0].faults["nom"])
    assert cells(sheet) == [(2, {"code": "A1", "prix": Decimal(5)}), (3, {"code": "A2", "nom": "Riz"})]


def test_the_first_visible_sheet_is_read() -> None:
    def hide_first(book: openpyxl.Workbook) -> None:
        book.active.sheet_state = "hidden"
        second = book.create_sheet("Articles")
        second.append(["code"])
        second.append(["A1"])

    assert cells(read(workbook(["rien"], change=hide_first))) == [(2, {"code": "A1"})]


@pytest.mark.parametrize(
    ("content", "refusal", "sentence"),
    [
        (b"", HeaderMissing, "Aucune ligne d'en-tête reconnue ; colonnes attendues : code, nom, prix"),
        (b"\n\n;;\n", HeaderMissing, "Aucune ligne d'en-tête reconnue ; colonnes attendues : code, nom, prix"),
        (b"RIZ25;Riz;25000", HeaderMissing, "Aucune ligne d'en-tête reconnue ; colonnes attendues : code, nom, prix"),
        (b"code;nom;Code\nA;B;C", HeaderMissing, "La colonne code est là deux fois"),
        (
            "code;nom\nBLE;Blé".encode("cp1252"),
            SheetUnreadable,
            "Ni un classeur .xlsx, ni du texte UTF-8 : enregistrez en « CSV UTF-8 »",
        ),
        (
            "code;nom\nA;B".encode("utf-16"),
            SheetUnreadable,
            "Ni un classeur .xlsx, ni du texte UTF-8 : enregistrez en « CSV UTF-8 »",
        ),
        (
            b'code;nom\nA;"B" x',
            SheetUnreadable,
            "CSV mal formé à la ligne 2 : guillemets ou cellule trop longue",
        ),
        (
            b"code;nom\nA;" + b"x" * 200_000,
            SheetUnreadable,
            "CSV mal formé à la ligne 2 : guillemets ou cellule trop longue",
        ),
        (b"x" * (FILE_BYTES_MAX + 1), SheetTooLarge, "Fichier trop grand : 5 Mio au plus"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            SheetUnreadable,
            "Ancien format .xls, ou classeur protégé : enregistrez-le en .xlsx sans mot de passe",
        ),
        (
            b"PK\x03\x04 et puis rien",
            SheetUnreadable,
            "Classeur .xlsx illisible : ouvrez-le et enregistrez-le de nouveau",
        ),
    ],
    ids=["empty", "blank", "no-header", "twice", "cp1252", "utf16", "quotes", "long-cell", "large", "xls", "no-zip"],
)
def test_a_file_that_is_no_spreadsheet_is_refused_whole(
    content: bytes, refusal: type[CatalogueRefused], sentence: str
) -> None:
    assert refused(content, refusal) == sentence


@pytest.mark.slow
def test_ten_thousand_lines_are_read_and_one_more_is_too_many() -> None:
    lines = ["code"] + [f"A{number}" for number in range(LINES_MAX)]
    assert len(read("\n".join(lines).encode()).lines) == LINES_MAX
    assert refused("\n".join([*lines, "B"]).encode(), SheetTooLarge) == "Trop de lignes : 10000 au plus"
    rows = [[line] for line in lines]
    # An empty line does not count.
    assert len(read(workbook(*rows, [None], [""])).lines) == LINES_MAX
    assert refused(workbook(*rows, [None], ["B"]), SheetTooLarge) == "Trop de lignes : 10000 au plus"


def test_an_archive_that_would_fill_the_memory_is_refused_unopened() -> None:
    content = workbook(["code"], ["A1"])
    bomb = repacked(content, {"xl/media/image.bin": bytes(60 * 1024 * 1024)})
    assert len(bomb) < 100_000
    assert refused(bomb, SheetTooLarge) == "Classeur trop grand une fois décompressé"
    many = repacked(content, {f"x{number}": b"" for number in range(1001)})
    assert refused(many, SheetTooLarge) == "Classeur trop grand une fois décompressé"


@pytest.mark.parametrize(
    "inside",
    [b"<a>" * 101, b'<row r="1">' + b"<c/>" * 3_000_000 + b"</row></sheetData></worksheet>"],
    ids=["deep", "many"],
)
@pytest.mark.parametrize("name", [SHEET, "xl/worksheets/sheet1.bin", "xl/sharedStrings.xml"])
def test_elements_that_would_fill_the_memory_are_refused_unread(inside: bytes, name: str) -> None:
    content = workbook(["code"], ["A1"])
    head = part_of(content, SHEET).partition(b"<row")[0]
    hostile = repacked(content, {name: head + inside})
    assert len(hostile) < 50_000
    assert refused(hostile, SheetTooLarge) == "Classeur trop grand une fois décompressé"
    harmless = repacked(content, {"xl/worksheets/sheet2.xml": head + b"<a>" * 50})
    assert cells(read(harmless)) == [(2, {"code": "A1"})]


def test_an_archive_that_lies_about_its_size_is_not_inflated_further() -> None:
    size = 60 * 1024 * 1024
    content = repacked(workbook(["code"], ["A1"]), {SHEET: bytes(size)})
    lying = content.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != content
    assert refused(lying, SheetUnreadable)


def test_a_workbook_that_declares_entities_is_refused() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    kind = f'<!DOCTYPE worksheet [<!ENTITY e0 "lol">{levels}]>'
    content = workbook(["code"], ["A1"])
    sheet = part_of(content, SHEET)
    for entity in ("&e0;", "&e9;"):
        declared = f"<?xml version='1.0'?>{kind}".encode() + sheet.replace(b"A1<", f"{entity}<".encode())
        assert refused(repacked(content, {SHEET: declared}), SheetUnreadable)
    assert cells(read(repacked(content, {SHEET: b"<?xml version='1.0'?>" + sheet}))) == [(2, {"code": "A1"})]


@pytest.mark.parametrize("row", [2_000_000_000, 1_048_577])
def test_a_row_that_claims_to_be_far_down_is_not_padded_up_to(row: int) -> None:
    content = workbook(["code"], ["A1"])
    sheet = part_of(content, SHEET)
    far = sheet.replace(b'r="2"', f'r="{row}"'.encode()).replace(b'r="A2"', f'r="A{row}"'.encode())
    assert far != sheet
    assert read(repacked(content, {SHEET: far})).lines == ()


def test_a_broken_workbook_is_refused_and_never_a_crash() -> None:
    """Each part in turn is cut, emptied and filled with nonsense; then the archive itself, byte by byte."""
    content = workbook(["code", "nom"], ["A1", "Riz"], ["A2", 5])
    for name in zipfile.ZipFile(io.BytesIO(content)).namelist():
        part = part_of(content, name)
        for broken in (part[: len(part) // 2], b"", bytes(50), b"<a/>", part.replace(b'="', b'="9')):
            with contextlib.suppress(CatalogueRefused):
                read(repacked(content, {name: broken}))
    for at in range(0, len(content), 29):
        with contextlib.suppress(CatalogueRefused):
            read(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])


DANGEROUS = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "'=1", "<b>", "é;\"'\n"]


def test_a_written_sheet_is_read_back_and_has_no_formula() -> None:
    rows = [[text, None, Decimal("-1.125")] for text in DANGEROUS]
    as_csv = write_sheet_csv(columns=COLUMNS, rows=rows)
    lines = as_csv.decode("utf-8-sig").splitlines()
    assert lines[0] == "code;nom;prix"
    assert lines[1] == "'=cmd|' /C calc'!A0;;-1,1250"
    assert [line.cells["code"] for line in read(as_csv).lines] == DANGEROUS
    as_xlsx = write_sheet_xlsx(columns=COLUMNS, rows=rows)
    assert [line.cells for line in read(as_xlsx).lines] == [
        {"code": text, "prix": Decimal("-1.125")} for text in DANGEROUS
    ]
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx)).active
    assert {cell.data_type for cell in sheet["A"]} == {"s"}


def test_a_character_that_no_workbook_can_hold_is_left_out() -> None:
    assert read(write_sheet_xlsx(columns=COLUMNS, rows=[["A\x00\x0b1"]])).lines[0].cells == {"code": "A1"}
