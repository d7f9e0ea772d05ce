"""Exits with 0 if a process answers, else 1: `python -m backend.health.healthcheck api|worker|sweep|beat|…`.

It reads the same environment as the process's start script (deploy/start), so run it in the same container, or with the
same environment file. It says nothing about other processes: a missing broker or database is no reason to restart one.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from backend.health.probes import file_is_fresh, http_answers, node_name, worker_answers

# A sweep touches its file every two seconds, and between the sales that it posts.
HEARTBEAT_AGE_S_MAX = 4
# The doctor touches its file when it begins, and may take an hour where much is stored.
EXAMINATION_S_MAX = 3600
# A server that listens on all addresses is asked on loopback.
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - nothing is opened


def is_healthy(role: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the process that deploy/start/`role` started with this environment answers."""
    return PROBES[role](environment)


def api_is_healthy(environment: Mapping[str, str]) -> bool:
    address, port = _address_of(environment.get("API_BIND") or "127.0.0.1:8000")
    return http_answers(address=address, port=port, path="/healthz", host=_own_name(environment))


def worker_is_healthy(environment: Mapping[str, str]) -> bool:
    return _answers_pings(environment.get("WORKER_NAME") or "worker@%h", environment)


def sweep_is_healthy(environment: Mapping[str, str]) -> bool:
    heartbeat = environment.get("SWEEP_HEARTBEAT") or Path(environment.get("VAR_DIR") or "var") / "sweep.heartbeat"
    return file_is_fresh(Path(heartbeat), age_s_max=HEARTBEAT_AGE_S_MAX)


def beat_is_healthy(environment: Mapping[str, str]) -> bool:
    """Ping it: its remote control stops answering when its clock stands. Its schedule's file changes too rarely."""
    return _answers_pings(environment.get("BEAT_NAME") or "beat@%h", environment)


def flower_is_healthy(environment: Mapping[str, str]) -> bool:
    address, port = _address_of(
        f"{environment.get('FLOWER_ADDRESS') or '127.0.0.1'}:{environment.get('FLOWER_PORT') or 5555}"
    )
    prefix = environment.get("FLOWER_URL_PREFIX", "").strip("/")
    return http_answers(address=address, port=port, path=f"/{prefix}/healthcheck" if prefix else "/healthcheck")


def nginx_is_healthy(environment: Mapping[str, str]) -> bool:
    address, port = _address_of(environment.get("NGINX_LISTEN") or "127.0.0.1:8080")
    return http_answers(address=address, port=port, path="/nginx-healthz")


def doctor_is_healthy(environment: Mapping[str, str]) -> bool:
    turn = environment.get("DOCTOR_TURN") or Path(environment.get("VAR_DIR") or "var") / "doctor.turn"
    every_s = int(environment.get("DOCTOR_EVERY_S") or 86_400)
    return file_is_fresh(Path(turn), age_s_max=every_s + EXAMINATION_S_MAX)


PROBES: dict[str, Callable[[Mapping[str, str]], bool]] = {
    "api": api_is_healthy,
    "worker": worker_is_healthy,
    "sweep": sweep_is_healthy,
    "beat": beat_is_healthy,
    "flower": flower_is_healthy,
    "nginx": nginx_is_healthy,
    "doctor": doctor_is_healthy,
}


def _address_of(bind: str) -> tuple[str, int]:
    parts = urlsplit(f"//{bind}")
    address = parts.hostname or ""
    return "127.0.0.1" if address in EVERYWHERE else address, parts.port or 80


def _own_name(environment: Mapping[str, str]) -> str:
    """Return a host name that the API accepts: Django refuses all others."""
    names = [name.strip() for name in environment.get("ALLOWED_HOSTS", "").split(",")]
    return next((name.lstrip(".") for name in names if name not in ("", "*")), "")


def _answers_pings(name: str, environment: Mapping[str, str]) -> bool:
    broker_url = _value_or_file("BROKER_URL", environment)
    if not broker_url:
        return True  # running without a broker is legal, and then no ping can be sent
    return worker_answers(node=node_name(name), broker_url=broker_url)


def _value_or_file(name: str, environment: Mapping[str, str]) -> str:
    """Return the setting as the settings read it. They are not imported, because that needs Django."""
    if path := environment.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    return environment.get(name, "")


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in PROBES:
        sys.stderr.write(f"usage: python -m backend.health.healthcheck {'|'.join(PROBES)}\n")
        return 2
    return 0 if is_healthy(sys.argv[1]) else 1


if __name__ == "__main__":
    sys.exit(main())
