"""The command that takes screenshots: if a page cannot be shown, it names the page and leaves nothing running."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory


def test_a_page_that_cannot_be_shown_is_named_and_ends_the_command() -> None:
    # Not tmp_path: the browser creates sockets there, which fails with a long path.
    with TemporaryDirectory(prefix="caisse-") as folder:
        take_pictures_of_an_empty_shop(Path(folder))


def take_pictures_of_an_empty_shop(folder: Path) -> None:
    command = [sys.executable, "manage.py", "screenshots", "--days", "0", "--folder", str(folder / "images")]
    environment = {**os.environ, "TMPDIR": str(folder)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)
    assert ended.returncode == 1
    assert "vente: no link to one on the page sales" in ended.stderr
    # The earlier screenshots stay; the database, the server and the browser's profile are gone.
    assert [picture.name for picture in (folder / "images").iterdir()]
    assert [path.name for path in folder.iterdir()] == ["images"]
    assert str(folder) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
