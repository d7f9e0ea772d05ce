"""Streams spreadsheets, CSV and XLSX, of any length in little memory.

A workbook is a zip archive of XML. openpyxl writes it only at the end: with a million lines, a person would wait
minutes for the first byte. So the few parts that a workbook needs are written here.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from backend.inventory.french_numbers import write_number
from backend.inventory.importing.cells import escape_formula

if TYPE_CHECKING:
    from typing_extensions import Buffer

Value = str | Decimal | int | date | datetime | None

# A sheet may have 1,048,576 rows, and a streamed part of a zip archive 2 GB.
SHEET_ROWS_MAX = 400_000
PIECE_BYTES = 32 * 1024
# Excel counts days from this date.
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet has no timezones
STYLE_DATE, STYLE_MOMENT, STYLE_HEAD = 1, 2, 3

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm:ss"/>'
    '</numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/>'
    '<name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill>'
    '<patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1">'
    '<xf/></cellStyleXfs><cellXfs count="4"><xf/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="164" '
    'applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" '
    'xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def stream_csv(*, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """Yield a CSV that French spreadsheets open: UTF-8 with a byte order mark, `;`, decimal comma, and no formula."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";")
    writer.writerow(columns)
    yield b"\xef\xbb\xbf"
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
        if buffer.tell() >= PIECE_BYTES:
            yield _taken(buffer).encode()
    yield _taken(buffer).encode()


def _csv_cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return escape_formula(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else write_number(Decimal(value))


def stream_xlsx(*, title: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """Yield a workbook: text always as text, never as a formula; numbers, dates and local times as such."""
    pipe = _Pipe()
    waiting = iter(rows)
    with zipfile.ZipFile(pipe, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        sheet_count = 0
        is_full = True
        while is_full:
            sheet_count += 1
            is_full = False
            with archive.open(f"xl/worksheets/sheet{sheet_count}.xml", "w") as sheet:
                for piece, ends_full in _sheet_pieces(columns, waiting):
                    is_full = ends_full
                    sheet.write(piece)
                    yield pipe.take()
        for name, text in _frame(title, sheet_count).items():
            archive.writestr(name, text)
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """A buffer that zipfile writes to and the stream takes from. It is not seekable, which zipfile supports."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        self.written += data
        return memoryview(data).nbytes

    def take(self) -> bytes:
        taken = bytes(self.written)
        self.written.clear()
        return taken


def _sheet_pieces(columns: Sequence[str], rows: Iterator[Sequence[Value]]) -> Iterator[tuple[bytes, bool]]:
    """Yield a sheet's XML in pieces, each with whether the sheet is full, so that more rows may follow."""
    buffer = io.StringIO()
    buffer.write(f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" ')
    buffer.write('topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>')
    buffer.write(f"<row>{''.join(_text_cell(column, style=STYLE_HEAD) for column in columns)}</row>")
    row_count = 1
    for row in rows:
        buffer.write(f"<row>{''.join(_xlsx_cell(value) for value in row)}</row>")
        row_count += 1
        if row_count == SHEET_ROWS_MAX:
            break
        if buffer.tell() >= PIECE_BYTES:
            yield _taken(buffer).encode(), False
    buffer.write("</sheetData></worksheet>")
    yield _taken(buffer).encode(), row_count == SHEET_ROWS_MAX


def _xlsx_cell(value: Value) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, str):
        return _text_cell(value)
    if isinstance(value, datetime):
        since = value.replace(tzinfo=None) - DAY_ZERO
        return f'<c s="{STYLE_MOMENT}"><v>{since.days + since.seconds / 86400:.14g}</v></c>'
    if isinstance(value, date):
        return f'<c s="{STYLE_DATE}"><v>{(value - DAY_ZERO.date()).days}</v></c>'
    return f"<c><v>{value}</v></c>"


def _text_cell(text: str, *, style: int = 0) -> str:
    clean = escape(ILLEGAL_CHARACTERS_RE.sub("", text))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{clean}</t></is></c>'


def _frame(title: str, sheet_count: int) -> dict[str, str]:
    """Return the other parts of the workbook, by their names in the archive."""
    numbers = range(1, sheet_count + 1)
    names = [title if number == 1 else f"{title} {number}" for number in numbers]
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{TYPES}.worksheet+xml"/>'
        for number in numbers
    )
    return {
        "xl/styles.xml": STYLES,
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": (
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{relations}<Relationship Id="rId{sheet_count + 1}" '
            f'Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>'
        ),
        "_rels/.rels": (
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "[Content_Types].xml": (
            f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"'
            f'/><Override PartName="/xl/styles.xml" ContentType="{TYPES}.styles+xml"/>{overrides}</Types>'
        ),
    }


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
