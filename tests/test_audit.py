"""`make audit` with the real pip-audit, against a server on this machine that speaks as the OSV database does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from backend.localrun.processes import free_port

ROOT = Path(__file__).resolve().parents[1]
VULNERABLE = {
    "id": "OSV-TEST-1",
    "summary": "Anybody may do anything.",
    "affected": [
        {
            "package": {"name": "six", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.18.0"}]}],
        }
    ],
}


class Database(BaseHTTPRequestHandler):
    """Knows of one vulnerability, in six 1.17.0."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_known = asked == {"package": {"name": "six", "ecosystem": "PyPI"}, "version": "1.17.0"}
        answer = json.dumps({"vulns": [VULNERABLE]} if is_known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name in the base class
        pass


@pytest.fixture
def database() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def pins(folder: Path, *packages: str) -> Path:
    """Write these pins, with a hash each: nothing is installed, so any will do."""
    file = folder / "pins.txt"
    file.write_text("".join(f"{package} --hash=sha256:{'0' * 64}\n" for package in packages))
    return file


def audit(file: Path, *, osv: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIP_AUDIT_VULNERABILITY_SERVICE": "osv", "PIP_AUDIT_OSV_URL": osv}
    command = [sys.executable, ROOT / "tools" / "audit.py", file]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_known_vulnerability_fails_the_audit(database: str, tmp_path: Path) -> None:
    done = audit(pins(tmp_path, "six==1.17.0", "sqlparse==0.6.1"), osv=database)
    assert (done.returncode, done.stdout) == (1, "audit: six 1.17.0: OSV-TEST-1, fixed in 1.18.0\n"), done.stderr


def test_nothing_known_passes(database: str, tmp_path: Path) -> None:
    done = audit(pins(tmp_path, "six==1.18.0", "sqlparse==0.6.1"), osv=database)
    assert (done.returncode, done.stdout) == (0, "audit: nothing is known against 2 packages\n"), done.stderr


def test_an_audit_that_cannot_look_says_so_and_passes(tmp_path: Path) -> None:
    done = audit(pins(tmp_path, "six==1.17.0"), osv=f"http://127.0.0.1:{free_port()}/v1/query")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("audit: COULD NOT LOOK")


def test_a_file_that_cannot_be_read_is_no_missing_network(database: str, tmp_path: Path) -> None:
    without_hash = tmp_path / "pins.txt"
    without_hash.write_text("six==1.17.0\n")
    assert audit(without_hash, osv=database).returncode == 2
    assert audit(tmp_path / "missing.txt", osv=database).returncode == 2


def test_the_file_that_make_audit_names_can_be_read(database: str) -> None:
    done = audit(ROOT / "requirements" / "development.txt", osv=database)
    assert done.returncode in {0, 1}, done.stderr
    assert "COULD NOT" not in done.stdout
