"""deploy/systemd: what the installer puts on a server, and whether systemd understands it."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backend.db.database_url import from_url
from tests.deploy.environment_names import is_read

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "deploy" / "systemd"
INSTALL = SYSTEMD / "install"
SERVICES = sorted(SYSTEMD.glob("*.service"))
SECRET_FILES = re.compile(r"^LoadCredential=(\w+):/etc/caisse/secrets/(\w+)$", re.MULTILINE)


def install(prefix: Path, *arguments: str, source: Path = INSTALL) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "DESTDIR": str(prefix)}
    words = [source, "--no-start", "--venv", sys.prefix, *arguments]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's root after the first installation."""
    prefix = tmp_path_factory.mktemp("server")
    done = install(prefix, "--version", "1.0", "--host", "caisse.example.org")
    assert done.returncode == 0, done.stderr
    return prefix


def variables_of(text: str) -> set[str]:
    return set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", text, re.MULTILINE))


def test_a_release_has_what_runs_and_nothing_of_the_tests(server: Path) -> None:
    release = server / "opt" / "caisse" / "releases" / "1.0"
    assert (release / "backend" / "config" / "settings.py").is_file()
    assert not (release / "backend" / "testing.py").exists()
    assert not (release / "tests").exists()


def test_systemd_understands_every_unit(server: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd-analyze is not on this machine")
    units = shutil.copytree(server / "etc" / "systemd" / "system", tmp_path / "units")
    for unit in units.glob("*.service"):
        text = unit.read_text().replace("/opt/caisse/", f"{server}/opt/caisse/")
        # An instance that verify makes up: it takes the name of the specifier.
        unit.write_text(text.replace("/releases/%i/", "/releases/1.0/"))
    done = subprocess.run(
        [analyze, "verify", *sorted(str(unit) for unit in units.iterdir() if unit.is_file())],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:", "SYSTEMD_LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if str(units) in line or "caisse" in line]
    assert complaints == []


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_what_a_service_starts_is_in_the_release_and_can_be_run(server: Path, service: Path) -> None:
    commands = re.findall(r"^ExecStart=(.+)$", service.read_text(), re.MULTILINE)
    assert len(commands) == 1
    programs = [word for word in commands[0].split() if word.startswith("/opt/caisse/")]
    assert programs
    for program in programs:
        path = re.sub(r"^/opt/caisse/(current|releases/%i)/", f"{server}/opt/caisse/current/", program)
        assert os.access(path, os.X_OK), program


def test_every_secret_that_a_service_is_handed_was_made_and_is_roots_alone(server: Path) -> None:
    folder = server / "etc" / "caisse" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    asked = {name for service in SERVICES for _id, name in SECRET_FILES.findall(service.read_text())}
    assert asked >= {"secret_key", "database_url", "migrations_database_url", "flower_password", "backup_password"}
    for name in asked:
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
        assert (folder / name).read_text().strip(), name


def test_a_password_of_ones_own_is_encoded_where_it_stands_in_an_address(tmp_path: Path) -> None:
    password = """-x a:b@c/d?#%41 it's "q" $HOME \\"""
    secrets = tmp_path / "etc" / "caisse" / "secrets"
    secrets.mkdir(parents=True)
    for name in ("app_password", "migrations_password"):
        (secrets / name).write_text(f"{password}\n")
    done = install(tmp_path, "--version", "1.0", "--host", "caisse.example.org")
    assert done.returncode == 0, done.stderr
    for name in ("database_url", "migrations_database_url"):
        entry = from_url((secrets / name).read_text().strip())
        assert (entry["PASSWORD"], entry["HOST"], entry["NAME"]) == (password, "127.0.0.1", "caisse")


def test_every_credential_is_told_by_the_variable_that_reads_it() -> None:
    for service in SERVICES:
        handed = {identity for identity, _name in SECRET_FILES.findall(service.read_text())}
        told = dict(re.findall(r"(\w+)_FILE=%d/(\w+)", service.read_text()))
        assert {name.lower(): value for name, value in told.items()} == {name: name for name in handed}, service.name


def test_only_the_migrations_know_the_account_that_alters_tables() -> None:
    knowing = [service.name for service in SERVICES if "migrations_database_url" in service.read_text()]
    assert knowing == ["caisse-migrate@.service"]


def test_the_settings_are_ones_that_are_read_and_hold_no_secret() -> None:
    text = (SYSTEMD / "caisse.env").read_text()
    names = variables_of(text)
    assert {"ALLOWED_HOSTS", "PUBLIC_URL", "TRUSTED_PROXIES", "HTTPS"} <= names
    assert [name for name in sorted(names) if not is_read(name)] == []
    assert not re.search(r"PASSWORD|SECRET|TOKEN", "\n".join(names))


def test_what_a_unit_says_is_read_too() -> None:
    for unit in [*SERVICES, SYSTEMD / "caisse-.service.d" / "common.conf"]:
        for line in re.findall(r"^Environment=(.+)$", unit.read_text(), re.MULTILINE):
            for name in re.findall(r"(?:^| )(\w+)=", line):
                assert name.startswith("PYTHON") or is_read(name), f"{unit.name}: {name}"


def test_a_second_installation_changes_no_setting_and_no_secret(server: Path) -> None:
    (server / "etc" / "caisse" / "caisse.env").write_text("ALLOWED_HOSTS=ours.example.org\n")
    before = {path: path.read_text() for path in (server / "etc" / "caisse").rglob("*") if path.is_file()}
    done = install(server, "--version", "1.0")
    assert done.returncode == 0, done.stderr
    assert {path: path.read_text() for path in (server / "etc" / "caisse").rglob("*") if path.is_file()} == before


def test_an_upgrade_and_the_way_back_switch_one_link(server: Path) -> None:
    current = server / "opt" / "caisse" / "current"
    assert install(server, "--version", "1.1").returncode == 0
    assert current.readlink() == Path("releases/1.1")
    assert (server / "opt" / "caisse" / "releases" / "1.0" / "manage.py").exists()
    assert install(server, "--switch", "1.0").returncode == 0
    assert current.readlink() == Path("releases/1.0")
    refused = install(server, "--switch", "0.9")
    assert refused.returncode == 1
    assert "there is no release 0.9" in refused.stderr
    assert current.readlink() == Path("releases/1.0")


def test_a_release_that_was_cut_off_is_made_again(server: Path) -> None:
    release = server / "opt" / "caisse" / "releases" / "1.2"
    release.mkdir()
    (release / "half.py").touch()
    assert install(server, "--switch", "1.2").returncode == 1
    assert install(server, "--version", "1.2").returncode == 0
    assert (release / "manage.py").exists()
    assert not (release / "half.py").exists()


def test_no_secret_of_the_sources_folder_goes_into_a_release(server: Path, tmp_path: Path) -> None:
    copy = tmp_path / "sources"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "images", "var")
    shutil.copytree(ROOT, copy, ignore=ignored, ignore_dangling_symlinks=True)
    for folder in ("secrets", "certificates"):
        (copy / "deploy" / folder).mkdir(exist_ok=True)
        (copy / "deploy" / folder / "key").write_text("nobody's business")
    done = install(server, "--version", "1.3", source=copy / "deploy" / "systemd" / "install")
    assert done.returncode == 0, done.stderr
    release = server / "opt" / "caisse" / "releases" / "1.3"
    assert [path for path in release.rglob("key") if "venv" not in path.parts] == []


