"""A private Prometheus with the repository's own configuration and short durations."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from backend.health.probes import http_answers
from backend.localrun.processes import Service, free_port
from backend.localrun.servers import find_program
from tests.deploy.expressions import CONFIGURATION, RULES

# How far a range looks back, instead of minutes and hours: a few readings, so that past events soon leave it.
RANGE = "12s"
HELD_FOR = "1s"
# Asking all workers takes a second of a reading.
READ_EVERY = "2s"
JUDGE_EVERY = "1s"


def find_prometheus(name: str = "prometheus") -> str:
    found = find_program(name)
    if not found:
        pytest.skip(f"{name} is not on this machine (tools/require prometheus)")
    return found


def shorten(rules: str) -> str:
    """Shorten durations and nothing else: thresholds and expressions stay as they are shipped."""
    rules = re.sub(r"^(\s+for: )\S+$", rf"\g<1>{HELD_FOR}", rules, flags=re.MULTILINE)
    return re.sub(r"\[\d+[smhd]\]", f"[{RANGE}]", rules)


def configure(*, target: str, token_file: Path) -> str:
    """Return the repository's configuration for another target, with its own token's file, reading every second."""
    text = CONFIGURATION.read_text()
    for old, new in (
        ('targets: ["api:8000"]', f'targets: ["{target}"]'),
        ("/run/secrets/metrics_token", str(token_file)),
        ("scrape_interval: 15s", f"scrape_interval: {READ_EVERY}"),
        ("evaluation_interval: 15s", f"evaluation_interval: {JUDGE_EVERY}"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    return text


class Prometheus:
    """The server as a service, and its HTTP API."""

    def __init__(self, folder: Path, *, api_url: str, token: str) -> None:
        folder.mkdir(parents=True)
        token_file = folder / "token"
        token_file.write_text(token)
        (folder / "alerts.yml").write_text(shorten(RULES.read_text()))
        (folder / "prometheus.yml").write_text(configure(target=urlsplit(api_url).netloc, token_file=token_file))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            find_prometheus(),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        self.service = Service(name="prometheus", command=command, log=folder / "prometheus.log")
        self.service.answers = lambda: http_answers(port=port, path="/-/ready")

    def ask(self, path: str, **parameters: str) -> Any:
        """Return what the HTTP API answers. A refused expression fails the test with Prometheus' own words."""
        request = Request(f"{self.url}/api/v1/{path}?{urlencode(parameters)}")
        try:
            with urlopen(request, timeout=10) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            pytest.fail(f"{parameters}: {error.read().decode()}")

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self.ask("query", query=expression)["result"]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the pending and firing alerts."""
        return self.ask("alerts")["alerts"]

    def reads(self) -> bool:
        """Return whether the API has been scraped."""

        try:
            return bool(self.query('up{job="caisse"} == 1'))
        except URLError:
            return False
