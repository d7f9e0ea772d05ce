"""The command that takes pictures, where a page cannot be shown: it says which, and leaves nothing running."""

import os
import subprocess
import sys
from pathlib import Path


def test_a_page_that_cannot_be_shown_is_named_and_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "screenshots", "--days", "0", "--folder", str(tmp_path / "images")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)
    assert ended.returncode == 1
    assert "vente: no link to one on the page sales" in ended.stderr
    # What was taken before stays; the database, the server and the browser's profile are gone.
    assert [picture.name for picture in (tmp_path / "images").iterdir()]
    assert [path.name for path in tmp_path.iterdir()] == ["images"]
    assert str(tmp_path) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
