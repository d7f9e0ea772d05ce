"""A poster as its own process: does what a worker or a sweep does for one terminal, but starts in no time.

    python -m tests.faults.poster TERMINAL_ID [--once]

Posts slices until nothing is left; --once: one slice. Ends with 0, or as FAULT says.
"""

import sys
import time

import django

django.setup()

from django.db import OperationalError, connection  # noqa: E402 - Django first

from backend.db.transients import is_transient  # noqa: E402
from backend.sales.posting.runner import post_slice  # noqa: E402


def main() -> None:
    terminal_id = int(sys.argv[1])
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
            if "--once" in sys.argv or not (report.has_more or report.was_busy):
                return
            if report.was_busy:
                return
        if "--once" in sys.argv:
            return
        time.sleep(0.01)


main()
