"""What deploy/Dockerfile would put into an image. The file is read, not built; docs/operations.md says how to build."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

from backend import __version__

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
DOCKERIGNORE = ROOT / ".dockerignore"
APP = PurePosixPath("/opt/caisse/app")
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|KEY|_URL", re.IGNORECASE)


class Step(NamedTuple):
    stage: str
    word: str
    rest: str


def read_steps() -> list[Step]:
    steps, stage = [], ""
    without_comments = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", "", without_comments).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.rpartition(" AS ")[2]
        if word:
            steps.append(Step(stage, word, rest.strip()))
    return steps


STEPS = read_steps()
STAGES = list(dict.fromkeys(step.stage for step in STEPS))


def rests(word: str, *, stage: str | None = None) -> list[str]:
    return [step.rest for step in STEPS if step.word == word and stage in {None, step.stage}]


def is_outside(path: PurePosixPath) -> bool:
    """Return whether .dockerignore excludes it: the last pattern that matches it, or a folder above it, decides."""
    outside = False
    for line in DOCKERIGNORE.read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = as_expression(line.removeprefix("!"))
            if any(pattern.fullmatch(str(part)) for part in (path, *path.parents[:-1])):
                outside = not line.startswith("!")
    return outside


def as_expression(pattern: str) -> re.Pattern[str]:
    meanings = {"**/": "(?:.*/)?", "*": "[^/]*"}
    parts = re.split(r"(\*\*/|\*|\[[^]]+\])", pattern)
    return re.compile("".join(part if part.startswith("[") else meanings.get(part, re.escape(part)) for part in parts))


def copies(stage: str) -> list[tuple[str, list[str], str]]:
    """Return (stage or nothing for the project's folder, sources, target) of each COPY."""
    found = []
    for rest in rests("COPY", stage=stage):
        words = shlex.split(rest)
        origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
        assert not any(word.startswith("--") for word in words)
        found.append((origin, words[:-1], words[-1]))
    return found


def context_files(source: str) -> list[Path]:
    path = ROOT / source
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return [each for each in files if not is_outside(PurePosixPath(each.relative_to(ROOT).as_posix()))]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files as the image has them."""
    folder = tmp_path_factory.mktemp("image")
    for _origin, sources, target in copies("build"):
        if PurePosixPath(target) != APP and APP not in PurePosixPath(target).parents:
            continue
        place = folder / PurePosixPath(target).relative_to(APP)
        for source in sources:
            for file in context_files(source):
                to = place / (file.name if file == ROOT / source else file.relative_to(ROOT / source))
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, to)
    return folder


def test_every_base_is_pinned_or_a_stage_above() -> None:
    known: set[str] = set()
    for base in rests("FROM"):
        image, _, stage = base.partition(" AS ")
        assert image in known or re.fullmatch(r"debian:12\.\d+-slim", image)
        known.add(stage)
    assert known == {"build", "runtime", "backup", "app"}


def test_what_a_build_makes_is_the_application() -> None:
    assert STAGES[-1] == "app"
    assert rests("CMD", stage="app") == ['["deploy/start/api"]']


@pytest.mark.parametrize("name", ["runtime", "backup", "app"])
def test_nothing_that_runs_is_root(name: str) -> None:
    users = rests("USER", stage=name)
    assert (users or ["of the stage below"])[-1] in {"10001:10001", "of the stage below"}
    assert name == "app" or users


def test_it_knows_no_secret() -> None:
    told = [*rests("ENV"), *rests("ARG"), *rests("LABEL")]
    assert told
    assert [rest for rest in told if SECRET.search(rest)] == []


def test_its_label_names_the_version() -> None:
    assert rests("LABEL", stage="runtime") == [f'org.opencontainers.image.version="{__version__}"']


def test_it_names_no_source_of_packages() -> None:
    assert not re.search(r"https?://|--index-url|--trusted-host", DOCKERFILE.read_text())


def test_every_source_is_there() -> None:
    for stage in STAGES:
        for origin, sources, _target in copies(stage):
            assert origin in {"", *STAGES}
            assert origin or all(context_files(source) for source in sources), sources


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".env",
        "var/secret-key",
        "var/caisse.sqlite3",
        "caisse.env",
        "backend/.env",
        "backend/ops/production.env",
        "deploy/secrets/secret_key",
        "deploy/database/secrets/app_password",
        "docs/x.sqlite3-wal",
        "tests/conftest.py",
        "backend/testing.py",
        "docs/images/stock-360.png",
        "backend/web/__pycache__/urls.cpython-311.pyc",
    ],
)
def test_what_is_nobodys_business_stays_outside(path: str) -> None:
    assert is_outside(PurePosixPath(path))


@pytest.mark.parametrize("path", ["manage.py", "backend/web/locale/en/LC_MESSAGES/django.mo", "deploy/start/api"])
def test_what_runs_goes_in(path: str) -> None:
    assert not is_outside(PurePosixPath(path))


def test_every_file_of_the_backend_and_every_page_is_in_it(image: Path) -> None:
    wanted = [
        path.relative_to(ROOT)
        for folder in ("backend", "workers", "docs", "deploy/start", "deploy/backup", "deploy/database")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".png"} and not path.name.startswith(".")
    ]
    wanted.remove(Path("backend/testing.py"))
    assert wanted
    assert [str(path) for path in wanted if not (image / path).is_file()] == []


def test_the_start_scripts_in_it_can_be_run(image: Path) -> None:
    scripts = sorted((image / "deploy" / "start").iterdir())
    assert {script.name for script in scripts} >= {"api", "beat", "flower", "migrate", "sweep", "worker"}
    assert [script.name for script in scripts if not os.access(script, os.X_OK)] == []


def test_it_stands_on_its_own(image: Path, tmp_path: Path) -> None:
    """Settings, applications, workers, pages and translations, with nothing of the repository around them."""
    importing = re.compile(
        r"^\s*(?:from backend.testing |import backend.testing|from backend import testing)", re.MULTILINE
    )
    assert [path for path in image.rglob("*.py") if importing.search(path.read_text())] == []
    question = (
        "import workers, backend.config.wsgi; from django.conf import settings; from pathlib import Path;"
        "from backend.web.documentation import pages; from django.utils import translation as t;"
        "assert Path(settings.BASE_DIR) == Path.cwd(), settings.BASE_DIR;"
        "assert all(path.is_dir() for path in settings.LOCALE_PATHS);"
        "print(len(pages()))"
    )
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    for arguments in (["check"], ["shell", "--no-imports", "-c", question]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=image,
            env={**environment, "SECRET_KEY": "looks-at-settings-and-serves-nobody"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list((ROOT / "docs").rglob("*.md")))
