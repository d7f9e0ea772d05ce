"""The variables that our programs read: the start and backup scripts, the settings, the health commands."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READERS = ("deploy/start", "deploy/backup", "backend/config", "backend/health/healthcheck.py")


@cache
def _everything_that_reads() -> str:
    paths = [ROOT / reader for reader in READERS]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return "\n".join(file.read_text() for file in files if file.is_file() and file.suffix != ".pyc")


def is_read(name: str) -> bool:
    """Whether NAME (or NAME_FILE, which stands for it) occurs in what reads the environment."""
    return bool(re.search(rf"\b{name.removesuffix('_FILE')}\b", _everything_that_reads()))
