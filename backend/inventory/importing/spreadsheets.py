"""Spreadsheets as rows of cells, and back: CSV and XLSX. What the columns mean is others' business.

Files come from strangers: everything is bounded before it is unpacked, and what cannot be read is refused whole.

openpyxl reads workbooks, slowly. python-calamine 0.9.1 reads them twenty times faster, but a file of 5 kB with a cell
at XFD1048576 aborts the whole process, a cell with an error comes as an empty one, and nothing tells that 0.16 was
shown as 16 %.
"""

import contextlib
import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

import openpyxl
from django.utils.translation import gettext_noop as _
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell
from openpyxl.cell.cell import Cell as WorksheetCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.writer.excel import save_workbook

from backend.inventory.errors import HeaderMissing, SheetTooLarge, SheetUnreadable, shown
from backend.inventory.importing.cells import Cell, disarm, folded, is_blank, rearm
from backend.inventory.numbers import write_number
from backend.sentences import Sentence

FILE_BYTES_MAX = 5 * 1024 * 1024
# A classeur of 10,000 full lines inflates to 10 MiB; one of 5 MiB could to 5 GiB.
INFLATED_BYTES_MAX = 40 * 1024 * 1024
ARCHIVE_FILES_MAX = 1000
# Each becomes a Python object. A cell with its reference and its value takes 30 bytes or more, so that a workbook of
# INFLATED_BYTES_MAX has fewer; `<c/>` takes four.
ELEMENTS_MAX = 3_000_000
# Drawings go some twenty deep.
DEPTH_MAX = 100
CHUNK_BYTES = 64 * 1024
LINES_MAX = 10_000
COLUMNS_MAX = 60
SHEET_ROWS_MAX = 1_048_576  # what the format allows; a row that claims to be further down would be padded up to there
DELIMITERS = ";,\t"
ZIP_MAGIC = b"PK\x03\x04"
# The old binary format, and a workbook that a password protects.
COMPOUND_MAGIC = b"\xd0\xcf\x11\xe0"
# What openpyxl, zipfile and expat raise over files that somebody broke.
WORKBOOK_FAULTS = (
    AttributeError,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    ParseError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
UNREADABLE_WORKBOOK = _("Classeur .xlsx illisible : ouvrez-le et enregistrez-le de nouveau")
INFLATED_TOO_LARGE = _("Classeur trop grand une fois décompressé")
UNREADABLE_CELL = _("cellule illisible : une date ou une erreur de calcul ; mettez la colonne au format texte")


@dataclass(frozen=True)
class SheetLine:
    """One line of a sheet, by its number in the spreadsheet: its cells by column, and what ails single ones."""

    number: int
    cells: dict[str, Cell]
    faults: dict[str, Sentence] = field(default_factory=dict)

    def get(self, column: str) -> Cell | None:
        """Return a cell that says something, or None."""
        cell = self.cells.get(column)
        return None if is_blank(cell) else cell


@dataclass(frozen=True)
class Sheet:
    """The lines below a header, empty ones left out. `ignored_columns` are headers nobody knows."""

    columns: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    lines: tuple[SheetLine, ...]


class CellFault(str):
    """Stands for a cell that cannot be read; the text is the template that says why."""

    __slots__ = ()


def read_sheet(*, content: bytes, columns: Sequence[str]) -> Sheet:
    """Read a CSV (UTF-8; separated by `;`, `,` or tab) or the first sheet of an XLSX file, told apart by their bytes.

    columns: the names to look for in the first line that is not empty, whatever their case and accents.
    Of formulas the value counts that the file keeps. At most LINES_MAX lines that are not empty.
    Raises SheetUnreadable, SheetTooLarge or HeaderMissing.
    """
    if len(content) > FILE_BYTES_MAX:
        raise SheetTooLarge(_("Fichier trop grand : %(size)s Mio au plus"), size=FILE_BYTES_MAX // 1024 // 1024)
    if content.startswith(COMPOUND_MAGIC):
        raise SheetUnreadable(_("Ancien format .xls, ou classeur protégé : enregistrez-le en .xlsx sans mot de passe"))
    rows = _workbook_rows(content) if content.startswith(ZIP_MAGIC) else _csv_rows(content)
    with warnings.catch_warnings():
        # What openpyxl does not support (a validation list, a style) says nothing about the cells.
        warnings.simplefilter("ignore")
        return _read_rows(rows, columns)


def _read_rows(rows: Iterator[Sequence[Cell | None]], columns: Sequence[str]) -> Sheet:
    numbered = ((number, row) for number, row in enumerate(rows, start=1) if not all(is_blank(cell) for cell in row))
    _number, header = next(numbered, (0, []))
    names = _read_header(header, columns)
    if not names:
        template = _("Aucune ligne d'en-tête reconnue ; colonnes attendues : %(columns)s")
        raise HeaderMissing(template, columns=", ".join(columns))
    known = {at: name for at, name in names.items() if name in columns}
    lines: list[SheetLine] = []
    for number, row in numbered:
        if len(lines) == LINES_MAX:
            raise SheetTooLarge(_("Trop de lignes : %(count)s au plus"), count=LINES_MAX)
        lines.append(_sheet_line(number, row, known))
    ignored = tuple(shown(str(cell)) for at, cell in enumerate(header) if at not in known and not is_blank(cell))
    return Sheet(tuple(known.values()), ignored, tuple(lines))


def _read_header(header: Sequence[Cell | None], columns: Sequence[str]) -> dict[int, str]:
    """Return the known columns by their place. One that comes twice is refused: which of them counts, nobody knows."""
    names: dict[int, str] = {}
    for at, cell in enumerate(header):
        name = folded(str(cell)) if cell is not None else ""
        if name not in columns:
            continue
        if name in names.values():
            raise HeaderMissing(_("La colonne %(column)s est là deux fois"), column=name)
        names[at] = name
    return names


def _sheet_line(number: int, row: Sequence[Cell | None], names: dict[int, str]) -> SheetLine:
    present = {name: row[at] for at, name in names.items() if at < len(row) and not is_blank(row[at])}
    faults = {name: Sentence(cell) for name, cell in present.items() if isinstance(cell, CellFault)}
    return SheetLine(
        number, {name: cell for name, cell in present.items() if cell is not None and name not in faults}, faults
    )


def _csv_rows(content: bytes) -> Iterator[list[Cell]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetUnreadable(_("Ni un classeur .xlsx, ni du texte UTF-8 : enregistrez en « CSV UTF-8 »")) from error
    # The separator is the one that the first line has most of.
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield [rearm(cell) for cell in row]
    except csv.Error as error:
        template = _("CSV mal formé à la ligne %(line)s : guillemets ou cellule trop longue")
        raise SheetUnreadable(template, line=reader.line_num) from error


def _workbook_rows(content: bytes) -> Iterator[list[Cell | None]]:
    try:
        _check_archive(content)
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
        if not sheets:
            raise SheetUnreadable(_("Le classeur n'a pas de feuille"))
        last = None
        for row in sheets[0].iter_rows(max_row=SHEET_ROWS_MAX, max_col=COLUMNS_MAX):
            # Rows that the file leaves out are all the same one; there may be a million of them.
            yield [] if row is last else [_workbook_cell(cell) for cell in row]
            last = row
    except WORKBOOK_FAULTS as error:
        raise SheetUnreadable(UNREADABLE_WORKBOOK) from error


def _check_archive(content: bytes) -> None:
    """Refuse an archive that would unpack to more than we hold. zipfile reads no further than the sizes it declares."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        inflated = sum(entry.file_size for entry in entries)
        if len(entries) > ARCHIVE_FILES_MAX or inflated > INFLATED_BYTES_MAX:
            raise SheetTooLarge(INFLATED_TOO_LARGE)
        count = ElementCount()
        for entry in entries:
            with archive.open(entry) as part:
                count.add(part)


class ElementCount:
    """Counts the elements of a workbook's parts, whatever their names, before any of them becomes an object.

    Entities multiply, and no spreadsheet program declares any; openpyxl refuses them only where defusedxml happens to
    be installed.
    """

    def __init__(self) -> None:
        self.count = self.depth = 0

    def add(self, part: IO[bytes]) -> None:
        """Raises SheetTooLarge or SheetUnreadable.

        What is no XML, or ceases to be, counts no further: openpyxl stops there as well.
        """
        self.depth = 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        with contextlib.suppress(expat.ExpatError):
            while chunk := part.read(CHUNK_BYTES):
                parser.Parse(chunk)

    def _begin(self, _name: str, _attributes: dict[str, str]) -> None:
        self.count += 1
        self.depth += 1
        if self.count > ELEMENTS_MAX or self.depth > DEPTH_MAX:
            raise SheetTooLarge(INFLATED_TOO_LARGE)

    def _end(self, _name: str) -> None:
        self.depth -= 1

    def _refuse_doctype(self, *_declared: object) -> None:
        raise SheetUnreadable(UNREADABLE_WORKBOOK)


def _workbook_cell(cell: ReadOnlyCell | EmptyCell | WorksheetCell | MergedCell) -> Cell | None:
    """Return a cell's value without its float: the 15 digits that a spreadsheet itself shows, and no more."""
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "e":
        return CellFault(UNREADABLE_CELL)
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        number = Decimal(value if isinstance(value, int) else f"{value:.15g}")
        return number * 100 if "%" in cell.number_format else number
    return CellFault(UNREADABLE_CELL)


def write_sheet_csv(*, columns: Sequence[str], rows: Iterable[Sequence[Cell | None]]) -> bytes:
    """Write a CSV as French spreadsheets open it: UTF-8 with its mark, `;`, decimal comma, and no formula."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([write_number(cell) if isinstance(cell, Decimal) else disarm(cell or "") for cell in row])
    return buffer.getvalue().encode("utf-8-sig")


def write_sheet_xlsx(*, columns: Sequence[str], rows: Iterable[Sequence[Cell | None]]) -> bytes:
    """Write one sheet: numbers as numbers, text as text, whatever it begins with."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Articles")
    sheet.freeze_panes = "A2"
    sheet.append(list(columns))
    for row in rows:
        sheet.append([_written_cell(sheet, cell) for cell in row])
    buffer = io.BytesIO()
    save_workbook(workbook, buffer)
    return buffer.getvalue()


def _written_cell(sheet: WriteOnlyWorksheet, cell: Cell | None) -> object:
    if not isinstance(cell, str):
        return cell
    written = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", cell))
    # openpyxl takes text that begins with = for a formula.
    written.data_type = "s"
    return written
