"""Secrets that a local start keeps between two runs, and the lock that keeps a second start out of its folder."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderTaken(Exception):
    """Another start uses this folder."""


def kept_secret(path: Path, *, random_bytes: int = 32) -> str:
    """Return the secret in this file, which the first call makes; only its owner can read it."""
    try:
        # O_EXCL: of two starts at once, one makes the file and the other reads it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    secret = secrets.token_urlsafe(random_bytes)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secret}\n")
    return secret


@contextmanager
def sole_user_of(folder: Path) -> Iterator[None]:
    """Lock the folder until the end of the block or of the process. Raises FolderTaken if it is locked."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTaken(folder) from None
        yield
