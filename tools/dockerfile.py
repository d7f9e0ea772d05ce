"""deploy/Dockerfile and .dockerignore as tools/try-dockerfile and the tests read them: the small part that we use."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
DOCKERIGNORE = ROOT / ".dockerignore"
INSTRUCTIONS = frozenset({"RUN", "COPY", "ENV", "ARG", "WORKDIR", "USER", "CMD", "EXPOSE", "LABEL", "STOPSIGNAL"})


@dataclass(frozen=True)
class Step:
    line: int
    word: str
    rest: str


@dataclass
class Stage:
    """One FROM and what follows it. `user`, `folder` and `environment` are what the steps have said so far."""

    name: str
    base: str
    steps: list[Step] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    tree: Path = Path("/nowhere")


def parse(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile, top to bottom. Raises ValueError for what this program cannot try."""
    stages: list[Stage] = []
    for step in _steps(text):
        if step.word == "FROM":
            found = re.fullmatch(r"(\S+)(?:\s+[Aa][Ss]\s+(\S+))?", step.rest)
            if not found:
                raise ValueError(f"line {step.line}: FROM image AS name is all that is known here")
            stages.append(Stage(name=found[2] or str(len(stages)), base=found[1]))
        elif not stages:
            raise ValueError(f"line {step.line}: {step.word} before the first FROM")
        elif step.word in INSTRUCTIONS:
            stages[-1].steps.append(step)
        else:
            raise ValueError(f"line {step.line}: {step.word} is not known here")
    return stages


def _steps(text: str) -> list[Step]:
    steps, pending, first = [], "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first if pending else number
        pending += line.strip() if line.rstrip().endswith("\\") else line.strip() + "\n"
        if pending.endswith("\\"):
            pending = pending[:-1].rstrip() + " "
            continue
        word, _, rest = pending.strip().partition(" ")
        steps.append(Step(line=first, word=word.upper(), rest=rest.strip()))
        pending = ""
    return steps


class Ignored:
    """What .dockerignore keeps outside: the last pattern that names a path, or a folder above it, decides."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()]
        self.patterns = [
            (not line.startswith("!"), re.compile(_as_expression(line.lstrip("!").strip("/"))))
            for line in lines
            if line and not line.startswith("#")
        ]

    def __call__(self, path: PurePosixPath) -> bool:
        is_ignored = False
        for ignores, pattern in self.patterns:
            if any(pattern.fullmatch(str(part)) for part in (path, *path.parents[:-1])):
                is_ignored = ignores
        return is_ignored


def _as_expression(pattern: str) -> str:
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", pattern)
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(part if part.startswith("[") else meanings.get(part, re.escape(part)) for part in parts)


def context_files(source: str) -> list[Path]:
    """Return the files of the project that COPY would see under `source`, sorted."""
    is_ignored = Ignored(DOCKERIGNORE.read_text())
    path = ROOT / source
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return [each for each in files if not is_ignored(PurePosixPath(each.relative_to(ROOT).as_posix()))]


def copy_parts(step: Step) -> tuple[str | None, list[str], str]:
    """Return (stage or None for the project's folder, sources, target) of a COPY."""
    words = shlex.split(step.rest)
    origin = None
    if words[0].startswith("--from="):
        origin = words.pop(0).removeprefix("--from=")
    if any(word.startswith("--") for word in words) or len(words) < 2:
        raise ValueError(f"line {step.line}: COPY [--from=STAGE] SOURCE … TARGET is all that is known here")
    return origin, words[:-1], words[-1]
