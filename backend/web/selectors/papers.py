"""The printed content of a document, the same for the page, the A4 sheet and the receipt roll."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backend.sales.errors import reason_of
from backend.sales.models import MoneyMovement, Sale, SaleKind, SaleLine
from backend.sales.money.owed import owed_for
from backend.sales.money.vat import vat_parts
from backend.sentences import reader_language
from backend.shops.models import Shop
from backend.web.formats import money, quantity
from backend.web.selectors.sales import SaleView
from backend.web.wording.sales import moved_in
from backend.web.wording.tills import till_name

FISCAL_FIELDS_MAX = 20
FISCAL_LETTERS_MAX = 200
Pair = tuple[str, str]


@dataclass(frozen=True)
class PaperLine:
    name: str
    quantity: str
    price: str
    discount: str
    total: str


@dataclass(frozen=True)
class VatRow:
    rate: str
    net: str
    tax: str
    gross: str


@dataclass(frozen=True)
class Paper:
    """A document as it is printed. Empty fields are left out."""

    title: str
    number: str
    shop_name: str
    identity: list[str]
    facts: list[Pair]
    lines: list[PaperLine]
    sums: list[Pair]
    total: str
    vat: list[VatRow]
    payments: list[Pair]
    owed: str
    stamp: str
    remarks: list[str]
    fiscal: list[Pair] = field(default_factory=list)


def paper_of(view: SaleView) -> Paper:
    """Return the paper of a sale, void, return or payment, in the active time zone."""
    sale, shop = view.sale, view.sale.shop
    fiscal = list(fiscal_fields(sale.fiscal))
    parts = vat_parts(lines=[(line.vat_rate, line.total) for line in view.lines], total=sale.total)

    def amount(value: Decimal) -> str:
        return money(value, sale.currency)

    vat = [
        VatRow(_("TVA %(rate)s %%") % {"rate": quantity(part.rate)}, *map(amount, (part.net, part.tax, part.gross)))
        for part in parts
    ]
    if len(parts) > 1:
        sums = [sum((getattr(part, name) for part in parts), Decimal(0)) for name in ("net", "tax", "gross")]
        vat.append(VatRow(_("Total"), *map(amount, sums)))
    return Paper(
        title=_title(sale),
        number=sale.registration_number,
        shop_name=shop.legal_name or shop.name,
        identity=list(_identity(shop)),
        facts=list(_facts(sale)),
        lines=[_line(line, sale) for line in view.lines],
        sums=list(_sums(view)),
        total=amount(sale.total),
        vat=vat,
        payments=list(_payments(view)),
        owed=_owed(view),
        stamp=_("ANNULÉE") if sale.voided_at else "",
        remarks=list(_remarks(view, has_fiscal=bool(fiscal))),
        fiscal=fiscal,
    )


def _title(sale: Sale) -> str:
    return {
        SaleKind.SALE: _("Facture"),
        SaleKind.VOID: _("Annulation"),
        SaleKind.RETURN: _("Retour"),
        SaleKind.PAYMENT: _("Reçu de paiement"),
    }[SaleKind(sale.kind)]


def _identity(shop: Shop) -> Iterator[str]:
    if shop.legal_name and shop.legal_name != shop.name:
        yield shop.name
    if shop.address:
        yield shop.address
    named = [
        (_("Tél."), shop.phone), (_("NIF"), shop.nif), (_("RCCM"), shop.rccm), (_("Id. nat."), shop.id_nat),
        (_("Régime de TVA"), shop.vat_regime),
    ]  # fmt: skip
    for name, value in named:
        if value:
            yield _("%(name)s : %(value)s") % {"name": name, "value": value}


def _facts(sale: Sale) -> Iterator[Pair]:
    yield _("N° d'enregistrement"), sale.registration_number
    yield _("N° de la caisse"), str(sale)
    at = timezone.localtime(sale.sold_at or sale.received_at)
    yield _("Date"), f"{date_format(at, 'j F Y')}, {at:%H:%M}"
    if at.date() != sale.business_day:
        yield _("Comptée le"), date_format(sale.business_day, "j F Y")
    if sale.origin:
        yield _("Porte sur"), f"{sale.origin.registration_number} ({sale.origin})"
    named = [
        (_("Caisse"), till_name(sale.terminal.name)), (_("Caissier"), sale.cashier_name or sale.cashier_code),
        (_("Client"), sale.customer_name), (_("Téléphone du client"), sale.customer_phone),
        (_("NIF du client"), sale.customer_nif), (_("Motif"), reason_of(sale, reader_language())),
    ]  # fmt: skip
    yield from ((name, value) for name, value in named if value)


def _line(line: SaleLine, sale: Sale) -> PaperLine:
    return PaperLine(
        name=f"{line.article_name} {line.unit_mark}".strip(),
        quantity=quantity(line.quantity),
        price=money(line.unit_price, sale.currency),
        discount=money(line.discount, sale.currency) if line.discount else "",
        total=money(line.total, sale.currency),
    )


def _sums(view: SaleView) -> Iterator[Pair]:
    """Yield the steps from the lines' sum to the total; nothing if they are equal."""
    gross = sum((line.total for line in view.lines), Decimal(0))
    if view.lines and gross != view.sale.total:
        yield _("Somme des lignes"), money(gross, view.sale.currency)
        yield _("Remise"), money(gross - view.sale.total, view.sale.currency)


