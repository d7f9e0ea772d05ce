"""Reads the rules and expressions of alerts.yml and the dashboard, and the metrics that they name."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from backend.localrun.processes import PROJECT_FOLDER

PROMETHEUS_FOLDER = PROJECT_FOLDER / "deploy" / "prometheus"
GRAFANA_FOLDER = PROJECT_FOLDER / "deploy" / "grafana"
CONFIGURATION = PROMETHEUS_FOLDER / "prometheus.yml"
RULES = PROMETHEUS_FOLDER / "alerts.yml"
DASHBOARDS = sorted((GRAFANA_FOLDER / "dashboards").glob("*.json"))

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
MATCHERS = re.compile(r"\{[^{}]*\}")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\b\s*\([^()]*\)")
RANGE = re.compile(r"\[[^\[\]]*\]")
# A name that is no function: nothing but a call is followed by a bracket.
NAME = re.compile(r"(?<![\w.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan", "by", "without", "on", "ignoring"})
# A name with its matchers, if it has any.
SELECTOR = re.compile(r"\b(?:caisse_\w+|up)\b(?:\{[^{}]*\})?")
# Metrics that Prometheus itself makes.
ITS_OWN = frozenset({"up", "ALERTS"})
HISTOGRAM_PARTS = re.compile(r"_(?:bucket|sum|count)$")


@dataclass(frozen=True)
class Rule:
    """An alert of alerts.yml; its name and severity together are its identity."""

    name: str
    severity: str
    expression: str
    held_for: str
    annotations: dict[str, str]

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.severity


def read_rules() -> list[Rule]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [
        Rule(rule["alert"], rule["labels"]["severity"], rule["expr"], rule.get("for", ""), rule["annotations"])
        for group in groups
        for rule in group["rules"]
    ]


def read_dashboard(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def panels_of(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels that show something, also those inside folded rows."""
    for panel in dashboard["panels"]:
        yield from (inner for inner in (panel, *panel.get("panels", ())) if inner["type"] != "row")


def dashboard_expressions(dashboard: dict[str, Any], *, interval: str = "1m") -> list[str]:
    """Return every expression as Grafana would send it, with its own variables filled in."""
    expressions = [target["expr"] for panel in panels_of(dashboard) for target in panel["targets"]]
    expressions += [note["expr"] for note in dashboard["annotations"]["list"] if "expr" in note]
    return [re.sub(r"\$__(?:rate_interval|interval|range)", interval, expression) for expression in expressions]


def all_expressions() -> list[str]:
    shown = [one for path in DASHBOARDS for one in dashboard_expressions(read_dashboard(path))]
    queried = [
        inner for rule in read_rules() for text in rule.annotations.values()
        for inner in re.findall(r'query "([^"]+)"', text)
    ]  # fmt: skip
    return [*(rule.expression for rule in read_rules()), *queried, *shown]


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that an expression names: the names that are no labels, functions or keywords."""
    text = expression
    for ignored in (QUOTED, MATCHERS, RANGE, GROUPING):
        text = ignored.sub(" ", text)
    return set(NAME.findall(text)) - WORDS


def family_of(metric: str) -> str:
    """Return the name under which the metric is declared: a histogram's parts have suffixes."""
    return HISTOGRAM_PARTS.sub("", metric)


def selectors_in(expression: str) -> set[str]:
    return set(SELECTOR.findall(re.sub(GROUPING, " ", expression)))


def labels_in(series: str) -> dict[str, str]:
    """Return the labels of one series and their values."""
    return dict(re.findall(r'(\w+)="([^"]*)"', series))
