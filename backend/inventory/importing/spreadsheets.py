"""Reads and writes spreadsheets, CSV and XLSX, as rows of cells, whatever the columns mean.

Uploaded files are untrusted: sizes are checked before unpacking, and an unreadable file is refused whole.

openpyxl reads workbooks, slowly. python-calamine 0.9.1 reads them twenty times faster, but a file of 5 kB with a cell
at XFD1048576 aborts the whole process, a cell with an error is read as empty, and 0.16 shown as 16 % is read as 0.16.
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
from backend.inventory.french_numbers import write_number
from backend.inventory.importing.cells import Cell, escape_formula, folded, is_blank, unescape_formula
from backend.sentences import Sentence

FILE_BYTES_MAX = 5 * 1024 * 1024
# A workbook of 10,000 full lines inflates to 10 MiB; one of 5 MiB could inflate to 5 GiB.
INFLATED_BYTES_MAX = 40 * 1024 * 1024
ARCHIVE_FILES_MAX = 1000
# Each element becomes a Python object. A cell with reference and value takes at least 30 bytes, so a real workbook of
# INFLATED_BYTES_MAX has fewer; but `<c/>` takes four.
ELEMENTS_MAX = 3_000_000
# Drawings have about twenty levels.
DEPTH_MAX = 100
CHUNK_BYTES = 64 * 1024
LINES_MAX = 10_000
COLUMNS_MAX = 60
SHEET_ROWS_MAX = 1_048_576  # the format's limit; openpyxl would pad the rows up to a higher number
DELIMITERS = ";,\t"
ZIP_MAGIC = b"PK\x03\x04"
# The old binary format, and a workbook that a password protects.
COMPOUND_MAGIC = b"\xd0\xcf\x11\xe0"
# What openpyxl, zipfile and expat raise for broken files.
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
    """One line of a sheet: its number in the spreadsheet, its cells by column, and the faults of unreadable cells."""

    number: int
    cells: dict[str, Cell]
    faults: dict[str, Sentence] = field(default_factory=dict)

    def get(self, column: str) -> Cell | None:
        """Return the cell, or None if it is blank or missing."""
        cell = self.cells.get(column)
        return None if is_blank(cell) else cell


@dataclass(frozen=True)
class Sheet:
    """The lines below the header, without empty ones. ignored_columns: unknown headers."""

    columns: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    lines: tuple[SheetLine, ...]


class CellFault(str):
    """Stands for an unreadable cell; the text is the template of the reason."""

    __slots__ = ()


def read_sheet(*, content: bytes, columns: Sequence[str]) -> Sheet:
    """Read a CSV (UTF-8; separated by `;`, `,` or tab) or the first sheet of an XLSX file, told apart by their bytes.

    columns: the names to look for in the first line that is not empty, ignoring case and accents.
    A formula is read as its stored value. At most LINES_MAX lines that are not empty.
    Raises SheetUnreadable, SheetTooLarge or HeaderMissing.
    """
    if len(content) > FILE_BYTES_MAX:
        raise SheetTooLarge(_("Fichier trop grand : %(size)s Mio au plus"), size=FILE_BYTES_MAX // 1024 // 1024)
    if content.startswith(COMPOUND_MAGIC):
        raise SheetUnreadable(_("Ancien format .xls, ou classeur protégé : enregistrez-le en .xlsx sans mot de passe"))
    rows = _workbook_rows(content) if content.startswith(ZIP_MAGIC) else _csv_rows(content)
    with warnings.catch_warnings():
        # What openpyxl warns about (validation lists, styles) does not matter for the cells.
        warnings.simplefilter("ignore")
        return _read_rows(rows, columns)


def _read_rows(rows: Iterator[Sequence[Cell | None]], columns: Sequence[str]) -> Sheet:
    numbered = ((number, row) for number, row in enumerate(rows, start=1) if not all(is_blank(cell) for cell in row))
    _number, header = next(numbered, (0, []))
    names = _read_header(header, columns)
    if not names:
        template = _("Aucune ligne d'en-tête reconnue ; colonnes attendues : %(columns)s")
        raise HeaderMissing(template, columns=", ".join(columns))
    known = {index: name for index, name in names.items() if name in columns}
    lines: list[SheetLine] = []
    for number, row in numbered:
        if len(lines) == LINES_MAX:
            raise SheetTooLarge(_("Trop de lignes : %(count)s au plus"), count=LINES_MAX)
        lines.append(_sheet_line(number, row, known))
    ignored = tuple(shown(str(cell)) for index, cell in enumerate(header) if index not in known and not is_blank(cell))
    return Sheet(tuple(known.values()), ignored, tuple(lines))


def _read_header(header: Sequence[Cell | None], columns: Sequence[str]) -> dict[int, str]:
    """Return the known columns by index. A column that appears twice is refused as ambiguous."""
    names: dict[int, str] = {}
    for index, cell in enumerate(header):
        name = folded(str(cell)) if cell is not None else ""
        if name not in columns:
            continue
        if name in names.values():
            raise HeaderMissing(_("La colonne %(column)s est là deux fois"), column=name)
        names[index] = name
    return names


def _sheet_line(number: int, row: Sequence[Cell | None], names: dict[int, str]) -> SheetLine:
    present = {name: row[index] for index, name in names.items() if index < len(row) and not is_blank(row[index])}
    faults = {name: Sentence(cell) for name, cell in present.items() if isinstance(cell, CellFault)}
    return SheetLine(
        number, {name: cell for name, cell in present.items() if cell is not None and name not in faults}, faults
    )


def _csv_rows(content: bytes) -> Iterator[list[Cell]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetUnreadable(_("Ni un classeur .xlsx, ni du texte UTF-8 : enregistrez en « CSV UTF-8 »")) from error
    # The separator is the most frequent one in the first line.
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield [unescape_formula(cell) for cell in row]
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
            # For rows missing in the file, openpyxl yields the same object; there may be a million of them.
            yield [] if row is last else [_workbook_cell(cell) for cell in row]
            last = row
    except WORKBOOK_FAULTS as error:
        raise SheetUnreadable(UNREADABLE_WORKBOOK) from error


def _check_archive(content: bytes) -> None:
    """Refuse an archive that would unpack to too much. zipfile reads no more than the sizes that it declares."""
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
    """Counts the XML elements of all parts of a workbook, before any of them becomes an object.

    Refuses entities, which can multiply: no spreadsheet program declares any, and openpyxl refuses them only if
    defusedxml is installed.
    """

    def __init__(self) -> None:
        self.count = self.depth = 0

    def add(self, part: IO[bytes]) -> None:
        """Count a part's elements. Raises SheetTooLarge or SheetUnreadable.

        Counting stops where the part is not XML, as openpyxl's parsing does.
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
    """Return a cell's value; a float as the Decimal of its first 15 digits, which spreadsheets show."""
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
    """Write a CSV that French spreadsheets open: UTF-8 with a byte order mark, `;`, decimal comma, and no formula."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            [write_number(cell) if isinstance(cell, Decimal) else escape_formula(cell or "") for cell in row]
        )
    return buffer.getvalue().encode("utf-8-sig")


def write_sheet_xlsx(*, columns: Sequence[str], rows: Iterable[Sequence[Cell | None]]) -> bytes:
    """Write one sheet: numbers as numbers, text always as text, never as a formula."""
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
    # openpyxl would write text that begins with = as a formula.
    written.data_type = "s"
    return written
