"""The environment as settings read it: a value, or NAME_FILE naming a file that holds it, as container secrets come."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class SecretFiles(FileAwareMapping):
    """Reads NAME from the file that NAME_FILE names, without the line end that editors and `echo` leave there."""

    def __getitem__(self, key: str) -> str:
        # django-environ would take a value that begins with $ for the name of another variable. It leaves \$ alone and
        # makes $ of it afterwards (escape_proxy).
        return self._read(key).replace("$", r"\$")

    def _read(self, key: str) -> str:
        if not self.env.get(f"{key}_FILE"):
            return self.env[key]
        try:
            return super().__getitem__(key).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise ImproperlyConfigured(f"{key}_FILE cannot be read: {reason}.") from error


class Environment(environ.Env):
    """What settings read from: each value exactly as it was given."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__()
        self.ENVIRON = SecretFiles(variables, cache=False)
        self.escape_proxy = True

    def address(self, name: str, *, default: str) -> str:
        """Return a URL, or several with `;` between them, whose user and password may hold anything percent-encoded.

        Raises ImproperlyConfigured, without showing it, if a character of a password cuts the URL off: it would name
        another server, and the error would show a part of the password.
        """
        text: str = self.str(name, default=default)
        if any(_is_cut(url) for url in text.split(";")):
            raise ImproperlyConfigured(
                f"{name} is no address: write / ? # [ ] % in its user and password as %2F %3F %23 %5B %5D %25."
            )
        return text


def _is_cut(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return True
    # Without a server there is no password, and a file's path may have an @.
    lost = f"{parts.path}{'' if '@' in parts.netloc else parts.query}" if parts.netloc else ""
    return bool(parts.fragment) or "@" in lost


def environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """Return what settings read from. A file goes before a value; raises ImproperlyConfigured if it cannot be read."""
    return Environment(variables)
