"""deploy/kubernetes: each document is one that a cluster takes, and they agree with each other and with Compose."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from backend import __version__
from backend.ops.gauges import GAUGES
from tests.deploy.environment_names import is_read

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
SECRETS_EXAMPLE = "secrets.example.yaml"
# Read by other programs than the cluster.
NO_MANIFESTS = {"kustomization.yaml", "adapter.yaml", "scrape.yaml"}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
# What Compose tells a process and a cluster need not, with the reason.
ONLY_IN_COMPOSE = {
    "FLOWER_URL_PREFIX": "there it stands behind nginx, here behind no ingress",
    "FLOWER_DB": "the default, in VAR_DIR",
    "FLOWER_READ_ONLY": "the default",
    "BEAT_SCHEDULE": "the default, in VAR_DIR",
    "BEAT_NAME": "the default",
    "SWEEP_HEARTBEAT": "the default, in VAR_DIR",
    "WORKER_NAME": "the default, by the pod's name",
}
# Secrets that a role is not handed here, because nothing that it runs reads them.
NOT_HANDED = {
    "migrate": {"SECRET_KEY", "METRICS_TOKEN", "BROKER_URL"},
    "worker": {"SECRET_KEY", "METRICS_TOKEN"},
    "sweep": {"SECRET_KEY", "METRICS_TOKEN"},
    "beat": {"SECRET_KEY", "METRICS_TOKEN", "DATABASE_URL"},
    "flower": {"SECRET_KEY", "METRICS_TOKEN", "DATABASE_URL"},
}
ROLES = ("migrate", "api", "worker", "sweep", "beat", "flower")

Document = dict[str, Any]


def documents_of(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


DOCUMENTS: list[Document] = [each for name in KUSTOMIZATION["resources"] for each in documents_of(FOLDER / name)]
SECRETS = documents_of(FOLDER / SECRETS_EXAMPLE)


def of_kind(kind: str) -> dict[str, Document]:
    return {each["metadata"]["name"]: each for each in DOCUMENTS if each["kind"] == kind}


def templates() -> Iterator[tuple[str, Document]]:
    """Yield every pod that could be started: its component's name and its template."""
    for document in DOCUMENTS:
        specification = document.get("spec", {})
        specification = specification.get("jobTemplate", {}).get("spec", specification)
        if "template" in specification:
            yield document["metadata"]["name"].removeprefix("caisse-"), specification["template"]


PODS = dict(templates())


def containers() -> Iterator[tuple[str, Document, Document]]:
    for name, template in PODS.items():
        pod = template["spec"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            yield name, pod, container


SETTINGS: dict[str, str] = of_kind("ConfigMap")["caisse-settings"]["data"]


def told_to(name: str) -> dict[str, str]:
    """The environment of a component's container, by the names that settings know."""
    container = PODS[name]["spec"]["containers"][0]
    own = {each["name"].removesuffix("_FILE"): each["value"] for each in container.get("env", [])}
    return {**SETTINGS, **own}


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


@pytest.mark.parametrize("document", [*DOCUMENTS, *SECRETS], ids=lambda it: f"{it['kind']}-{it['metadata']['name']}")
def test_a_cluster_takes_it(document: Document) -> None:
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_every_file_is_applied_or_says_why_not() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        *KUSTOMIZATION["resources"],
        *NO_MANIFESTS,
        SECRETS_EXAMPLE,
    }


def test_no_secret_stands_in_a_file() -> None:
    assert of_kind("Secret") == {}
    assert [value for secret in SECRETS for value in secret["stringData"].values() if value] == []


@pytest.mark.parametrize("role", ROLES)
def test_it_starts_what_compose_starts(role: str) -> None:
    command = PODS[role]["spec"]["containers"][0]["command"]
    assert command == COMPOSE[role]["command"]
    assert (ROOT / command[0]).is_file()


def test_the_jobs_start_files_of_ours() -> None:
    for name in ("backup", "binlogs", "doctor"):
        command = PODS[name]["spec"]["containers"][0]["command"]
        assert command == ["python", "manage.py", "doctor"] or (ROOT / command[0]).is_file()


