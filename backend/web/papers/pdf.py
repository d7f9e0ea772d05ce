"""Writes a paper as PDF: on A4 sheets, or on an 80 mm receipt roll of the needed length."""

import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from backend.web.papers import fonts
from backend.web.papers.fonts import BOLD, PLAIN, printable
from backend.web.selectors.papers import Pair, Paper

ROLL_WIDTH = 80 * mm
ROLL_MARGIN = 4 * mm
# A printer's driver may cut this much off the end of a roll.
ROLL_TAIL = 8 * mm
GREY = colors.Color(0.35, 0.35, 0.35)
STAMP = colors.Color(0.75, 0.1, 0.05, alpha=0.35)


@dataclass(frozen=True)
class Sheet:
    """A size of paper in points, with the font's size. On a roll, lines are printed without columns."""

    name: str
    width: float
    margin: float
    letter: float
    is_roll: bool

    @property
    def room(self) -> float:
        return self.width - 2 * self.margin

    def style(self, *, bold: bool = False, scale: float = 1, align: int = 0, **more: Any) -> ParagraphStyle:
        size = self.letter * scale
        look: dict[str, Any] = {
            "fontName": BOLD if bold else PLAIN,
            "fontSize": size,
            "leading": size * 1.3,
            "alignment": align,
        }
        return ParagraphStyle("words", **look, splitLongWords=1, **more)


SHEETS = {
    "a4": Sheet("a4", width=A4[0], margin=18 * mm, letter=9, is_roll=False),
    "80mm": Sheet("80mm", width=ROLL_WIDTH, margin=ROLL_MARGIN, letter=7.5, is_roll=True),
}


def write_pdf(paper: Paper, sheet: Sheet) -> bytes:
    """Return the paper as a PDF file. Letters that the font lacks are replaced (see fonts)."""
    fonts.letters()
    flowables = list(story(paper, sheet))
    buffer = io.BytesIO()
    height = _height(flowables, sheet) if sheet.is_roll else A4[1]
    document = SimpleDocTemplate(
        buffer,
        pagesize=(sheet.width, height),
        leftMargin=sheet.margin - 6,  # reportlab's frame adds 6 points on each side
        rightMargin=sheet.margin - 6,
        topMargin=sheet.margin,
        bottomMargin=sheet.margin,
        title=printable(f"{paper.title} {paper.number}"),
        author=printable(paper.shop_name),
        lang="fr",
    )

    def decorate(canvas: Canvas, template: SimpleDocTemplate) -> None:
        _decorate(canvas, paper, sheet, height=height, page=template.page)

    document.build(flowables, onFirstPage=decorate, onLaterPages=decorate)
    return buffer.getvalue()


def story(paper: Paper, sheet: Sheet) -> Iterator[Flowable]:
    """Yield the content of the paper, from top to bottom."""
    heading = TA_CENTER if sheet.is_roll else 0
    yield _words(paper.shop_name, sheet.style(bold=True, scale=1.5, align=heading))
    for words in paper.identity:
        yield _words(words, sheet.style(align=heading, textColor=GREY))
    yield Spacer(0, 3 * mm)
    yield _words(f"{paper.title} {paper.number}", sheet.style(bold=True, scale=1.25, align=heading))
    if paper.stamp:
        yield _words(paper.stamp, sheet.style(bold=True, scale=1.6, align=heading, textColor=colors.Color(0.7, 0, 0)))
    yield Spacer(0, 2 * mm)
    yield _pairs(paper.facts, sheet, is_facts=True)
    yield Spacer(0, 3 * mm)
    if paper.lines:
        yield from _roll_lines(paper, sheet) if sheet.is_roll else [_table_of_lines(paper, sheet)]
        yield Spacer(0, 2 * mm)
    if paper.sums:
        yield _pairs(paper.sums, sheet)
    yield _pairs([(_("Total TTC") if paper.vat else _("Total"), paper.total)], sheet, bold=True, scale=1.3)
    if paper.vat:
        yield Spacer(0, 2 * mm)
        yield _vat_table(paper, sheet)
    if paper.payments or paper.owed:
        yield Spacer(0, 3 * mm)
        yield _pairs(paper.payments + ([(_("Reste dû"), paper.owed)] if paper.owed else []), sheet)
    yield from _foot(paper, sheet)


def _foot(paper: Paper, sheet: Sheet) -> Iterator[Flowable]:
    yield Spacer(0, 4 * mm)
    if paper.fiscal:
        yield _words(_("Données fiscales de l'appareil certifié, telles que reçues"), sheet.style(bold=True))
        yield _pairs(paper.fiscal, sheet, is_facts=True)
    remarks = [*paper.remarks]
    if not all(fonts.is_printed_whole(text) for text in _texts(paper)):
        remarks.append(_("« ? » remplace une lettre que cette imprimerie n'a pas."))
    for words in remarks:
        yield _words(words, sheet.style(align=TA_CENTER if sheet.is_roll else 0))


