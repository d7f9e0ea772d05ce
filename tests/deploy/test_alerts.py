"""On a running stack a real Prometheus finds each measure that a rule names, is silent, and fires when things go wrong.

What fires each rule is written in tests/deploy/alert_inputs.py. The private Prometheus reads the repository's files;
durations are shortened (tests/deploy/prometheus.py), thresholds and expressions are not.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.db.models import F
from pytest_django import DjangoDbBlocker

from backend.inventory.models import ArticleUnit
from backend.localrun.processes import PROJECT_FOLDER, wait_until
from backend.localrun.servers import PrivateRedis
from backend.localrun.stack import Stack
from backend.observability.counters import CATALOGUE
from backend.ops.gauges import GAUGES
from backend.sales.errors import SaleRefused
from tests.conformity import operation_of
from tests.deploy.expressions import (
    ITS_OWN,
    RULES,
    all_expressions,
    family_of,
    metrics_in,
    read_rules,
    selectors_in,
)
from tests.deploy.prometheus import configure, find_prometheus, shorten
from tests.deploy.scene import PATIENCE_S, Scene, examine
from tests.plugin import Rig
from tests.tables import empty_tables
from tests.tills import SYNC

HEALTHY_S = 8


@pytest.fixture(scope="module")
def scene(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """One stack and one Prometheus for this file."""
    find_prometheus()
    if not rig.mariadb or not isinstance(rig.redis, PrivateRedis):
        pytest.skip("the servers of this run are not ours to stop")
    folder = tmp_path_factory.mktemp("alerts")
    environment = {"DATABASE_URL": rig.database_url, "BROKER_URL": rig.broker_url}
    with django_db_blocker.unblock():
        empty_tables(connection)
        with Stack(folder=folder, environment=environment) as stack:
            scene = Scene(stack=stack, folder=folder)
            try:
                examine()
                scene.start()
                yield scene
            finally:
                scene.stop()
        empty_tables(connection)
        connections.close_all()


def test_nothing_fires_on_a_healthy_stack(scene: Scene) -> None:
    till = scene.till()

    def was_silent() -> bool:
        """Whether sales were posted for a while without any pending alert."""
        began_at = time.monotonic()
        while time.monotonic() - began_at < HEALTHY_S:
            scene.hand_over(till, *(scene.sale() for _ in range(5)))
            scene.wait_settled(till)
        seen.append(scene.prometheus.query(f"count by (alertname, alertstate) (count_over_time(ALERTS[{HEALTHY_S}s]))"))
        return not seen[-1]

    seen: list[object] = []
    # A second time where a slow machine missed a reading: with durations this short that is an alert.
    assert wait_until(was_silent, timeout_s=3 * HEALTHY_S), seen
    # Silence means something only where there is something to hear.
    groups = scene.prometheus.ask("rules")["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


def test_every_selector_finds_something(scene: Scene) -> None:
    """A label or a value with a typo selects nothing, and an alert on nothing is silent for ever."""
    scene.with_posters()
    till = scene.till()
    assert scene.call(till, "etat", {"heure": "2020-01-01T12:00:00+00:00"}) == 200
    selectors = {selector for expression in all_expressions() for selector in selectors_in(expression)}
    assert selectors

    def that_find_nothing() -> set[str]:
        return {one for one in selectors if not scene.prometheus.ask("series", **{"match[]": one})}

    assert wait_until(lambda: not that_find_nothing(), timeout_s=20, pause_s=1), that_find_nothing()
    assert scene.call(till, "etat", {"heure": datetime.now(UTC).isoformat()}) == 200


def test_prometheus_takes_every_expression(scene: Scene) -> None:
    for expression in all_expressions():
        scene.prometheus.query(expression)


def test_what_goes_wrong_is_seen_and_said(scene: Scene) -> None:
    """A till's clock, stock without a movement, posts that are no batches, an article list that was not imported, and a
    worker that answers while its children hang."""
    scene.with_posters()
    till = scene.till()
    ArticleUnit.objects.filter(article=scene.article).update(stock=F("stock") + 1)
    examine()
    assert scene.call(till, "etat", {"heure": (datetime.now(UTC) - timedelta(days=3)).isoformat()}) == 200
    assert {scene.call(till, "ventes/sync", []) for _ in range(50)} == {400}
    unknown = [{"article_id": 999_999_999, "quantite": 1, "prix_unitaire": 1000}]
    # Far more than it takes: on a slow machine they are counted in several readings, and a range has few.
    for _ in range(4):
        scene.hand_over(till, *(scene.sale(lignes=unknown) for _ in range(60)))
    scene.wait_settled(till)
    for pid in scene.worker.children():
        os.kill(pid, signal.SIGSTOP)
    scene.hand_over(till, scene.sale())
    due = {
        "CaisseTillClockWrong", "CaisseDoctorFoundSomething", "CaisseIntakeRefused", "CaisseRefusalsUnusual",
        "CaisseSweepPostsItself",
    }  # fmt: skip
    fired: dict[str, dict[str, str]] = {}

    def all_have_fired() -> bool:
        # Not all at once: what counts in a range is over when the range is.
        alerts = (alert for alert in scene.prometheus.alerts() if alert["state"] == "firing")
        fired.update({alert["labels"]["alertname"]: alert["annotations"] for alert in alerts})
        return due <= set(fired)

    assert wait_until(all_have_fired, timeout_s=PATIENCE_S, pause_s=0.2), due - set(fired)
    # A template that fails says so in the sentence that people get.
    said = " ".join(sentence for annotations in fired.values() for sentence in annotations.values())
    assert "error expanding template" not in said
    assert "<no value>" not in said
    assert f"{scene.shop.code} {till.terminal.name}" in fired["CaisseTillClockWrong"]["description"]


def test_every_metric_is_one_that_we_tell() -> None:
    told = {*CATALOGUE, *GAUGES, *ITS_OWN}
    named = {metric for expression in all_expressions() for metric in metrics_in(expression)}
    assert {metric for metric in named if metric not in told and family_of(metric) not in told} == set()


def test_every_metric_that_we_tell_is_watched() -> None:
    """Each exported metric is used by a rule or a panel."""
    named = {family_of(metric) for expression in all_expressions() for metric in metrics_in(expression)}
    assert {*CATALOGUE, *GAUGES} - named == set()


def test_every_reason_and_answer_is_told_from_the_start() -> None:
    """For Prometheus, a series that begins at sixty has not risen."""
    assert {refused.code for refused in all_below(SaleRefused)} == set(CATALOGUE["caisse_refusals_total"].values)
    answers = operation_of("post", SYNC)["responses"].values()
    refused = {
        code
        for answer in answers
        for kind, described in answer["content"].items() if kind == "application/problem+json"
        for code in described["schema"]["properties"]["code"]["enum"]
    }  # fmt: skip
    assert refused | {"accepted", "repeated"} == set(CATALOGUE["caisse_intake_total"].values)


def all_below(refusal: type[SaleRefused]) -> set[type[SaleRefused]]:
    below = set(refusal.__subclasses__())
    return below.union(*(all_below(one) for one in below))


@pytest.mark.parametrize("expression", [
    'sum by (code) (rate(caisse_a_total{code!="x", by="caisse_no"}[5m])) > on() group_left() caisse_b offset 5m',
    "histogram_quantile(0.95, sum by (le) (caisse_a_total)) or caisse_b and ignoring (caisse_c) caisse_a_total",
])  # fmt: skip
def test_the_names_in_an_expression_are_found(expression: str) -> None:
    assert metrics_in(expression) == {"caisse_a_total", "caisse_b"}


def test_promtool_takes_rules_and_configuration(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("jeton")
    (tmp_path / "alerts.yml").write_text(RULES.read_text())
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(configure(target="127.0.0.1:8000", token_file=token))
    promtool = find_prometheus("promtool")
    checked = subprocess.run([promtool, "check", "config", configuration], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(read_rules())} rules found" in checked.stdout


def test_every_alert_says_what_is_wrong_how_bad_and_where_to_read_on() -> None:
    for rule in read_rules():
        assert rule.held_for, rule
        assert rule.severity in {"critical", "warning"}, rule
        assert set(rule.annotations) == {"summary", "description", "runbook"}, rule
        assert rule.annotations["runbook"] == f"docs/operations.md#{rule.name.lower()}"
    keys = [rule.key for rule in read_rules()]
    assert len(set(keys)) == len(keys)


def test_every_runbook_has_its_section() -> None:
    page = PROJECT_FOLDER / "docs" / "operations.md"
    headings = re.findall(r"^#+ (Caisse\w+)$", page.read_text(), flags=re.MULTILINE)
    assert {rule.name for rule in read_rules()} == set(headings)


def test_only_durations_are_shortened() -> None:
    plain = re.compile(r"(?:for: |\[)\d+[smhd]")
    assert plain.sub("", shorten(RULES.read_text())) == plain.sub("", RULES.read_text())
    assert "[10m]" not in shorten(RULES.read_text())
