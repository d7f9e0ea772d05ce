"""docker-compose.yml says what `make run-production-like` does, opens nothing, and asks for health what is true.

No container is started here: what they would run is, by the same scripts, with the same environment.
"""

import ast
import base64
import http.client
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from backend.db.database_url import from_url
from backend.localrun.launcher import Base, FlowerLogin
from backend.localrun.processes import PROJECT_FOLDER, Service, free_port, wait_until
from backend.localrun.stack import Stack
from backend.ops.management.commands.run_production_like import Command, add_production_services

COMPOSE = PROJECT_FOLDER / "docker-compose.yml"
DOCUMENT: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
ONE_SHOTS = {"database-users", "migrate", "backup"}
# Its name there and here. What both start from a script of deploy/start.
OURS = {"api": "api", "worker": "worker", "sweep": "sweep-1", "beat": "beat", "flower": "flower", "nginx": "nginx",
        "doctor": "doctor"}  # fmt: skip
# Where things are, or what nobody may know: of course these differ.
ADDRESSES = re.compile(
    r".*(_URL|_BIND|_LISTEN|_ADDRESS|_PORT|_FOLDER|_DB|_SCHEDULE|_HEARTBEAT|_TURN|_NAME|_DIR|_KEY|_TOKEN|_PASSWORD)$"
    r"|ALLOWED_HOSTS|NGINX_API|NGINX_FLOWER"
)
# What only containers need: addresses that change, certificates, who stands before them.
ONLY_THERE = {"NGINX_RESOLVER", "NGINX_TLS_LISTEN", "NGINX_CERTIFICATE", "NGINX_CERTIFICATE_KEY", "NGINX_TRUSTED"}
# What the image says itself, and Compose therefore does not.
ONLY_IN_THE_IMAGE = {"STATIC_ROOT"}
CLAUSE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def plain(value: object) -> str:
    """The value that holds while .env says nothing."""
    return CLAUSE.sub(r"\2", str(value))


def environment_of(name: str) -> dict[str, str]:
    """What the container is told, by the names that settings know."""
    told = SERVICES[name].get("environment", {})
    return {variable.removesuffix("_FILE"): plain(value) for variable, value in told.items()}


def command_of(name: str) -> list[str]:
    service = SERVICES[name]
    return [*service.get("entrypoint", []), *service.get("command", [])]


# --- What can be read ---


def test_it_is_a_compose_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_only_nginx_is_published_and_nothing_beyond_this_machine() -> None:
    published = {
        name: [plain(port) for port in service["ports"]] for name, service in SERVICES.items() if "ports" in service
    }
    assert set(published) - {"prometheus", "grafana"} == {"nginx"}
    assert SERVICES["prometheus"]["profiles"] == SERVICES["grafana"]["profiles"] == ["monitoring"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports), published
    assert all(port.startswith("${NGINX_BIND:-") for port in SERVICES["nginx"]["ports"])
    # With a port on none of them, and no way past the networks.
    assert DOCUMENT["networks"]["inside"] == {"internal": True}
    assert SERVICES["db"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]
    assert SERVICES["nginx"]["networks"] == ["front"]
    assert not any("network_mode" in service for service in SERVICES.values())


@pytest.mark.parametrize("password", ["-x", "--help", "a:b@c/d?#%41", """it's "q" $HOME \\ `x`""", "été  x"])
def test_a_password_of_ones_own_is_encoded_where_it_stands_in_an_address(tmp_path: Path, password: str) -> None:
    (tmp_path / "app_password").write_text(f"{password}\n")
    (tmp_path / "migrations_password").write_text(password)
    subprocess.run([PROJECT_FOLDER / "deploy" / "make-secrets", tmp_path], check=True, capture_output=True)
    for name in ("database_url", "migrations_database_url"):
        entry = from_url((tmp_path / name).read_text())
        assert (entry["PASSWORD"], entry["HOST"], entry["NAME"]) == (password, "db", "caisse")
    assert (tmp_path / "app_password").read_text() == f"{password}\n"


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_confined_watched_and_of_a_known_version(name: str) -> None:
    service = SERVICES[name]
    image, _, tag = plain(service["image"]).rpartition(":")
    assert image
    assert tag == "local" if "build" in service else re.fullmatch(r"v?\d+\.\d+\.\d+", tag)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"}
    if "build" in service:
        recipe = (PROJECT_FOLDER / service["build"]["dockerfile"]).read_text()
        users = re.findall(r"^USER (\S+)$", recipe, re.MULTILINE)
        assert users[-1] == "10001:10001"
    else:
        assert not service["user"].startswith(("0", "root"))
    if name in ONE_SHOTS:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert service["stop_grace_period"]


