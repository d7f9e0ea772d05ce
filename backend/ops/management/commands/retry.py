"""`manage.py retry`: tries again sales that were settled without being recorded, as after a bug is fixed."""

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from backend.ops.lookup import find_shop, find_terminal
from backend.ops.retries import Chosen, Trial, choose, outcomes_with, reason_for, try_again
from backend.sales.errors import Phrase
from backend.sales.models import SaleOutcome
from backend.sales.repair.retry import TRIABLE
from backend.shops.models import Shop, Terminal

AUTHOR = "Exploitation"
LISTED_MAX = 20


class Command(BaseCommand):
    help = (
        "Decides sales again, till by till, in each till's order. A sale that is recorded takes effect now. Sales that"
        " are settled meanwhile, and those of a paused shop or till, are left alone. Exits with 1 if any could not be"
        " tried. Each sale is named before it is tried, so that one that kills the command can be left out with --skip."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", required=True, choices=[status.value for status in TRIABLE])
        parser.add_argument("--code", help="only outcomes with this code, such as stock_insuffisant")
        parser.add_argument("--shop", metavar="CODE")
        parser.add_argument("--terminal", metavar="SERIAL", help="the serial of a device of the till")
        parser.add_argument(
            "--since",
            type=read_moment,
            metavar="T",
            help="only outcomes since T: an ISO date or time, in UTC by default",
        )
        parser.add_argument("--limit", type=int, metavar="N", help="try no more than the first N")
        parser.add_argument("--skip", action="append", default=[], metavar="RECEIPT:POSITION", help="may be repeated")
        parser.add_argument("--reason", default="", help="for the outcome's history, which the shop can read")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be tried")

    def handle(self, **options: Any) -> None:
        chosen = [one for one in choose(self._outcomes(**options)) if one.place not in options["skip"]]
        if options["limit"] is not None:
            chosen = chosen[: max(0, options["limit"])]
        if options["dry_run"]:
            self._describe(chosen)
            return
        reason = options["reason"] or reason_for(options["status"])
        not_tried = self._try_all(chosen, before=options["status"], reason=reason)
        if not_tried:
            raise CommandError(f"{not_tried} could not be tried, and are unchanged.")

    def _outcomes(
        self,
        *,
        status: str,
        code: str | None,
        shop: str | None,
        terminal: str | None,
        since: datetime | None,
        **_: object,
    ) -> QuerySet[SaleOutcome]:
        return outcomes_with(
            status=status,
            code=code,
            shop=None if shop is None else find_shop(shop),
            terminal=None if terminal is None else find_terminal(terminal),
            since=since,
        )

    def _describe(self, chosen: list[Chosen]) -> None:
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

    def _try_all(self, chosen: list[Chosen], *, before: str, reason: str | Phrase) -> int:
        """Try each sale, whether or not the others succeed; return how many could not be tried."""
        ends: Counter[str] = Counter()
        not_tried = 0
        for one in chosen:
            self.stdout.write(f"{one.place}\t{one.number}\t{one.code} → ", ending="")
            self.stdout.flush()
            trial = try_again(one, author=AUTHOR, reason=reason)
            end = _describe_trial(trial)
            self.stdout.write(end)
            ends[end] += 1
            not_tried += trial.was_prevented
        for end, count in ends.most_common():
            self.stdout.write(f"{before} → {end}: {count}")
        self.stdout.write(f"{len(chosen)} in all.")
        return not_tried


def _describe_trial(trial: Trial) -> str:
    if trial.after is None:
        return trial.obstacle
    after = f"{trial.after.status} {trial.after.code}".strip()
    return f"{after} ({trial.obstacle})" if trial.obstacle else after


def read_moment(text: str) -> datetime:
    """Return an ISO date or time as an instant, in UTC if it has no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is not an ISO date or time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