def _payments(view: SaleView) -> Iterator[Pair]:
    """Yield the money of a document, and for a sale also later payments and returns."""
    sale = view.sale
    for move in view.money:
        yield moved_in(move.kind, move.mode, is_correction=view.is_correction), _moved(move, sale)
    if view.differs:
        yield _("Rendu en tout") if view.gives_back else _("Reçu en tout"), money(view.moved, sale.currency)
    if sale.kind != SaleKind.SALE:
        return
    for follower in view.followers:
        if follower.kind in (SaleKind.PAYMENT, SaleKind.RETURN):
            words = _("Paiement du %(day)s") if follower.kind == SaleKind.PAYMENT else _("Retour du %(day)s")
            day = date_format(follower.business_day, "j F Y")
            yield words % {"day": day}, money(follower.total, follower.currency)


def _moved(move: MoneyMovement, sale: Sale) -> str:
    """Return the amount without a sign: its name says which way it went."""
    words = money(abs(move.amount), move.currency)
    if move.currency == sale.currency:
        return words
    return _("%(amount)s (taux %(rate)s)") % {"amount": words, "rate": quantity(move.rate)}


def _owed(view: SaleView) -> str:
    """Return what is owed today for the sale, or for the sale that this document follows."""
    sale = view.sale
    if sale.kind == SaleKind.SALE:
        return money(view.owed, sale.currency) if not sale.is_paid and not sale.voided_at else ""
    if sale.origin and not sale.origin.is_paid and not sale.origin.voided_at:
        return money(owed_for(sale.origin), sale.currency)
    return ""


def _remarks(view: SaleView, *, has_fiscal: bool) -> Iterator[str]:
    if view.voiding:
        day = date_format(view.voiding.business_day, "j F Y")
        words = _("Annulée le %(day)s par le document %(number)s.")
        yield words % {"day": day, "number": view.voiding.registration_number}
    if not has_fiscal:
        yield _("Ce document n'est pas une facture normalisée.")


def fiscal_fields(fiscal: object) -> Iterator[Pair]:
    """Yield the fields of a certified fiscal device as received; empty ones are left out."""
    if not isinstance(fiscal, dict):
        return
    for name, value in list(fiscal.items())[:FISCAL_FIELDS_MAX]:
        if value not in (None, "", [], {}):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield str(name)[:FISCAL_LETTERS_MAX], text[:FISCAL_LETTERS_MAX]
