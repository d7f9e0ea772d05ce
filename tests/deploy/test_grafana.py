"""The dashboard can be read by any Grafana: core panels, a source that is chosen, a unit on everything shown."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from backend.localrun.processes import PROJECT_FOLDER
from tests.deploy.expressions import DASHBOARDS, GRAFANA_FOLDER, dashboard_expressions, panels_of, read_dashboard
from tests.deploy.prometheus import find_prometheus

CORE_PANELS = {"stat", "timeseries", "table"}
COLUMNS = 24

Dashboard = dict[str, Any]


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    return read_dashboard(request.param)


def test_there_is_a_dashboard() -> None:
    assert DASHBOARDS


def test_each_panel_says_what_it_shows_and_in_which_unit(dashboard: Dashboard) -> None:
    for panel in panels_of(dashboard):
        assert panel["type"] in CORE_PANELS, panel["title"]
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        shown = panel["fieldConfig"]["defaults"]
        assert shown["unit"], panel["title"]
        assert shown["thresholds"]["steps"][0]["value"] is None, panel["title"]
        limits = [step["value"] for step in shown["thresholds"]["steps"][1:]]
        assert limits == sorted(limits), panel["title"]


def test_no_source_is_named_but_the_chosen_one(dashboard: Dashboard) -> None:
    sources = list(sources_in(dashboard))
    assert sources
    assert {source["uid"] for source in sources} == {"${datasource}"}
    (variable,) = dashboard["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")


def test_panels_lie_beside_each_other(dashboard: Dashboard) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
    assert not [pair for pair in itertools.combinations(places, 2) if overlap(*pair)]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_promtool_takes_every_expression(dashboard: Dashboard, tmp_path: Path) -> None:
    rules = [
        {"record": f"shown:{number}", "expr": expression}
        for number, expression in enumerate(dashboard_expressions(dashboard))
    ]
    file = tmp_path / "shown.yml"
    file.write_text(json.dumps({"groups": [{"name": "shown", "rules": rules}]}))
    promtool = find_prometheus("promtool")
    checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_what_is_provisioned_is_where_it_is_said_to_be() -> None:
    (provider,) = yaml.safe_load((GRAFANA_FOLDER / "provisioning/dashboards/caisse.yml").read_text())["providers"]
    assert provider["type"] == "file"
    services = yaml.safe_load((PROJECT_FOLDER / "docker-compose.yml").read_text())["services"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in services["grafana"]["volumes"]
    (source,) = yaml.safe_load((GRAFANA_FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    assert urlsplit(source["url"]).hostname in services


def sources_in(part: object) -> Any:
    """Yield every `datasource` anywhere in the dashboard."""
    if isinstance(part, dict):
        if isinstance(part.get("datasource"), dict):
            yield part["datasource"]
        for inner in part.values():
            yield from sources_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from sources_in(inner)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