def test_a_release_reads_and_runs_for_others_than_root(server: Path) -> None:
    release = server / "opt" / "caisse" / "releases" / "1.0"
    closed = [
        str(path)
        for path in release.rglob("*")
        if not path.is_symlink() and not path.stat().st_mode & (stat.S_IXOTH if path.is_dir() else stat.S_IROTH)
    ]
    assert closed == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--version", "../1.0", "--host", "a.example.org"], "a release is called by"),
        (["--version", "1.0"], "under which name"),
        (["--version", "1.0", "--host", "a b;c"], "no host's name"),
        (["--version", "1.0", "--host", "a.example.org", "--workers", "many"], "numbers from 1 on"),
        (["--version", "1.0", "--host", "a.example.org", "--database-elsewhere"], "secrets/database_url first"),
    ],
)
def test_it_refuses_what_it_cannot_use(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    refused = install(tmp_path, *arguments)
    assert refused.returncode == 1
    assert complaint in refused.stderr


def test_it_starts_nothing_below_a_prefix(tmp_path: Path) -> None:
    words = [INSTALL, "--prefix", tmp_path, "--version", "1.0"]
    refused = subprocess.run(words, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "--prefix goes with --no-start" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_serves_but_nginx_runs_while_tables_are_altered() -> None:
    """systemctl waits for the units that it is told to stop, not for those that stop with a target."""
    (stop_all,) = re.findall(r"^stop_all\(\) \{\n(.*?)^\}", INSTALL.read_text(), re.DOTALL | re.MULTILINE)
    serving = {path.name for path in SERVICES if "Restart=always" in path.read_text()} - {"caisse-nginx.service"}
    assert {name.replace("@.", "@*.") for name in serving} == set(re.findall(r"caisse-[\w@*-]+\.service", stop_all))
    for name in serving:
        assert "PartOf=caisse.target" in (SYSTEMD / name).read_text()
