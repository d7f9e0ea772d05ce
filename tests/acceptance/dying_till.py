"""A till whose process kills itself just before its Nth step, in a fork of its own (tests/forking.py)."""

import os
import signal
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from backend.example_till import Till
from backend.example_till.wire import Answer


def act_until_death(action: str, arguments: Sequence[str], *, step: int, path: str, url: str, serial: str) -> None:
    """Do one thing of a till's day. A statement on its file, a call going out and an answer coming in are steps."""
    left = step

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    till = Till(path, url, serial, zone=ZoneInfo("Africa/Kinshasa"), backoff_s=(0.05, 0.2))
    wire = till.calls.transport

    def transport(*call: object) -> Answer:
        count()
        answer = wire(*call)
        count()
        return answer

    till.calls.transport = transport
    till.book.file.set_trace_callback(count)
    if action == "enrol":
        till.enrol(*arguments)
    elif action == "renew_token":
        till.renew_token()
    elif action == "close":
        till.close_drawer(opening={"CDF": 1000}, counted={"CDF": 26000})
        till.sync()
    else:
        raise ValueError(action)