@pytest.mark.parametrize("role", ROLES)
def test_it_is_told_by_the_names_that_compose_uses(role: str) -> None:
    there = {name.removesuffix("_FILE") for name in COMPOSE[role]["environment"]}
    assert there - told_to(role).keys() - ONLY_IN_COMPOSE.keys() == NOT_HANDED.get(role, set())


def test_every_variable_is_read_by_something() -> None:
    names = {name for role in PODS for name in told_to(role)}
    assert [name for name in sorted(names) if not is_read(name)] == []


def test_settings_hold_no_secret() -> None:
    assert [name for name in SETTINGS if re.search(r"PASSWORD|SECRET|TOKEN|DATABASE_URL|BROKER_URL", name)] == []


def test_every_secret_and_setting_that_a_pod_asks_for_is_named() -> None:
    known = {secret["metadata"]["name"]: set(secret["stringData"]) for secret in SECRETS}
    handed: dict[str, set[str]] = {name: set() for name in known}
    for name, pod, container in containers():
        assert [source["configMapRef"]["name"] for source in container["envFrom"]] == ["caisse-settings"]
        (secret,) = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
        keys = {item["key"]: item["path"] for item in secret["items"]}
        assert keys.keys() <= known[secret["secretName"]], name
        assert secret["defaultMode"] & 0o007 == 0
        handed[secret["secretName"]] |= keys.keys()
        (place,) = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secrets"]
        told = {each["value"] for each in container["env"] if each["name"].endswith("_FILE")}
        assert told <= {f"{place}/{path}" for path in keys.values()}, name
        if container in pod["containers"]:
            assert len(told) == len(keys), name
    assert handed == known


def test_only_the_migrations_may_alter_tables() -> None:
    assert [
        name
        for name, template in PODS.items()
        if any(each.get("secret", {}).get("secretName") == "caisse-migrations" for each in template["spec"]["volumes"])
    ] == ["migrate"]


def test_nothing_can_be_more_than_it_needs() -> None:
    for name, pod, container in containers():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert {"/tmp", SETTINGS["VAR_DIR"]} <= {mount["mountPath"] for mount in container["volumeMounts"]}


