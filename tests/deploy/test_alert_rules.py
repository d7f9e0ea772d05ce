"""Each rule of alerts.yml, unshortened, is fired by promtool on measures that are written down here, and on no less.

tests/deploy/test_alerts.py sees on a running stack that the measures are told as they are written here.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backend.observability.counters import CATALOGUE
from backend.ops.gauges import GAUGES
from tests.deploy.alert_inputs import HEALTHY, MINUTES, SITUATIONS, Firing, Series, Situation
from tests.deploy.expressions import RULES, Rule, family_of, labels_in, metrics_in, read_rules
from tests.deploy.prometheus import find_prometheus

END = f"{MINUTES}m"
BY_KEY = {rule.key: rule for rule in read_rules()}
IDS = [f"{number}-{situation.id}" for number, situation in enumerate(SITUATIONS)]


def run_promtool(folder: Path, *tests: Mapping[str, Any]) -> None:
    """Have promtool judge these tests of the repository's rules, read every minute."""
    file = folder / "tests.yml"
    # YAML reads JSON.
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    command = [find_prometheus("promtool"), "test", "rules", file]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def measured(series: Series, **expected: Any) -> dict[str, Any]:
    """A test of promtool: these series over a healthy day."""
    laid_over = {name: values for name, values in {**HEALTHY, **series}.items() if values is not None}
    inputs = [{"series": name, "values": values} for name, values in laid_over.items()]
    return {"interval": "1m", "input_series": inputs, **expected}


def firing_at(time: str, *firings: Firing, name: str) -> dict[str, Any]:
    """All alerts of this name that fire at this time, as people get them."""
    return {
        "eval_time": time,
        "alertname": name,
        "exp_alerts": [
            {
                "exp_labels": {"severity": firing.severity, **firing.labels},
                "exp_annotations": {
                    **BY_KEY[firing.key].annotations,
                    "summary": firing.summary,
                    **({"description": firing.description} if firing.description else {}),
                },
            }
            for firing in firings
            if firing.name == name
        ],
    }


def alerts_at(time: str, *labels: Mapping[str, str], where: str) -> dict[str, Any]:
    """The alerts at this time, by name and severity."""
    found = [{"labels": written(one), "value": 1} for one in labels]
    return {"expr": f"max by (alertname, severity) (ALERTS{where})", "eval_time": time, "exp_samples": found}


def written(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def minutes_of(rule: Rule) -> int:
    return int(rule.held_for[:-1]) * {"m": 1, "h": 60}[rule.held_for[-1]]


def firing_of(firing: Firing) -> str:
    return f'{{alertname="{firing.name}",severity="{firing.severity}",alertstate="firing"}}'


def test_nothing_is_so_much_as_pending_on_a_healthy_day(tmp_path: Path) -> None:
    silent = {"expr": f"count by (alertname) (count_over_time(ALERTS[{END}]))", "eval_time": END, "exp_samples": []}
    run_promtool(tmp_path, measured({}, promql_expr_test=[silent]))


@pytest.mark.parametrize("situation", SITUATIONS, ids=IDS)
def test_it_fires_alone_when_it_has_waited_and_not_for_a_little_less(tmp_path: Path, situation: Situation) -> None:
    first = situation.fires[0]
    names = {firing.name for firing in situation.fires}
    keys = [{"alertname": firing.name, "severity": firing.severity} for firing in situation.fires]
    fires = measured(
        situation.series,
        alert_rule_test=[firing_at(END, *situation.fires, name=name) for name in names],
        promql_expr_test=[
            alerts_at(f"{minutes_of(BY_KEY[first.key]) - 1}m", where=firing_of(first)),
            alerts_at(END, *keys, where='{alertstate="firing"}'),
        ],
    )
    never = {"expr": f"count_over_time(ALERTS{firing_of(first)}[{END}])", "eval_time": END, "exp_samples": []}
    a_little_less = measured({**situation.series, **situation.but}, promql_expr_test=[never])
    run_promtool(tmp_path, fires, a_little_less)


def test_every_rule_is_fired_here() -> None:
    assert {firing.key for situation in SITUATIONS for firing in situation.fires} == set(BY_KEY)


def test_the_measures_are_written_as_they_are_told() -> None:
    """With a label or value that no process exports, a rule would fire in this test only."""
    every = {*HEALTHY, *(name for situation in SITUATIONS for name in (*situation.series, *situation.but))}
    for series in sorted(every):
        (name,) = metrics_in(series)
        labels = labels_in(series)
        if name == "up":
            continue
        declared = CATALOGUE.get(family_of(name)) or GAUGES[name]
        assert set(labels) == {*declared.labels, *(["le"] if name.endswith("_bucket") else [])}, series
        values = getattr(declared, "values", ())
        assert not values or set(labels.values()) <= set(values), series
