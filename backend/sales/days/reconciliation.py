"""Reconciliation of a till's day: its list, its sums and its drawer, compared with what is recorded.

Documents are matched by the till's own day (`Sale.till_day`); a listed number is found whatever its day.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Q, QuerySet

from backend.sales.days.answers import DIFFERENT, EQUAL, SUMS_EQUAL, Comparaison, Difference, Rapprochement
from backend.sales.days.day_report import NUMBERS_MAX, DayReport
from backend.sales.days.drawers import compare_drawer, compare_sums, write_sums
from backend.sales.models import MoneyMovement, OutcomeStatus, Sale, SaleOutcome, TillClosing
from backend.sales.money.takings import drawer_sums
from backend.sales.receipts.answers import NO_NUMBER
from backend.sales.receipts.status_lookup import pending_named
from backend.sales.repair.open_entries import open_entries
from backend.sales.wire.fields import written
from backend.shops.models import Device, Terminal
from backend.shops.terminals import shop_of

# How many numbers one query asks for.
CHUNK = 1000


class Lists(msgspec.Struct):
    """The result of the comparison by number, in the order of the till's list, or of the server's documents."""

    manquantes: list[str] = []
    en_trop: list[str] = []
    differentes: list[Difference] = []
    en_attente: list[str] = []
    a_corriger: list[str] = []


@dataclass(frozen=True, slots=True)
class Document:
    number: str
    total: Decimal
    till_day: date


@dataclass(frozen=True, slots=True)
class _Known:
    """What else is known of the listed numbers, beside their documents."""

    waiting: set[str]
    refused: dict[str, set[str]]
    to_correct: frozenset[str]


def reconcile(
    *, terminal: Terminal, device: Device | None, report: DayReport, said: dict[str, Any], now: datetime
) -> Rapprochement:
    """Compare, store the request and the answer as a TillClosing, and return the answer.

    device: the till's device that called; None where a person closes the day. said: the request as it is to be stored.
    Every call is stored, repeats too: they show what the till reported when.
    The result is `ecart` if anything differs, is missing, waits or is to be corrected; otherwise `egal` if a list was
    given, `sommes_egales` if only sums or a drawer were.
    """
    shop = shop_of(terminal)
    own = {"terminal_id": terminal.pk, "shop_id": shop.pk}
    lists = _compare_lists(own, terminal, report)
    movements = MoneyMovement.objects.filter(**own, till_day=report.day)
    net = drawer_sums(movements).net()
    drawer = compare_drawer(movements, report.drawer, currency=shop.currency) if report.drawer else []
    differs = any(msgspec.structs.asdict(lists).values()) or (
        report.sums is not None and not compare_sums(report.sums, net)
    )
    differs = differs or any(line.ecart for line in drawer)
    equal = EQUAL if report.listed is not None else SUMS_EQUAL
    answer = Comparaison(
        jour=report.day.isoformat(),
        resultat=DIFFERENT if differs else equal,
        **msgspec.structs.asdict(lists),
        totaux=write_sums(net, currency=shop.currency),
        caisse=drawer,
    )
    closing = TillClosing.objects.create(
        **own,
        device_id=device.pk if device else None,
        day=report.day,
        cashier=report.drawer.cashier if report.drawer else "",
        result=answer.resultat,
        said=said,
        answered=msgspec.to_builtins(answer),
        at=now,
    )
    return Rapprochement(**msgspec.structs.asdict(answer), rapprochement=closing.pk)


def _compare_lists(own: dict[str, int], terminal: Terminal, report: DayReport) -> Lists:
    """Read what waits first, then what was refused, then the documents: a sale that moves on meanwhile is found in a
    later read, and is never missed by all three."""
    listed = report.listed or []
    numbers = list(dict.fromkeys(number for number, _ in listed))
    waiting = {number for number, *_ in pending_named(own, set(numbers))} if numbers else set()
    refused = _refused(own, numbers)
    to_correct = _to_correct(own, terminal, report.day, numbers)
    lists = Lists(a_corriger=to_correct[:NUMBERS_MAX])
    if report.listed is not None:
        left = _Documents(own, report.day, numbers)
        known = _Known(waiting, refused, frozenset(to_correct))
        for number, amount in listed:
            if not left.take(number, amount):
                _place(lists, number, amount, left, known)
        lists.en_trop = left.of_day(report.day)[:NUMBERS_MAX]
    for name in ("manquantes", "en_attente", "en_trop"):
        setattr(lists, name, list(dict.fromkeys(getattr(lists, name))))
    return lists


def _place(lists: Lists, number: str, amount: Decimal, left: "_Documents", known: "_Known") -> None:
    """Put a listed number that has no document of that amount into the list that it belongs to."""
    statuses = known.refused.get(number, set())
    if number in known.waiting or OutcomeStatus.DEFERRED in statuses:
        lists.en_attente.append(number)
    elif (other := left.take_any(number)) is not None:
        lists.differentes.append(_difference(number, amount, other))
    elif number in known.to_correct:
        # It is in that list already.
        return
    elif OutcomeStatus.SET_ASIDE in statuses:
        # The till sold it, and the shop decided that it does not count.
        lists.differentes.append(_difference(number, amount, Decimal(0)))
    else:
        lists.manquantes.append(number)


def _difference(number: str, said: Decimal, recorded: Decimal) -> Difference:
    return Difference(numero_facture=number, montant_caisse=written(said), montant_serveur=written(recorded))


def _refused(own: dict[str, int], numbers: list[str]) -> dict[str, set[str]]:
    """Return, by number, the statuses of its outcomes that are deferred or set aside."""
    found: dict[str, set[str]] = defaultdict(set)
    kept = SaleOutcome.objects.filter(**own, status__in=(OutcomeStatus.DEFERRED, OutcomeStatus.SET_ASIDE))
    for chunk in _chunks(numbers):
        for number, status in kept.filter(number__in=chunk).values_list("number", "status"):
            found[number].add(status)
    return found


def _to_correct(own: dict[str, int], terminal: Terminal, day: date, numbers: list[str]) -> list[str]:
    """Return the numbers with an open entry: first those listed, then those of the day.

    A refused sale counts for the day on which it arrived; an unreadable one has no business day at all.
    """
    entries = open_entries(**own)
    found = set()
    for chunk in _chunks(numbers):
        found |= set(entries.filter(number__in=chunk).values_list("number", flat=True))
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(shop_of(terminal).timezone))
    arrived = Q(batch__received_at__gte=midnight, batch__received_at__lt=midnight + timedelta(days=1))
    of_day = entries.filter(Q(business_day=day) | Q(business_day=None) & arrived).order_by("batch_id", "position")
    others = [number or NO_NUMBER for number in of_day.values_list("number", flat=True)[:NUMBERS_MAX]]
    return list(dict.fromkeys([number for number in numbers if number in found] + others))


def _chunks(numbers: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]


class _Documents:
    """The documents of the day and those under the listed numbers. Each entry of the till's list takes its document.

    One number may have several documents (variants): an entry takes the document of its amount. If the same entry is
    listed again, it takes the next such document or, if there is none, counts as one with the first.
    """

    def __init__(self, own: dict[str, int], day: date, numbers: list[str]) -> None:
        rows = dict(_rows(Sale.objects.filter(**own, till_day=day)))
        for chunk in _chunks(numbers):
            rows.update(_rows(Sale.objects.filter(**own, number__in=chunk)))
        self._by_number: dict[str, list[Document]] = defaultdict(list)
        for _, document in sorted(rows.items()):
            self._by_number[document.number].append(document)
        self._taken: set[tuple[str, Decimal]] = set()

    def take(self, number: str, amount: Decimal) -> bool:
        """Take a document of this number and amount; return whether there is one, or the same entry took one before."""
        for document in self._by_number.get(number, []):
            if document.total == amount:
                self._by_number[number].remove(document)
                self._taken.add((number, amount))
                return True
        return (number, amount) in self._taken

    def take_any(self, number: str) -> Decimal | None:
        documents = self._by_number.get(number, [])
        return documents.pop(0).total if documents else None

    def of_day(self, day: date) -> list[str]:
        left = (document for documents in self._by_number.values() for document in documents)
        return [document.number for document in left if document.till_day == day]


def _rows(documents: QuerySet[Sale]) -> Iterator[tuple[int, Document]]:
    for pk, number, total, till_day in documents.values_list("pk", "number", "total", "till_day"):
        yield pk, Document(number, total, till_day)
