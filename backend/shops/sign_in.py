"""How often a password may be guessed: counted in the database, so that every process counts the same."""

from datetime import UTC, datetime, timedelta

import structlog

from backend.db.transients import retrying
from backend.shops.enrolment import source_of
from backend.shops.models import SignInFailure

log = structlog.get_logger("caisse.sign_in")

FAILURES_KEPT = timedelta(minutes=15)
# Of one name from one address; a stranger elsewhere cannot lock the owner out…
FAILURES_OF_NAME_HERE_MAX = 10
# …but many addresses together do not guess without end either.
FAILURES_OF_NAME_MAX = 100
# One address that tries many names. A market behind one line has many honest ones.
FAILURES_OF_SOURCE_MAX = 60
NAME_LENGTH_MAX = 64


def is_guessing(*, name: str, address: str | None) -> bool:
    """Tell whether so many wrong passwords came lately that not even a right one is heard."""
    recent = SignInFailure.objects.filter(at__gt=datetime.now(UTC) - FAILURES_KEPT)
    source, name = source_of(address), _cut(name)
    return (
        recent.filter(name=name, source=source).count() >= FAILURES_OF_NAME_HERE_MAX
        or recent.filter(name=name).count() >= FAILURES_OF_NAME_MAX
        or recent.filter(source=source).count() >= FAILURES_OF_SOURCE_MAX
    )


def note_failure(*, name: str, address: str | None) -> None:
    """Count a wrong password, and forget those that count no more."""
    # Not the name: people type a password there too.
    log.warning("sign_in_failed", source=source_of(address))

    def note() -> None:
        now = datetime.now(UTC)
        SignInFailure.objects.create(name=_cut(name), source=source_of(address), at=now)
        SignInFailure.objects.filter(at__lte=now - FAILURES_KEPT).delete()

    retrying(note, name="note_sign_in_failure")


def forget_failures(*, name: str, address: str | None) -> None:
    """Start anew for a name at an address: its person has come in."""
    SignInFailure.objects.filter(name=_cut(name), source=source_of(address)).delete()


def _cut(name: str) -> str:
    return name[:NAME_LENGTH_MAX]
