"""The processes of this system on one machine: API, workers, sweeps, beat, Flower, on a given database and broker.

`manage.py run` and the tests start the same scripts of deploy/start as production, with the same environment.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from backend.health.healthcheck import is_healthy
from backend.health.probes import worker_has_started
from backend.localrun.processes import PROJECT_FOLDER, ProcessFailed, Service, free_port, stop_together

START_SCRIPTS = PROJECT_FOLDER / "deploy" / "start"
# Rebuilding a large table may take this long.
MIGRATING_S_MAX = 3600


class Stack:
    """Builds services and keeps them by name, so that each can be frozen or killed, and all be stopped.

    `environment` is laid over this process's own and must name DATABASE_URL, BROKER_URL ('' for none) and SECRET_KEY.
    Logs and small files are in `folder`. The `add_…` methods build without starting; a name may be used once.
    """

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHON": sys.executable, "PYTHONUNBUFFERED": "1", **environment}
        self.services: dict[str, Service] = {}

    def __getitem__(self, name: str) -> Service:
        return self.services[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def stop_all(self, *, patience_s: float = 10) -> None:
        """Ask all services to end at once, and kill those that still run after `patience_s`."""
        stop_together(self.services.values(), patience_s=patience_s)

    def add_api(
        self,
        *,
        name: str = "api",
        processes: int = 1,
        threads: int = 8,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Service:
        """gunicorn with threads on loopback; its address is in `url`."""
        port = port or free_port()
        ours = {"API_BIND": f"127.0.0.1:{port}", "API_PROCESSES": str(processes), "API_THREADS": str(threads)}
        service = self._add(name, role="api", environment={**ours, **(environment or {})})
        service.url = f"http://127.0.0.1:{port}"
        return service

    def add_worker(
        self,
        *,
        name: str = "worker",
        pool: str = "prefork",
        concurrency: int = 4,
        environment: Mapping[str, str] | None = None,
    ) -> Service:
        """A Celery worker. A `solo` pool answers pings itself, so a frozen one is noticed; `prefork` has children."""
        # The leader's id makes the name unique where two stacks share a broker.
        node = f"{name}-{os.getpid()}@caisse"
        ours = {"WORKER_NAME": node, "WORKER_POOL": pool, "WORKER_CONCURRENCY": str(concurrency)}
        service = self._add(name, role="worker", environment={**ours, **(environment or {})})
        broker_url = service.environment["BROKER_URL"] if service.environment else ""
        service.is_ready = partial(worker_has_started, node=node, broker_url=broker_url)
        return service

    def add_sweep(self, *, name: str = "sweep", environment: Mapping[str, str] | None = None) -> Service:
        """`manage.py sweep`, which touches its heartbeat file at every turn."""
        heartbeat = self.folder / f"{name}.heartbeat"
        ours = {"SWEEP_HEARTBEAT": str(heartbeat)}
        service = self._add(name, role="sweep", environment={**ours, **(environment or {})})
        service.sign_of_life = heartbeat
        return service

    def add_beat(self, *, name: str = "beat") -> Service:
        """Celery's timer, for housekeeping only: no sale depends on it."""
        ours = {"BEAT_SCHEDULE": str(self.folder / "beat-schedule"), "BEAT_NAME": f"{name}-{os.getpid()}@caisse"}
        return self._add(name, role="beat", environment=ours)

    def add_flower(self, *, port: int, user: str, password: str, name: str = "flower", url_prefix: str = "") -> Service:
        """Flower on loopback, behind a login, unable to change anything."""
        ours = {
            "FLOWER_ADDRESS": "127.0.0.1",
            "FLOWER_PORT": str(port),
            "FLOWER_URL_PREFIX": url_prefix,
            "FLOWER_DB": str(self.folder / "flower"),
            "FLOWER_READ_ONLY": "1",
            "FLOWER_USER": user,
            "FLOWER_PASSWORD": password,
        }
        service = self._add(name, role="flower", environment=ours)
        service.url = f"http://127.0.0.1:{port}"
        return service

    def add_doctor(self, *, name: str = "doctor") -> Service:
        """The doctor, which runs at once and then every day."""
        return self._add(name, role="doctor", environment={"DOCTOR_TURN": str(self.folder / f"{name}.turn")})

    def add_nginx(
        self,
        *,
        port: int,
        api: Service,
        flower: Service | None = None,
        name: str = "nginx",
        environment: Mapping[str, str] | None = None,
    ) -> Service:
        """nginx in front of them, as an ordinary user, with all its files in its own folder and no secrets."""
        ours = {
            "NGINX_LISTEN": f"127.0.0.1:{port}",
            "NGINX_API": api.url.removeprefix("http://"),
            "NGINX_FLOWER": flower.url.removeprefix("http://") if flower else "127.0.0.1:9",
            "NGINX_FOLDER": str(self.folder / name),
        }
        service = self._add(name, role="nginx", environment={**ours, **(environment or {})}, base=os.environ)
        # A single process, which dies with its parent: the workers of a killed master would go on serving.
        service.command += ["-g", "master_process off;"]
        service.url = f"http://127.0.0.1:{port}"
        return service

    def migrate(self, *, environment: Mapping[str, str] | None = None) -> None:
        """Bring the database to this version. Raises ProcessFailed."""
        self._run("migrate", [START_SCRIPTS / "migrate"], timeout_s=MIGRATING_S_MAX, environment=environment)

    def run_once(self, *arguments: str, timeout_s: float = 300, environment: Mapping[str, str] | None = None) -> str:
        """Run `manage.py` with these arguments and return what it printed. Raises ProcessFailed.

        Secrets go into `environment`: every user of the machine can read a command line.
        """
        command = [sys.executable, "manage.py", *arguments]
        return self._run(arguments[0], command, timeout_s=timeout_s, environment=environment)

    def _run(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        process = Service(
            name=name,
            command=command,
            log=self.folder / "log" / f"{name}.log",
            environment={**self.environment, **(environment or {})},
        )
        process.log.unlink(missing_ok=True)
        process.start()
        try:
            code = process.wait(timeout_s=timeout_s)
        finally:
            process.kill9()
        if code:
            raise ProcessFailed(f"{name} ended with {code}; see {process.log}\n{process.log_tail()}")
        return process.log.read_text(errors="replace")

    def _add(
        self, name: str, *, role: str, environment: Mapping[str, str], base: Mapping[str, str] | None = None
    ) -> Service:
        """Build the service that this role's script starts and its health command probes."""
        if name in self.services:
            raise ValueError(f"there is a service called {name} already")
        own = {**(base or self.environment), **environment}
        service = Service(
            name=name,
            command=[START_SCRIPTS / role],
            log=self.folder / "log" / f"{name}.log",
            environment=own,
        )
        service.answers = partial(is_healthy, role, own)
        self.services[name] = service
        return service