def test_nobody_waits_for_what_does_not_come() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            if other in ONE_SHOTS:
                assert wait["condition"] == "service_completed_successfully", name
            else:
                assert wait["condition"] == "service_healthy", name
                assert "healthcheck" in SERVICES[other]
    # What posts when Redis is away may not wait for it.
    assert "redis" not in SERVICES["sweep"]["depends_on"]


def test_every_secret_is_one_that_make_secrets_writes(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    script = [PROJECT_FOLDER / "deploy" / "make-secrets", folder]
    subprocess.run(script, check=True, capture_output=True)
    written = {path.name: path.read_text() for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700

    assert {f"deploy/secrets/{name}" for name in written} == {item["file"] for item in DOCUMENT["secrets"].values()}
    assert written["database_url"] == f"mysql://caisse:{written['app_password']}@db:3306/caisse"
    assert written["migrations_database_url"].startswith(
        f"mysql://caisse_migrations:{written['migrations_password']}@db"
    )
    assert min(len(value) for value in written.values()) >= 64
    assert len(set(written.values())) == len(written)
    subprocess.run(script, check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == written
    # None of them is for git.
    ignored = subprocess.run(
        ["git", "check-ignore", "deploy/secrets/secret_key", ".env", "deploy/certificates/privkey.pem"],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(ignored.stdout.split()) == 3, ignored


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_gets_the_secrets_it_reads_and_no_others(name: str) -> None:
    service = SERVICES[name]
    told = service.get("environment", {})
    read = {value.removeprefix("/run/secrets/") for value in told.values() if str(value).startswith("/run/secrets/")}
    if name == "prometheus":
        read |= set(
            re.findall(r"/run/secrets/(\w+)", (PROJECT_FOLDER / "deploy/prometheus/prometheus.yml").read_text())
        )
    assert set(service.get("secrets", [])) == read
    assert not any("password" in str(value) for key, value in told.items() if not key.endswith("_FILE"))


def test_whoever_serves_may_not_alter_tables() -> None:
    with_the_right = {
        name for name, service in SERVICES.items() if "migrations_database_url" in service.get("secrets", [])
    }
    assert with_the_right == {"migrate"}


def test_what_is_mounted_is_there() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (PROJECT_FOLDER / source).exists(), (name, source)
                assert volume.endswith(":ro")
            else:
                assert source in DOCUMENT["volumes"]


def test_ports_inside_fit_together() -> None:
    api, flower, nginx = environment_of("api"), environment_of("flower"), environment_of("nginx")
    assert nginx["NGINX_API"] == f"api:{api['API_BIND'].rpartition(':')[2]}"
    assert nginx["NGINX_FLOWER"] == f"flower:{flower['FLOWER_PORT']}"
    listens = {nginx[name].rpartition(":")[2] for name in ("NGINX_LISTEN", "NGINX_TLS_LISTEN")}
    assert {port.rpartition(":")[2] for port in SERVICES["nginx"]["ports"]} == listens
    # Prometheus asks by a name that Django lets in.
    (job,) = yaml.safe_load((PROJECT_FOLDER / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [nginx["NGINX_API"]]
    assert "api" in api["ALLOWED_HOSTS"].split(",")


# --- What runs ---


@dataclass
class Running:
    """What `make run-production-like` builds, on a database server of its own."""

    base: Base
    told: dict[str, str]
    stack: Stack

    def environment(self, service: Service) -> dict[str, str]:
        """What this process is told: what all of ours are, and its own. Nobody tells nginx a secret."""
        shared = os.environ if service.name == "nginx" else self.stack.environment
        own = {name: value for name, value in service.environment.items() if shared.get(name) != value}
        own.pop("PYTEST_CURRENT_TEST", None)
        return own if service.name == "nginx" else {**self.told, **own}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, monkeypatch_of_module: pytest.MonkeyPatch) -> Iterator[Running]:
    command = Command()
    command.folder = tmp_path_factory.mktemp("production-like")
    port = free_port()
    with ExitStack() as cleanup:
        base = command.prepare(cleanup=cleanup)
        told = command.environment(base, port=port)
        stack = cleanup.enter_context(Stack(folder=command.folder, environment=told))
        stack.migrate(environment=base.migrations)
        add_production_services(
            stack, port=port, flower=FlowerLogin(port=free_port(), user="flower", password="secret")
        )
        for service in stack.services.values():
            service.start()
        for service in stack.services.values():
            service.wait_ready()
        yield Running(base=base, told=told, stack=stack)


@pytest.fixture(scope="module")
def monkeypatch_of_module() -> Iterator[pytest.MonkeyPatch]:
    """The start keeps a key of its own, unless the environment has one: the run's, here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SECRET_KEY")
        yield patch


@pytest.mark.parametrize("name", OURS)
def test_the_same_script_is_started_with_the_same_environment(running: Running, name: str) -> None:
    service = running.stack[OURS[name]]
    script = service.command[0]
    assert command_of(name)[-1].removeprefix("/caisse/") == str(Path(script).relative_to(PROJECT_FOLDER))

    there, here = environment_of(name), running.environment(service)
    said_by_the_image = ONLY_IN_THE_IMAGE & here.keys()
    dockerfile = (PROJECT_FOLDER / "deploy" / "Dockerfile").read_text()
    assert all(f"    {variable}=/" in dockerfile for variable in said_by_the_image)
    assert there.keys() - ONLY_THERE == here.keys() - said_by_the_image
    compared = {variable for variable in here.keys() - said_by_the_image if not ADDRESSES.fullmatch(variable)}
    assert {variable: there[variable] for variable in compared} == {variable: here[variable] for variable in compared}


def test_the_copier_is_asked_by_a_script_of_its_own_with_its_own_environment() -> None:
    """tests/deploy/test_backup.py runs it."""
    (command,) = SERVICES["binlogs"]["healthcheck"]["test"][1:]
    assert (PROJECT_FOLDER / command).is_file()
    assert {"BINLOG_DIR", "DATABASE_HOST", "BACKUP_PASSWORD"} == environment_of("binlogs").keys()


def test_as_many_of_each_run() -> None:
    assert SERVICES["sweep"]["deploy"]["replicas"] == 2
    assert command_of("migrate") == ["deploy/start/migrate"]


def test_health_commands_tell_the_living_from_the_frozen(running: Running) -> None:
    """Each as Compose has it, run beside the process with the process's environment."""
    # The doctor's says only that it still comes, day by day.
    services = {name: running.stack[key] for name, key in OURS.items() if name != "doctor"}
    assert ask(services) == dict.fromkeys(services, 0)
    for service in services.values():
        service.freeze()
    sweep = services["sweep"]
    assert sweep.answers
    assert wait_until(lambda: not sweep.answers(), timeout_s=30)
    codes = ask(services)
    for service in services.values():
        service.thaw()
    assert all(codes.values()), codes
    assert wait_until(lambda: not any(ask(services).values()), timeout_s=60)


def test_the_doctor_comes_by_itself_and_is_missed_when_it_stays_away(running: Running) -> None:
    doctor = running.stack["doctor"]
    assert wait_until(lambda: "contrôles" in doctor.log.read_text(), timeout_s=60)
    assert ask({"doctor": doctor}) == {"doctor": 0}
    turn = Path(doctor.environment["DOCTOR_TURN"])
    days_ago = turn.stat().st_mtime - 2 * 86_400
    os.utime(turn, (days_ago, days_ago))
    assert ask({"doctor": doctor}) == {"doctor": 1}
    os.utime(turn)
    doctor.stop()
    assert doctor.exit_code() == 0
    doctor.start()


def test_nobody_is_condemned_for_a_dead_broker(running: Running) -> None:
    services = {name: running.stack[OURS[name]] for name in ("worker", "beat", "api", "sweep")}
    redis = next(server for server in running.base.servers if server.name == "redis")
    redis.freeze()
    try:
        assert ask(services) == dict.fromkeys(services, 0)
    finally:
        redis.thaw()


def test_the_database_is_told_what_the_promises_need(running: Running) -> None:
    """By server.cnf, the very file that the container mounts."""
    assert "./deploy/database/server.cnf:/etc/mysql/conf.d/caisse.cnf:ro" in SERVICES["db"]["volumes"]
    # Asked with the application's account. The binlog is no rule of its own there, and nobody is restored without it.
    code = """
from django.db import connection
from backend.db import server_settings as rules
print([*rules.wrong_durability(connection), *rules.wrong_packet(connection), *rules.wrong_session(connection),
       *rules.wrong_patience(connection)], rules.read_variables(connection, "log_bin", "binlog_format"))
"""
    *_, line = running.stack.run_once("shell", "--command", code).splitlines()
    assert line.startswith("[] "), line
    assert ast.literal_eval(line[3:]) == {"log_bin": "ON", "binlog_format": "ROW"}


@pytest.mark.parametrize("path", ["api/workers", "metrics", "healthcheck"])
def test_flower_shows_itself_to_who_has_a_login_and_lets_nobody_act(running: Running, path: str) -> None:
    nginx, flower = running.stack["nginx"].url, running.stack["flower"].url
    login = {"Authorization": f"Basic {base64.b64encode(b'flower:secret').decode()}"}
    assert [status_of(f"{nginx}/flower/{page}") for page in ("", "workers", "tasks")] == [401, 401, 401]
    assert [status_of(f"{nginx}/flower/{page}", login) for page in ("", "workers", "tasks")] == [200, 200, 200]
    # Not even with it, though Flower itself would answer.
    assert [status_of(f"{nginx}/flower{slash}{path}", login) for slash in ("/", "//", "/%2F")] == [404, 404, 404]
    assert status_of(f"{flower}/flower/{path}", login) != 404


def status_of(url: str, headers: dict[str, str] | None = None) -> int:
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
        connection.request("GET", parts.path, headers=headers or {})
        return connection.getresponse().status


def ask(services: dict[str, Service]) -> dict[str, int]:
    """Run the health commands side by side and return how they ended."""
    asked = {}
    for name, service in services.items():
        kind, *command = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD"
        words = [sys.executable if word == "python" else word for word in command]
        words = [re.sub(r"^http://127\.0\.0\.1:8080", service.url, word) for word in words]
        asked[name] = subprocess.Popen(words, env=service.environment, cwd=PROJECT_FOLDER, stdout=subprocess.DEVNULL)
    return {name: process.wait(timeout=60) for name, process in asked.items()}


# --- Flower's door ---


@pytest.mark.parametrize(
    "told",
    ["", "FLOWER_USER=flower", "FLOWER_PASSWORD=secret", "FLOWER_BASIC_AUTH=flower", "FLOWER_BASIC_AUTH=a:b,c:d",
     "FLOWER_USER=a:b FLOWER_PASSWORD=secret", "FLOWER_USER=flower FLOWER_PASSWORD=a,b",
     "FLOWER_USER=flower FLOWER_PASSWORD=été", "FLOWER_USER=flower 'FLOWER_PASSWORD=two\nlines'",
     "FLOWER_USER=flower 'FLOWER_PASSWORD=line\n'",
     "FLOWER_USER=flower FLOWER_PASSWORD=secret FLOWER_PORT=tcp://10.0.0.1:5555"],
)  # fmt: skip
def test_flower_does_not_start_without_a_login(told: str) -> None:
    script = PROJECT_FOLDER / "deploy" / "start" / "flower"
    given = dict(item.split("=", 1) for item in shlex.split(told))
    result = subprocess.run(
        [script], env={"PYTHON": "/bin/false", **given}, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr[:21]) == (2, "Flower is not started"), result