def test_every_image_is_ours_with_a_version_that_kustomize_names() -> None:
    renamed = {image["name"]: image for image in KUSTOMIZATION["images"]}
    for name, _pod, container in containers():
        image, _, tag = container["image"].partition(":")
        assert tag == renamed[image]["newTag"] == __version__, name
        stage = {"caisse": "app", "caisse-backup": "backup"}[image]
        assert re.search(rf"^FROM \S+ AS {stage}$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)


def test_no_service_of_the_cluster_writes_into_our_variables() -> None:
    assert [name for name, pod, _container in containers() if pod.get("enableServiceLinks") is not False] == []


@pytest.mark.parametrize("name", ["api", "worker", "sweep"])
def test_what_stands_twice_is_not_taken_away_at_once(name: str) -> None:
    labels = PODS[name]["metadata"]["labels"]
    assert of_kind("Deployment")[f"caisse-{name}"]["spec"]["replicas"] >= 2
    budget = of_kind("PodDisruptionBudget")[f"caisse-{name}"]["spec"]
    assert selects(budget["selector"]["matchLabels"], labels)
    (spread,) = PODS[name]["spec"]["topologySpreadConstraints"]
    assert selects(spread["labelSelector"]["matchLabels"], labels)


def test_there_is_one_beat_and_never_two() -> None:
    beat = of_kind("Deployment")["caisse-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]["type"]) == (1, "Recreate")


def test_selectors_find_their_pods_and_nobody_elses() -> None:
    for name, deployment in of_kind("Deployment").items():
        selector = deployment["spec"]["selector"]["matchLabels"]
        found = [pod for pod, template in PODS.items() if selects(selector, template["metadata"]["labels"])]
        assert [f"caisse-{each}" for each in found] == [name]


def test_services_lead_to_a_port_of_their_pods_and_nobody_is_nobody() -> None:
    for name, service in of_kind("Service").items():
        found = [each for each in PODS.values() if selects(service["spec"]["selector"], each["metadata"]["labels"])]
        assert len(found) == (0 if name == "caisse-nobody" else 1), name
        for template in found:
            (container,) = template["spec"]["containers"]
            assert [port["name"] for port in container["ports"]] == [service["spec"]["ports"][0]["targetPort"]]


def test_the_ports_are_those_that_the_processes_take() -> None:
    (api,), (flower,) = (PODS[name]["spec"]["containers"] for name in ("api", "flower"))
    assert SETTINGS["API_BIND"] == f"0.0.0.0:{api['ports'][0]['containerPort']}"
    assert SETTINGS["FLOWER_PORT"] == str(flower["ports"][0]["containerPort"])


def test_nothing_that_watches_is_open_to_the_outside() -> None:
    (ingress,) = of_kind("Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    leads = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert leads == {"/metrics": "caisse-nobody", "/readyz": "caisse-nobody", "/": "caisse-api"}
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    assert rule["host"] in SETTINGS["ALLOWED_HOSTS"].split(",")
    assert [each["spec"].get("type", "ClusterIP") for each in of_kind("Service").values()] == ["ClusterIP"] * 3


def test_who_asks_the_api_calls_it_by_a_name_that_it_answers_to() -> None:
    (api,) = PODS["api"]["spec"]["containers"]
    called = {
        header["value"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        for header in api[probe]["httpGet"]["httpHeaders"]
    }
    (job,) = yaml.safe_load((FOLDER / "scrape.yaml").read_text())
    called |= {target.partition(":")[0] for target in job["static_configs"][0]["targets"]}
    assert called <= set(SETTINGS["ALLOWED_HOSTS"].split(","))


def test_a_dead_redis_takes_no_intake_away() -> None:
    (api,) = PODS["api"]["spec"]["containers"]
    assert api["readinessProbe"]["httpGet"]["path"] == "/readyz?for=intake"
    assert api["livenessProbe"]["httpGet"]["path"] == "/healthz"


@pytest.mark.parametrize("role", ["worker", "sweep", "beat", "flower"])
def test_its_health_is_asked_as_in_compose(role: str) -> None:
    (container,) = PODS[role]["spec"]["containers"]
    assert container["livenessProbe"]["exec"]["command"] == COMPOSE[role]["healthcheck"]["test"][1:]


@pytest.mark.parametrize("role", ["api", "worker", "sweep", "beat", "flower"])
def test_it_is_given_the_time_to_end(role: str) -> None:
    grace_s = PODS[role]["spec"]["terminationGracePeriodSeconds"]
    assert f"{grace_s}s" == COMPOSE[role].get("stop_grace_period", "30s")


def test_the_autoscaler_counts_what_the_metrics_tell() -> None:
    (rule,) = yaml.safe_load((FOLDER / "adapter.yaml").read_text())["rules"]["external"]
    external = [
        metric["external"]["metric"]["name"]
        for scaler in of_kind("HorizontalPodAutoscaler").values()
        for metric in scaler["spec"]["metrics"]
        if metric["type"] == "External"
    ]
    assert external == [rule["name"]["as"]] == ["caisse_sales_waiting"]
    for query in (rule["seriesQuery"], rule["metricsQuery"]):
        name, label = re.search(r'(caisse_\w+)\{(\w+)="no"\}', query).groups()
        assert label in GAUGES[name].labels


def test_what_is_scaled_is_there() -> None:
    for scaler in of_kind("HorizontalPodAutoscaler").values():
        target = scaler["spec"]["scaleTargetRef"]
        deployment = of_kind(target["kind"])[target["name"]]
        assert deployment["spec"]["replicas"] == scaler["spec"]["minReplicas"]


def test_network_policies_name_pods_that_there_are() -> None:
    for name, policy in of_kind("NetworkPolicy").items():
        selector = policy["spec"]["podSelector"].get("matchLabels", {})
        found = [pod for pod, template in PODS.items() if selects(selector, template["metadata"]["labels"])]
        assert found == (["api"] if name == "caisse-to-api" else list(PODS)), name


def test_whoever_keeps_something_has_a_claim_for_it() -> None:
    claimed = {
        volume["persistentVolumeClaim"]["claimName"]
        for template in PODS.values()
        for volume in template["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claimed == of_kind("PersistentVolumeClaim").keys()
