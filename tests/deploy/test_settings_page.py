"""docs/operations.md names every variable that an operator can set, and none that nothing reads."""

import re

from tests.deploy.environment_names import ROOT, is_read

PAGE = (ROOT / "docs" / "operations.md").read_text()
TABLE = PAGE[PAGE.index("\n## Settings") : PAGE.index("\n## Upgrade")]
# Set by the scripts themselves, or the shell's.
NOT_SET_BY_HAND = {"ROLE", "PYTHON", "PATH", "PWD", "REMAP_SIGTERM", "TEST_DATABASE_NAME"}
# How the scripts and the settings read a variable.
READ = (re.compile(r"\$\{?([A-Z][A-Z_]+)"), re.compile(r"\benv\.\w+\(\"([A-Z_]+)\""))


def test_what_is_read_is_described() -> None:
    files = [*(ROOT / "deploy" / "start").iterdir(), ROOT / "backend" / "config" / "settings.py"]
    read = {name for file in files for pattern in READ for name in pattern.findall(file.read_text())}
    assert len(read) > 40
    described = set(re.findall(r"`([A-Z][A-Z_]+)`", TABLE))
    assert {name.removesuffix("_FILE") for name in read} - NOT_SET_BY_HAND - described == set()


def test_what_is_described_is_read() -> None:
    first_columns = [line.split("|")[1] for line in TABLE.splitlines() if line.startswith("| `")]
    described = {name for column in first_columns for name in re.findall(r"`([A-Z][A-Z_]+)`", column)}
    assert {name for name in described if not is_read(name)} == set()
