"""The processes of this system on one machine: API, workers, sweeps, beat, Flower, on a given database and broker.

`manage.py run` and the acceptance tests start the same programs with the same environment names as production.
"""

import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Self

from backend.ops.probes import file_is_fresh, http_answers, worker_answers, worker_has_started
from backend.ops.processes import ProcessFailed, Service, free_port, stop_together

# A sweep touches its file every two seconds, and between the sales that it posts.
HEARTBEAT_AGE_S_MAX = 4
PYTHON_MODULE = (sys.executable, "-m")
# The 50 invoice numbers that a till may ask for in one GET do not fit into gunicorn's 4,094 bytes.
REQUEST_LINE_BYTES_MAX = 8190


class Stack:
    """Builds services and keeps them by name, so that each can be frozen or killed, and all be stopped.

    `environment` is laid over this process's own and must name DATABASE_URL, BROKER_URL ('' for none) and SECRET_KEY.
    Logs and small files lie in `folder`. The `add_…` methods build without starting; a name may be used once.
    """

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self.services: dict[str, Service] = {}

    def __getitem__(self, name: str) -> Service:
        return self.services[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def stop_all(self, *, patience_s: float = 10) -> None:
        """End everything: first whoever takes work in or starts it, all at once, then by force."""
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
        options = {
            "bind": f"127.0.0.1:{port}",
            "worker-class": "gthread",
            "workers": processes,
            "threads": threads,
            "timeout": 30,
            "graceful-timeout": 8,
            "limit-request-line": REQUEST_LINE_BYTES_MAX,
        }
        command = [*PYTHON_MODULE, "gunicorn", "backend.config.wsgi", "--no-control-socket"]
        command += [f"--{option}={value}" for option, value in options.items()]
        service = self._add(name, role="api", command=command, environment=environment)
        service.url = f"http://127.0.0.1:{port}"
        service.answers = partial(http_answers, port=port, path="/healthz")
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
        options = ["--hostname", node, "--pool", pool, "--concurrency", str(concurrency), "--loglevel", "INFO"]
        options += ["--without-gossip", "--without-mingle"]
        command = [*PYTHON_MODULE, "celery", "-A", "workers", "worker", *options]
        # A polite stop puts the message back after the soft shutdown's time, instead of waiting without limit.
        ours = {"REMAP_SIGTERM": "SIGQUIT", **(environment or {})}
        service = self._add(name, role="worker", command=command, environment=ours)
        broker_url = service.environment["BROKER_URL"] if service.environment else ""
        service.answers = partial(worker_answers, node=node, broker_url=broker_url)
        service.is_ready = partial(worker_has_started, node=node, broker_url=broker_url)
        return service

    def add_sweep(self, *, name: str = "sweep", environment: Mapping[str, str] | None = None) -> Service:
        """`manage.py sweep`, which touches its heartbeat file at every turn."""
        heartbeat = self.folder / f"{name}.heartbeat"
        command = [sys.executable, "manage.py", "sweep"]
        ours = {"SWEEP_HEARTBEAT": str(heartbeat), **(environment or {})}
        service = self._add(name, role="sweep", command=command, environment=ours)
        service.sign_of_life = heartbeat
        service.answers = partial(file_is_fresh, heartbeat, age_s_max=HEARTBEAT_AGE_S_MAX)
        return service

    def add_beat(self, *, name: str = "beat") -> Service:
        """Celery's timer, for housekeeping only: the sweep does not depend on it."""
        schedule = ["--schedule", str(self.folder / "beat-schedule"), "--pidfile", "", "--loglevel", "INFO"]
        return self._add(name, role="beat", command=[*PYTHON_MODULE, "celery", "-A", "workers", "beat", *schedule])

    def add_flower(self, *, port: int, user: str, password: str, name: str = "flower") -> Service:
        """Flower on loopback, behind a login, unable to change anything."""
        options = {
            "address": "127.0.0.1",
            "port": port,
            "persistent": "True",
            "db": self.folder / "flower",
            "state_save_interval": 60_000,
            "purge_offline_workers": 600,
        }
        command = [*PYTHON_MODULE, "celery", "-A", "workers", "flower", "--read-only"]
        command += [f"--{option}={value}" for option, value in options.items()]
        # By the environment, because every user of a machine can read a command line.
        login = {"FLOWER_BASIC_AUTH": f"{user}:{password}"}
        service = self._add(name, role="flower", command=command, environment=login)
        service.url = f"http://127.0.0.1:{port}"
        service.answers = partial(http_answers, port=port, path="/healthcheck")
        return service

    def run_once(self, *arguments: str, timeout_s: float = 300) -> str:
        """Run `manage.py` with these arguments to its end and return what it printed. Raises ProcessFailed."""
        process = Service(
            name=arguments[0],
            command=[sys.executable, "manage.py", *arguments],
            log=self.folder / "log" / f"{arguments[0]}.log",
            environment=self.environment,
        )
        process.log.unlink(missing_ok=True)
        process.start()
        try:
            code = process.wait(timeout_s=timeout_s)
        finally:
            process.kill9()
        if code:
            raise ProcessFailed(f"{arguments[0]} ended with {code}; see {process.log}\n{process.log_tail()}")
        return process.log.read_text(errors="replace")

    def _add(
        self, name: str, *, role: str, command: list[str], environment: Mapping[str, str] | None = None
    ) -> Service:
        if name in self.services:
            raise ValueError(f"there is a service called {name} already")
        service = Service(
            name=name,
            command=command,
            log=self.folder / "log" / f"{name}.log",
            environment={**self.environment, "ROLE": role, **(environment or {})},
        )
        self.services[name] = service
        return service
