"""A test run uses its own servers and nobody else's."""

import os
import socket
import subprocess
import sys

import pytest
from django.db import connection

from backend.localrun.processes import wait_until
from tests.connection_watch import FOREIGN_PORTS, ConnectionWatch
from tests.plugin import Rig

CONNECT_AND_HOLD = """
import socket, sys, time
held = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


def test_the_watch_sees_a_connection_of_a_grandchild() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        watch = ConnectionWatch({port})
        watch.start()
        command = ["sh", "-c", f'"$0" -c "$1" {port}; true', sys.executable, CONNECT_AND_HOLD]
        shell = subprocess.Popen(command, process_group=0)
        try:
            assert wait_until(lambda: watch.seen, timeout_s=20)
        finally:
            os.killpg(shell.pid, 9)
            shell.wait()
            watch.end()
    assert len(watch.seen) == 1
    assert f"port {port}" in watch.seen.pop()


def test_the_watch_does_not_see_connections_of_other_programs_or_to_other_ports() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        watch = ConnectionWatch({port + 1 if port < 65535 else port - 1})
        with socket.create_connection(("127.0.0.1", port)):
            watch.look()
    assert watch.seen == set()


def test_the_watch_of_this_run_is_awake(rig: Rig) -> None:
    assert rig.watch.is_alive()
    assert rig.watch.ports <= FOREIGN_PORTS
    assert 6379 in rig.watch.ports


@pytest.mark.embedded
@pytest.mark.usefixtures("db")
def test_the_database_of_this_run_is_the_one_that_was_started_for_it(rig: Rig) -> None:
    name = str(connection.settings_dict["NAME"])
    assert rig.database_url.endswith(name)
    assert "test" in name