def _texts(paper: Paper) -> Iterator[str]:
    yield from (paper.shop_name, *paper.identity, *(line.name for line in paper.lines))
    for name, value in (*paper.facts, *paper.fiscal):
        yield from (name, value)


def _words(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(printable(text)), style)


def _pairs(
    pairs: list[Pair], sheet: Sheet, *, is_facts: bool = False, bold: bool = False, scale: float = 1
) -> Flowable:
    """Return a table of two columns: names and facts, or names and right-aligned amounts."""
    names = sheet.style(textColor=GREY) if is_facts else sheet.style(bold=bold, scale=scale)
    values = sheet.style(bold=bold, scale=scale, align=0 if is_facts else TA_RIGHT)
    width = sheet.room
    left = 0.42 if sheet.is_roll else (0.24 if is_facts else 0.75)
    rows = [[_words(name, names), _words(value, values)] for name, value in pairs]
    return Table(rows, colWidths=[width * left, width * (1 - left)], style=_tight(), hAlign="LEFT")


def _table_of_lines(paper: Paper, sheet: Sheet) -> Flowable:
    head, amount, name = sheet.style(bold=True), sheet.style(align=TA_RIGHT), sheet.style()
    head_right = sheet.style(bold=True, align=TA_RIGHT)
    titles = (_("Article"), _("Quantité"), _("Prix unitaire"), _("Remise"), _("Montant"))
    rows = [[_words(title, head if index == 0 else head_right) for index, title in enumerate(titles)]]
    rows += [
        [_words(text, name if index == 0 else amount) for index, text in enumerate(astuple(line))]
        for line in paper.lines
    ]
    shares = (0.36, 0.12, 0.18, 0.15, 0.19)
    look = TableStyle([
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, colors.lightgrey),
    ])  # fmt: skip
    return Table(rows, colWidths=[sheet.room * share for share in shares], style=look, repeatRows=1, hAlign="LEFT")


def _roll_lines(paper: Paper, sheet: Sheet) -> Iterator[Flowable]:
    yield HRFlowable(width=sheet.room, thickness=0.6, color=colors.black, hAlign="LEFT")
    for line in paper.lines:
        yield _words(line.name, sheet.style(bold=True))
        detail = f"{line.quantity} × {line.price}"
        if line.discount:
            detail = _("%(detail)s, remise %(discount)s") % {"detail": detail, "discount": line.discount}
        widths = [sheet.room * 0.62, sheet.room * 0.38]
        row = [[_words(detail, sheet.style()), _words(line.total, sheet.style(align=TA_RIGHT))]]
        yield Table(row, colWidths=widths, style=_tight(), hAlign="LEFT")
    yield HRFlowable(width=sheet.room, thickness=0.6, color=colors.black, hAlign="LEFT")


def _vat_table(paper: Paper, sheet: Sheet) -> Flowable:
    small = 0.85 if sheet.is_roll else 1
    left, right = sheet.style(scale=small), sheet.style(scale=small, align=TA_RIGHT)
    rows = [[_words(text, left if index == 0 else right) for index, text in enumerate(row)]
            for row in (("", _("HT"), _("TVA"), _("TTC")), *(astuple(row) for row in paper.vat))]  # fmt: skip
    shares = (0.22, 0.26, 0.24, 0.28)
    return Table(rows, colWidths=[sheet.room * share for share in shares], style=_tight(), hAlign="LEFT")


def _tight() -> TableStyle:
    return TableStyle([
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5),
    ])  # fmt: skip


def _height(flowables: list[Flowable], sheet: Sheet) -> float:
    """Return the length that the roll needs. The document lays the flowables out again."""
    needed = sum(part.wrap(sheet.room, 100_000)[1] + part.getSpaceBefore() + part.getSpaceAfter() for part in flowables)
    return needed + 2 * sheet.margin + ROLL_TAIL


def _decorate(canvas: Canvas, paper: Paper, sheet: Sheet, *, height: float, page: int) -> None:
    canvas.saveState()
    if paper.stamp:
        canvas.setFillColor(STAMP)
        canvas.setFont(BOLD, 26 if sheet.is_roll else 72)
        canvas.translate(sheet.width / 2, height / 2)
        canvas.rotate(40)
        canvas.drawCentredString(0, 0, printable(paper.stamp))
    elif not sheet.is_roll:
        canvas.setFillColor(GREY)
        canvas.setFont(PLAIN, 7)
        canvas.drawRightString(sheet.width - sheet.margin, 10 * mm, printable(f"{paper.number} · {page}"))
    canvas.restoreState()
