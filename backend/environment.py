"""The environment as settings read it: a value, or NAME_FILE naming a file that holds it, as container secrets come."""

import os
from collections.abc import Mapping

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class SecretFiles(FileAwareMapping):
    """Reads NAME from the file that NAME_FILE names, without the line end that editors and `echo` leave there."""

    def __getitem__(self, key: str) -> str:
        if not self.env.get(f"{key}_FILE"):
            return self.env[key]
        try:
            return super().__getitem__(key).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise ImproperlyConfigured(f"{key}_FILE cannot be read: {reason}.") from error


def environment(variables: Mapping[str, str] = os.environ) -> environ.Env:
    """Return what settings read from. A file goes before a value; raises ImproperlyConfigured if it cannot be read."""
    env = environ.Env()
    env.ENVIRON = SecretFiles(variables, cache=False)
    return env
