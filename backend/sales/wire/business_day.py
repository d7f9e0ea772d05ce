"""The day a document counts for: the till's own day where it is plausible, else the day it arrived. Pure."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from backend.sales.errors import FieldInvalid, Reason

DATE_LENGTH_MAX = 64
YEAR_MIN, YEAR_MAX = 2000, 2100
PAST_DAYS_MAX = 40
FUTURE_DAYS_MAX = 1

_DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR = re.compile(r"(\d{4,6})-\d{2}-\d{2}")


def read_till_clock(text: str) -> datetime | date | None:
    """Return a till's `date_vente` as an instant (aware or not) or a date alone; None for an impossible year.

    A till that lost its clock writes year 1 or 1970 and must still be able to sell. Raises FieldInvalid for a text that
    is not a date.
    """
    if len(text) > DATE_LENGTH_MAX:
        raise FieldInvalid("date_vente", Reason.DATE_UNREADABLE())
    year = _YEAR.match(text)
    if year and not YEAR_MIN <= int(year[1]) <= YEAR_MAX:
        return None
    try:
        if _DATE_ONLY.fullmatch(text):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FieldInvalid("date_vente", Reason.DATE_UNREADABLE()) from error
    return moment if YEAR_MIN <= moment.year <= YEAR_MAX else None


def locate_sale(
    sold: datetime | date | None, *, was_sent: bool, zone: ZoneInfo
) -> tuple[datetime | None, date | None, list[str]]:
    """Return (instant, day in the shop's timezone, warnings) for the time on the till's clock."""
    if sold is None:
        return None, None, ["horloge" if was_sent else "sans_heure"]
    if not isinstance(sold, datetime):
        return None, sold, ["sans_heure"]
    if sold.tzinfo is None:
        return sold.replace(tzinfo=zone), sold.date(), ["heure_sans_fuseau"]
    return sold, sold.astimezone(zone).date(), []


def business_day(
    sold_day: date | None, *, arrival_day: date, is_closed: Callable[[date], bool]
) -> tuple[date, list[str]]:
    """Return the day that a document counts for, and the warnings that explain it.

    The till's day if it lies between PAST_DAYS_MAX before and FUTURE_DAYS_MAX after arrival and its month is open; else
    the day of arrival; else, when that month has been closed meanwhile, the first day of the next open month.
    Nothing here asks what day it is now, so a retry gives the same day.
    """
    warnings: list[str] = []
    day = sold_day or arrival_day
    if not timedelta(days=-PAST_DAYS_MAX) <= day - arrival_day <= timedelta(days=FUTURE_DAYS_MAX):
        day = arrival_day
        warnings.append("horloge")
    if is_closed(day):
        warnings.append("mois_clos")
        day = arrival_day
    while is_closed(day):
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day, warnings
