"""A poster as its own process: does what a worker or a sweep does for one terminal, but starts in no time.

    python -m tests.faults.poster TERMINAL_ID [--once]

Posts slices until nothing is left; --once: one slice. Ends with 0, or as FAULT says.
Most are forked (tests/faults/forked.py); started like this it takes a database or settings of its own.
"""

import sys
import time
from collections.abc import Sequence

import django

django.setup()

from django.db import OperationalError, connection  # noqa: E402 - Django first

from backend.db.transients import is_transient  # noqa: E402
from backend.sales.posting.runner import post_slice  # noqa: E402


def main(arguments: Sequence[str]) -> None:
    terminal_id = int(arguments[0])
    while True:
        try:
            report = post_slice(terminal_id)
        except OperationalError as error:
            if not is_transient(error):
                raise
            print(f"interrupted {error}", flush=True)
            connection.close()
        else:
            print(f"posted {report.posted} busy {report.was_busy}", flush=True)
            if "--once" in arguments or not (report.has_more or report.was_busy):
                return
            if report.was_busy:
                return
        if "--once" in arguments:
            return
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1:])
