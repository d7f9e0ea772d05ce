"""Settings come from the environment, and secrets from files that it names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend.environment import environment

pytestmark = pytest.mark.embedded

SHOW = """
import django
django.setup()
from django.conf import settings
print(settings.SECRET_KEY, settings.DATABASES["default"]["NAME"], settings.METRICS_TOKEN, sep="|")
"""


def show_settings(**variables: str) -> subprocess.CompletedProcess[str]:
    """Read the settings as an API process would, with these variables and none of this run's secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VAR_DIR") if name in os.environ}
    module = {"DJANGO_SETTINGS_MODULE": "backend.config.settings", "ROLE": "api"}
    return subprocess.run(
        [sys.executable, "-c", SHOW], env=kept | module | variables, capture_output=True, text=True, check=False
    )


def test_a_secret_is_read_from_the_file_that_is_named_without_its_line_end(tmp_path: Path) -> None:
    key, database = tmp_path / "key", tmp_path / "database-url"
    key.write_text("k" * 40 + "\n")
    database.write_text(f"sqlite:///{tmp_path}/till.sqlite3\r\n")
    shown = show_settings(SECRET_KEY_FILE=str(key), DATABASE_URL_FILE=str(database), METRICS_TOKEN="a token")
    assert shown.stdout.strip() == f"{'k' * 40}|{tmp_path}/till.sqlite3|a token", shown.stderr


def test_without_a_key_no_api_starts() -> None:
    shown = show_settings()
    assert shown.returncode != 0
    assert "SECRET_KEY is not set" in shown.stderr


def test_a_file_goes_before_a_value_and_an_empty_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    both = {"NAME": "from the value", "NAME_FILE": str(tmp_path / "secret")}
    assert environment(both).str("NAME") == "from the file"
    assert environment({**both, "NAME_FILE": ""}).str("NAME") == "from the value"


def test_a_file_that_cannot_be_read_is_named_by_its_variable_and_shows_nothing(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"NAME_FILE cannot be read: No such file"):
        environment({"NAME_FILE": str(tmp_path / "nowhere")}).str("NAME")
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    with pytest.raises(ImproperlyConfigured, match=r"NAME_FILE cannot be read: it is no UTF-8"):
        environment({"NAME_FILE": str(tmp_path / "secret")}).str("NAME")
