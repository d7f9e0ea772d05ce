"""Headers and query parameters, read strictly: a wrong value is refused with a 400 that says what is expected."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rest_framework.request import Request

from backend.api.problems import Problem
from backend.db.change_cursors import ChangeCursor, CursorInvalid

KEY_LENGTH_MAX = 200
WHOLE_NUMBER_MAX = 2**63 - 1
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
# Years 1000 to 2999: every database stores them, and the days before and after exist in every timezone.
_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if len(key) > KEY_LENGTH_MAX or not _KEY.fullmatch(key):
        raise Problem("parametre_invalide", f"Idempotency-Key : 1 à {KEY_LENGTH_MAX} caractères ASCII visibles")
    return key


def whole_number(request: Request, name: str, *, minimum: int, maximum: int = WHOLE_NUMBER_MAX) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or not minimum <= int(text) <= maximum:
        bounds = f"à partir de {minimum}" if maximum == WHOLE_NUMBER_MAX else f"de {minimum} à {maximum}"
        raise Problem("parametre_invalide", f"{name} : un nombre entier {bounds} est attendu")
    return int(text)


def flag(request: Request, name: str, *, default: bool) -> bool:
    text = request.query_params.get(name)
    if text is None:
        return default
    if text not in ("0", "1"):
        raise Problem("parametre_invalide", f"{name} : 0 ou 1 est attendu")
    return text == "1"


def change_cursor(request: Request, name: str, *, key_length: int) -> ChangeCursor | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return ChangeCursor.from_text(text, key_length=key_length)
    except CursorInvalid as error:
        raise bad_cursor(name) from error


def bad_cursor(name: str) -> Problem:
    return Problem("parametre_invalide", f"{name} : un curseur donné par une réponse de cet appel est attendu")


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin` on and before `end`; None where a side is open."""

    begin: datetime | None
    end: datetime | None


def period(request: Request, begin_name: str, end_name: str, *, zone: ZoneInfo) -> Period:
    """Return the period between two parameters, both included. A date means the whole day in `zone`."""
    first, last = _bounds(request, begin_name, zone), _bounds(request, end_name, zone)
    if first and last and first[0] >= last[1]:
        raise Problem("parametre_invalide", f"{begin_name} : {end_name} ou avant est attendu")
    return Period(first[0] if first else None, last[1] if last else None)


def _bounds(request: Request, name: str, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Return the begin and the end of the day or instant that a parameter names."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        if _INSTANT.fullmatch(text):
            instant = datetime.fromisoformat(text).astimezone(UTC)
            return instant, instant + datetime.resolution
    except ValueError:
        # The format is right, but there is no such day or hour.
        pass
    expected = "une date AAAA-MM-JJ, ou un instant ISO 8601 avec son décalage (+ s'écrit %2B), est attendu"
    raise Problem("parametre_invalide", f"{name} : {expected}")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of the day; where clocks skip midnight, the instant of the skip."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
