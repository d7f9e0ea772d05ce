"""`manage.py collect_static`: Django's collectstatic, skipped while nothing has changed."""

import fcntl
import hashlib
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

# The packages that turn source files into served files: a new version may turn out other files.
PROCESSORS = ("django", "whitenoise")


class Command(BaseCommand):
    help = "Runs collectstatic into STATIC_ROOT if a file has changed since it last ran."
    # It may run before there is a database.
    requires_system_checks = ()

    def handle(self, **_: object) -> None:
        folder = Path(settings.STATIC_ROOT)
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / ".collected"
        # Two starts at the same time collect once.
        with (folder.parent / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = state_of_files()
            if mark.exists() and mark.read_text() == state:
                return
            # Clear a folder that this command made: collectstatic would keep a copy newer than its source, as after a
            # downgrade. Any other folder may hold files that cannot be collected again.
            call_command("collectstatic", interactive=False, clear=mark.exists(), verbosity=0)
            mark.write_text(state)


def state_of_files() -> str:
    """Return a hash of every file's name, size and time, and of the processors' versions."""
    state = hashlib.sha256(repr([(name, version(name)) for name in PROCESSORS]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list(None), key=lambda found: found[0]):
            status = Path(storage.path(name)).stat()
            state.update(repr((name, status.st_size, status.st_mtime_ns)).encode())
    return state.hexdigest()
