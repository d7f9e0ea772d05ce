"""`manage.py run` as a newcomer starts it: in a folder of any name, with any secret that an earlier start kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.db.database_url import of_sqlite
from backend.localrun.processes import PROJECT_FOLDER, ChildProcess, free_port, wait_until
from tests.test_stack import status_of

pytestmark = pytest.mark.embedded

# Random passwords have begun so, and are kept.
KEPT = "-xY3_-helpZ"
STARTING_S_MAX = 180


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an awkward name, with the secrets and the demo's data of an earlier start."""
    folder = tmp_path / "c++ é #1 100%41?'\"$HOME;"
    folder.mkdir()
    for name in ("demo-password", "demo-token", "flower-password"):
        (folder / name).write_text(f"{KEPT}\n")
    environment = {**os.environ, "VAR_DIR": str(folder), "DATABASE_URL": of_sqlite(folder / "caisse.sqlite3")}
    demo = {"BROKER_URL": "", "DEMO_PASSWORD": "another", "DEMO_TOKEN": "another"}
    for command in (["migrate", "--no-input"], ["demo", "--days", "1"]):
        words = [sys.executable, "manage.py", *command]
        subprocess.run(words, env=environment | demo, cwd=PROJECT_FOLDER, check=True, capture_output=True)
    return folder


def test_a_start_goes_on_with_what_is_kept_whatever_its_characters(folder: Path, tmp_path: Path) -> None:
    flower_port = free_port()
    unset = ("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "TEST_DATABASE_NAME")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"VAR_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    words = [sys.executable, "manage.py", "run", "--port", str(free_port()), "--flower-port", str(flower_port)]
    start = ChildProcess(name="run", command=words, log=tmp_path / "run.log", environment=environment)
    start.start()
    try:
        assert wait_until(
            lambda: not start.is_running() or "Prêt." in start.log_tail(), timeout_s=STARTING_S_MAX, pause_s=0.5
        )
        said = start.log.read_text()
        assert start.is_running(), said
        assert f"demo / {KEPT}" in said
        assert status_of(f"http://127.0.0.1:{flower_port}/workers", "flower", KEPT) == 200
    finally:
        start.stop(patience_s=60)
    assert start.exit_code() == 0
