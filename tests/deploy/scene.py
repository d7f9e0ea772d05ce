"""A running system for tests of alerts: API, worker, sweep, a private Prometheus, and a shop whose tills call."""

import itertools
import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.core.management import call_command

from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Batch
from backend.shops.models import Device
from backend.testing import make_article, make_device, make_shop, make_terminal
from tests.deploy.prometheus import Prometheus

TOKEN = "un-jeton-pour-les-mesures"
PATIENCE_S = 60


class Scene:
    """Everything that runs."""

    def __init__(self, *, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.api = stack.add_api(environment={"METRICS_TOKEN": TOKEN})
        self.worker = stack.add_worker(concurrency=1)
        self.sweep = stack.add_sweep()
        self.prometheus = Prometheus(folder / "prometheus", api_url=self.api.url, token=TOKEN)
        self.shop = make_shop()
        self.article = make_article(self.shop, stock=1_000_000)
        self._numbers = itertools.count(1)

    def start(self) -> None:
        started = (self.api, self.worker, self.sweep)
        for service in started:
            service.start()
        for service in started:
            service.wait_ready()
        self.prometheus.service.start_ready()
        assert wait_until(self.prometheus.reads, timeout_s=PATIENCE_S), self.prometheus.service.log_tail()
        # What was absent before the first reading has been judged, and is over in a moment.
        wait_until(lambda: not self.prometheus.alerts(), timeout_s=5)

    def stop(self) -> None:
        self.prometheus.service.stop()

    def with_posters(self) -> None:
        """Make sure that the worker and the sweep run."""
        stopped = [service for service in (self.worker, self.sweep) if not service.is_running()]
        for service in stopped:
            service.start()
        for service in stopped:
            service.wait_ready()

    def till(self) -> Device:
        return make_device(make_terminal(self.shop))

    def sale(self, **fields: Any) -> dict[str, Any]:
        line = {"article_id": self.article.pk, "quantite": 1, "prix_unitaire": 1000}
        return {"numero_facture": f"FAC-{next(self._numbers)}", "lignes": [line], **fields}

    def call(self, device: Device, path: str, payload: Any) -> int:
        """Post as a till does; return the status."""
        headers = {"X-Device-Serial": device.serial, "Content-Type": "application/json"}
        address = f"{self.api.url}/api/v2/simple/{path}"
        try:
            with urlopen(Request(address, json.dumps(payload).encode(), headers), timeout=20) as answer:
                return answer.status
        except HTTPError as error:
            return error.code

    def hand_over(self, device: Device, *sales: dict[str, Any]) -> Batch:
        assert self.call(device, "ventes/sync", list(sales)) == 202
        return Batch.objects.filter(device=device).latest("pk")

    def wait_settled(self, device: Device) -> None:
        unsettled = Batch.objects.filter(device=device, settled_at=None)
        assert wait_until(lambda: not unsettled.exists(), timeout_s=PATIENCE_S)


def examine() -> None:
    """What runs every night; it ends with 1 when it finds something."""
    with suppress(SystemExit):
        call_command("doctor", json=True, stdout=StringIO())
