"""`manage.py retry`: tries sales again that were settled without being recorded, the morning after a bug."""

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet

from backend.config.transients import is_transient
from backend.sales.models import OutcomeStatus, SaleOutcome
from backend.sales.retrial import TRIABLE, retry_outcome
from backend.shops.models import Device, Shop, Terminal

AUTHOR = "Exploitation"
REASONS = {OutcomeStatus.FAILED: "Reprise après une erreur de notre côté"}
REASON = "Nouvel essai"
LISTED_MAX = 20


class Tried(NamedTuple):
    """One sale to be tried, with what a person knows it by."""

    batch_id: int
    position: int
    terminal_id: int
    shop_id: int
    receipt: UUID
    number: str
    code: str

    @property
    def place(self) -> str:
        return f"{self.receipt}:{self.position}"


class Command(BaseCommand):
    help = (
        "Decides sales again, till by till, each till's in its order: what is recorded takes effect now. Left alone are"
        " sales that are done by then, and those of a shop or till that is paused. Ends with 1 if any could not be"
        " tried. Each sale is named before it is tried: one that kills the command can be left out with --skip."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", required=True, choices=[status.value for status in TRIABLE])
        parser.add_argument("--code", help="only outcomes with this code, such as stock_insuffisant")
        parser.add_argument("--shop", metavar="CODE")
        parser.add_argument("--terminal", metavar="SERIAL", help="the serial of a device of the till")
        parser.add_argument(
            "--since", type=read_moment, metavar="T", help="only outcomes from then on: ISO date or instant, else UTC"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="try no more than the first N")
        parser.add_argument("--skip", action="append", default=[], metavar="RECEIPT:POSITION", help="may be repeated")
        parser.add_argument("--reason", default="", help="for the outcome's history, which the shop can read")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be tried")

    def handle(self, **options: object) -> None:
        chosen = [
            one
            for one in (Tried(*row) for row in self._choose(**options).values_list(*COLUMNS))
            if one.place not in options["skip"]
        ]
        if options["limit"] is not None:
            chosen = chosen[: max(0, options["limit"])]
        if options["dry_run"]:
            self._describe(chosen)
            return
        reason = options["reason"] or REASONS.get(options["status"], REASON)
        not_tried = self._try_all(chosen, before=options["status"], reason=reason)
        if not_tried:
            raise CommandError(f"{not_tried} could not be tried, and stand as they stood.")

    def _choose(
        self,
        *,
        status: str,
        code: str | None,
        shop: str | None,
        terminal: str | None,
        since: datetime | None,
        **_: object,
    ) -> QuerySet[SaleOutcome]:
        outcomes = SaleOutcome.objects.filter(status=status)
        if code is not None:
            outcomes = outcomes.filter(code=code)
        if shop is not None:
            outcomes = outcomes.filter(shop_id=_shop_id(shop))
        if terminal is not None:
            outcomes = outcomes.filter(terminal_id=_terminal_id(terminal))
        if since is not None:
            outcomes = outcomes.filter(at__gte=since)
        return outcomes.order_by("terminal_id", "batch_id", "position")

    def _describe(self, chosen: list[Tried]) -> None:
        """Print how many would be tried, by shop, till and code, and the first of them."""
        shops = Shop.objects.in_bulk({one.shop_id for one in chosen})
        tills = Terminal.objects.in_bulk({one.terminal_id for one in chosen})
        counts = Counter((one.shop_id, one.terminal_id, one.code) for one in chosen)
        for (shop_id, terminal_id, code), count in counts.items():
            self.stdout.write(f"{shops[shop_id].code}\t{tills[terminal_id].name}\t{code}\t{count}")
        for one in chosen[:LISTED_MAX]:
            self.stdout.write(f"  {one.place}\t{one.number}\t{one.code}")
        if len(chosen) > LISTED_MAX:
            self.stdout.write(f"  … and {len(chosen) - LISTED_MAX} more")
        self.stdout.write(f"{len(chosen)} would be tried.")

    def _try_all(self, chosen: list[Tried], *, before: str, reason: str) -> int:
        """Try each, whatever becomes of the others; return how many could not be tried."""
        ends: Counter[str] = Counter()
        not_tried = 0
        for one in chosen:
            self.stdout.write(f"{one.place}\t{one.number}\t{one.code} → ", ending="")
            self.stdout.flush()
            end, was_tried = _try(one, reason)
            self.stdout.write(end)
            ends[end] += 1
            not_tried += not was_tried
        for end, count in ends.most_common():
            self.stdout.write(f"{before} → {end}: {count}")
        self.stdout.write(f"{len(chosen)} in all.")
        return not_tried


COLUMNS = ("batch_id", "position", "terminal_id", "shop_id", "batch__receipt", "number", "code")


def _try(one: Tried, reason: str) -> tuple[str, bool]:
    """Try one sale; return what became of it, and whether it could be tried at all."""
    try:
        retrial = retry_outcome(batch_id=one.batch_id, position=one.position, author=AUTHOR, reason=reason)
    except (OperationalError, InterfaceError) as error:
        if not is_transient(error):
            raise
        return "interrupted by the database", False
    after = f"{retrial.after.status} {retrial.after.code}".strip()
    if retrial.obstacle is None:
        return after, True
    return f"{after} ({retrial.obstacle.value})", not retrial.was_prevented


def read_moment(text: str) -> datetime:
    """Return an ISO date or time as an instant; without an offset it is UTC's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no ISO date or time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shop_id(code: str) -> int:
    try:
        return Shop.objects.get(code=code).pk
    except Shop.DoesNotExist as error:
        raise CommandError(f"No shop has the code {code}") from error


def _terminal_id(serial: str) -> int:
    try:
        return Device.objects.get(serial=serial).terminal_id
    except Device.DoesNotExist as error:
        raise CommandError(f"No device has the serial {serial}") from error
