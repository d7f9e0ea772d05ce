"""`manage.py close_month --shop BTQ-009 2024-10`: closes the month's register for good."""

import re
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from backend.sales.days.month_closing import MonthAlreadyClosed, MonthNotOver, close_month
from backend.shops.models import Shop

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class Command(BaseCommand):
    help = (
        "Closes a month of a shop, once it has ended there. Documents of that month that arrive later get a number of "
        "an open month, with the warning mois_clos. A closed month cannot be opened again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", metavar="YYYY-MM")
        parser.add_argument("--shop", metavar="CODE", required=True)
        parser.add_argument(
            "--by", metavar="NAME", default="manage.py close_month", help="who closes it, for the books"
        )

    def handle(self, *, month: str, shop: str, by: str, **options: object) -> None:
        found = _MONTH.fullmatch(month)
        if not found:
            raise CommandError(f"{month} is not a month: write YYYY-MM")
        try:
            closed = close_month(shop=self._shop(shop), year=int(found[1]), month=int(found[2]), author=by)
        except (MonthNotOver, MonthAlreadyClosed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{month} of {shop} is closed with {closed.last_number} documents.")

    def _shop(self, code: str) -> Shop:
        try:
            return Shop.objects.get(code=code)
        except Shop.DoesNotExist as error:
            raise CommandError(f"No shop has the code {code}") from error
