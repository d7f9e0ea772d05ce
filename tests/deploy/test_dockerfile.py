"""What deploy/Dockerfile would put into an image, read without Docker; tools/try-dockerfile carries it out."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = PurePosixPath("/opt/caisse/app")
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|KEY|_URL", re.IGNORECASE)


def load_reader() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dockerfile", ROOT / "tools" / "dockerfile.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reader = load_reader()


@pytest.fixture(scope="module")
def stages() -> dict:
    return {stage.name: stage for stage in reader.parse(reader.DOCKERFILE.read_text())}


@pytest.fixture(scope="module")
def image(stages: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files as the image has them."""
    folder = tmp_path_factory.mktemp("image")
    for step in stages["build"].steps:
        if step.word != "COPY":
            continue
        _origin, sources, target = reader.copy_parts(step)
        if PurePosixPath(target) != APP and APP not in PurePosixPath(target).parents:
            continue
        place = folder / PurePosixPath(target).relative_to(APP)
        for source in sources:
            for file in reader.context_files(source):
                to = place / (file.name if file == ROOT / source else file.relative_to(ROOT / source))
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, to)
    return folder


def test_every_base_is_pinned_or_a_stage_above(stages: dict) -> None:
    known: set[str] = set()
    for stage in stages.values():
        assert stage.base in known or re.fullmatch(r"debian:12\.\d+-slim", stage.base)
        known.add(stage.name)


def test_what_a_build_makes_is_the_application(stages: dict) -> None:
    assert list(stages)[-1] == "app"
    assert [step.rest for step in stages["app"].steps if step.word == "CMD"] == ['["deploy/start/api"]']


@pytest.mark.parametrize("name", ["runtime", "backup", "app"])
def test_nothing_that_runs_is_root(stages: dict, name: str) -> None:
    users = [step.rest for step in stages[name].steps if step.word == "USER"]
    assert (users or ["of the stage below"])[-1] in {"10001:10001", "of the stage below"}
    assert name == "app" or users


def test_it_knows_no_secret(stages: dict) -> None:
    steps = [step for stage in stages.values() for step in stage.steps if step.word in {"ENV", "ARG"}]
    assert steps
    assert [step.rest for step in steps if SECRET.search(step.rest)] == []


def test_it_names_no_source_of_packages() -> None:
    text = reader.DOCKERFILE.read_text()
    assert not re.search(r"https?://|--index-url|--trusted-host", text)


def test_every_source_is_there(stages: dict) -> None:
    for stage in stages.values():
        for step in stage.steps:
            if step.word == "COPY":
                origin, sources, _target = reader.copy_parts(step)
                assert origin in {None, *stages}
                assert origin or all(reader.context_files(source) for source in sources), step


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
        "docs/images/stock-360.png",
        "backend/web/__pycache__/urls.cpython-311.pyc",
    ],
)
def test_what_is_nobodys_business_stays_outside(path: str) -> None:
    assert reader.Ignored(reader.DOCKERIGNORE.read_text())(PurePosixPath(path))


@pytest.mark.parametrize("path", ["manage.py", "backend/web/locale/en/LC_MESSAGES/django.mo", "deploy/start/api"])
def test_what_runs_goes_in(path: str) -> None:
    assert not reader.Ignored(reader.DOCKERIGNORE.read_text())(PurePosixPath(path))


def test_every_file_of_the_backend_and_every_page_is_in_it(image: Path) -> None:
    wanted = [
        path.relative_to(ROOT)
        for folder in ("backend", "workers", "docs", "deploy/start", "deploy/backup", "deploy/database")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".png"} and not path.name.startswith(".")
    ]
    assert wanted
    assert [str(path) for path in wanted if not (image / path).is_file()] == []


def test_the_start_scripts_in_it_can_be_run(image: Path) -> None:
    scripts = sorted((image / "deploy" / "start").iterdir())
    assert {script.name for script in scripts} >= {"api", "beat", "flower", "migrate", "sweep", "worker"}
    assert [script.name for script in scripts if not os.access(script, os.X_OK)] == []


def test_it_stands_on_its_own(image: Path, tmp_path: Path) -> None:
    """Settings, applications, workers, pages and translations, with nothing of the repository around them."""
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
