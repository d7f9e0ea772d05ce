"""Settings come from the environment, and secrets from files that it names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend.db.database_url import from_url, of_mysql, of_sqlite
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


# What a parser of options, a shell, an address or django-environ ($NAME) would like to read otherwise.
AWKWARD = ["-x", "--help", "$HOME", r"\$x\\ \n", "a:b@c/d?#%41&+;,", """it's "q" `x` $(x)""", "mot de passe été"]


@pytest.mark.parametrize("secret", AWKWARD)
def test_a_secret_is_read_as_it_was_given(secret: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{secret}\n")
    assert environment({"NAME": secret}).str("NAME") == secret
    assert environment({"NAME_FILE": str(tmp_path / "secret")}).str("NAME") == secret


def test_settings_read_a_key_that_begins_with_a_dollar() -> None:
    shown = show_settings(SECRET_KEY="$HOME" + "k" * 40, METRICS_TOKEN="$PATH", DATABASE_URL="sqlite:////tmp/a")
    assert shown.stdout.strip() == f"$HOME{'k' * 40}|/tmp/a|$PATH", shown.stderr


@pytest.mark.parametrize("text", AWKWARD)
def test_an_address_of_a_database_holds_any_password_and_any_folder(text: str) -> None:
    url = of_mysql("caisse", user=text, password=text, host="127.0.0.1", port=3306)
    assert environment({"DATABASE_URL": url}).address("DATABASE_URL", default="") == url
    entry = from_url(url)
    found = [entry[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")]
    assert found == [text, text, "127.0.0.1", 3306, "caisse"]
    path = Path("/home") / text.replace("/", "") / "c++ #1" / "caisse.sqlite3"
    assert from_url(of_sqlite(path))["NAME"] == str(path)


@pytest.mark.parametrize(
    "secret", ["abc/d", "abc?d", "abc#d", "123/d", "123?d", "123#d", "abc[d", "p@abc/d", "p@abc?d#e"]
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "REPLICA_DATABASE_URL", "BROKER_URL", "EMAIL_URL"])
def test_an_address_that_its_password_cuts_off_is_refused_and_not_shown(name: str, secret: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is no address: write / \? # .* %2F") as refused:
        environment({name: f"mysql://caisse:{secret}@127.0.0.1:3306/caisse"}).address(name, default="")
    assert refused.value.__cause__ is None
    assert secret[:3] not in str(refused.value).replace("%2F %3F", "")


def test_a_process_refuses_such_an_address_without_showing_it() -> None:
    shown = show_settings(SECRET_KEY="k" * 40, BROKER_URL="redis://:geheim#x@127.0.0.1:6379/1")
    assert shown.returncode != 0
    assert "BROKER_URL is no address" in shown.stderr
    assert "geheim" not in shown.stderr


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////home/me@host/caisse.sqlite3",
        "redis+socket:///tmp/a@b/r.sock",
        "redis://127.0.0.1:6379/0",
        "redis://:a%23b@127.0.0.1:6379/0?ssl_cert_reqs=none",
        "sentinel://:p%2Fq@one:26379;sentinel://:p%2Fq@two:26379",
        "smtp+tls://name@shop.example:p%40ss@mail.example:587",
        "mysql://a:p@ss:w@127.0.0.1/caisse?ssl_ca=/a@b",
        "consolemail://",
        "",
    ],
)
def test_an_address_that_is_whole_is_taken(url: str) -> None:
    assert environment({"NAME": url}).address("NAME", default="") == url
