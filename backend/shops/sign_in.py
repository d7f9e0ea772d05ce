"""Limits on guessing passwords, counted in the database, which all processes share."""

from datetime import UTC, datetime, timedelta

import structlog

from backend.db.transients import retrying
from backend.shops.enrolment import source_of
from backend.shops.models import SignInFailure

log = structlog.get_logger("caisse.sign_in")

FAILURES_KEPT = timedelta(minutes=15)
# For one name from one address, so that a stranger at another address cannot lock the owner out.
FAILURES_OF_NAME_HERE_MAX = 10
# For one name from all addresses together.
FAILURES_OF_NAME_MAX = 100
# For one address, any names. A whole market may share one address.
FAILURES_OF_SOURCE_MAX = 60
NAME_LENGTH_MAX = 64


def is_guessing(*, name: str, address: str | None) -> bool:
    """Tell whether there were too many wrong passwords lately; then even the right one is refused."""
    recent = SignInFailure.objects.filter(at__gt=datetime.now(UTC) - FAILURES_KEPT)
    source, name = source_of(address), _cut(name)
    return (
        recent.filter(name=name, source=source).count() >= FAILURES_OF_NAME_HERE_MAX
        or recent.filter(name=name).count() >= FAILURES_OF_NAME_MAX
        or recent.filter(source=source).count() >= FAILURES_OF_SOURCE_MAX
    )


def note_failure(*, name: str, address: str | None) -> None:
    """Count a wrong password, and delete the expired ones."""
    # The name is not logged: people sometimes type their password there.
    log.warning("sign_in_failed", source=source_of(address))

    def note() -> None:
        now = datetime.now(UTC)
        SignInFailure.objects.create(name=_cut(name), source=source_of(address), at=now)
        SignInFailure.objects.filter(at__lte=now - FAILURES_KEPT).delete()

    retrying(note, name="note_sign_in_failure")


def forget_failures(*, name: str, address: str | None) -> None:
    """Reset the count for a name at an address, after a successful sign-in."""
    SignInFailure.objects.filter(name=_cut(name), source=source_of(address)).delete()


def _cut(name: str) -> str:
    return name[:NAME_LENGTH_MAX]
