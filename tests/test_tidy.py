"""The repository lints itself: house rules that no ready-made linter knows, each with a good and a bad example."""

import ast
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE_FOLDERS = ("backend", "workers", "tests", "benchmarks")
CODE_SUFFIXES = frozenset({".py"})
TEXT_SUFFIXES = CODE_SUFFIXES.union(
    {".cfg", ".conf", ".css", ".html", ".in", ".ini", ".js", ".json", ".md"},
    {".service", ".sh", ".toml", ".txt", ".yaml", ".yml", ""},
)
LEFT_ALONE = frozenset({".git", "var", "staticfiles", "node_modules", "__pycache__"})

ATTICS = frozenset({"common", "data", "helper", "helpers", "info", "manager", "managers", "misc", "util", "utils"})
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 450
# More files in one folder are a corridor: nobody finds the door.
FOLDER_FILES_MAX = 20
SALES_ROOT = frozenset({"__init__", "apps", "dispatch", "intake"})
RINGER = PurePosixPath("backend/sales/dispatch.py")
ADDER = PurePosixPath("backend/sales/money/takings.py")
# Where a bug may be caught without being raised again, and why there.
EDGES = {
    PurePosixPath("backend/db/transients.py"): "tells transients from bugs, and raises the bugs",
    PurePosixPath("backend/doctor/runner.py"): "the doctor's edge: a check that breaks is a finding",
    PurePosixPath("backend/sales/posting/runner.py"): "the worker's edge: a sale that breaks it is counted and parked",
    PurePosixPath(
        "backend/sales/repair/retry.py"
    ): "many are tried in a row: one that breaks is told, and left as it was",
}
# Where somebody's checkout or home happens to be. Written so that this line is no example of itself.
MACHINE_PATH = re.compile(r"(?<![\w.:/~-])/(?:work|root|Users/\w+|home/(?!app\b|caisse\b)\w+)/")
PAPERS = re.compile(r"\bthe\s" + r"sources\b|_des_" + "sources", re.IGNORECASE)


@functools.cache
def parse(text: str) -> ast.Module:
    return ast.parse(text)


@dataclass(frozen=True)
class Source:
    """One file as a rule sees it."""

    path: PurePosixPath
    text: str

    @property
    def tree(self) -> ast.Module:
        return parse(self.text)

    @property
    def is_test(self) -> bool:
        return self.path.parts[0] == "tests"

    @property
    def is_migration(self) -> bool:
        return "migrations" in self.path.parts


Rule = Callable[[Source], Iterator[str]]


def no_attics(source: Source) -> Iterator[str]:
    for part in (source.path.stem, *source.path.parts[:-1]):
        if part in ATTICS:
            yield f"{part} says nothing about what is in it"


def a_module_says_what_it_is_for(source: Source) -> Iterator[str]:
    if source.text.strip() and not source.is_migration and not ast.get_docstring(source.tree):
        yield "has no docstring"


def save_names_its_fields(source: Source) -> Iterator[str]:
    """A blind save writes columns that somebody else has changed meanwhile. A form's save is a create or names them,
    a picture's is none of a database."""
    for call in calls_of(source, "save"):
        arguments = {keyword.arg for keyword in call.keywords}
        is_other = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).endswith(("form", "picture"))
        if not is_other and not arguments & {"update_fields", "force_insert"}:
            yield f"line {call.lineno}: save() without update_fields (or force_insert, for a new row)"


def only_dispatch_rings(source: Source) -> Iterator[str]:
    """A message sent before its commit is a lie, and one sent without limits can hang: one file knows how."""
    if source.path == RINGER or source.is_test:
        return
    for verb in ("delay", "apply_async", "send_task"):
        for call in calls_of(source, verb):
            yield f"line {call.lineno}: {verb}() outside {RINGER}"


def bugs_are_not_swallowed(source: Source) -> Iterator[str]:
    if source.path in EDGES:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and catches_everything(node) and not ends_in_raise(node):
            yield f"line {node.lineno}: catches everything and does not raise it again"


def money_is_added_up_in_one_place(source: Source) -> Iterator[str]:
    """What is in a drawer is a sum of money movements, and one file adds them up: a document's mode is what the till
    said of it, and no key to sums. The doctor adds up again, to compare."""
    if source.path.parts[0] != "backend" or source.path == ADDER or source.is_migration:
        return
    is_doctor = source.path.parts[1] == "doctor"
    for call in ast.walk(source.tree):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func).rpartition(".")[2]
        if name == "Sum" and "MoneyMovement" in source.text and not is_doctor:
            yield f"line {call.lineno}: adds up money outside {ADDER}"
        words = {one.value for one in call.args if isinstance(one, ast.Constant)}
        if name in ("values", "values_list") and "payment_mode" in words:
            yield f"line {call.lineno}: groups by what the till said of a document's money"


def functions_are_short(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"line {node.lineno}: {node.name} has {lines} lines, over {FUNCTION_LINES_MAX}"


def files_are_short(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > FILE_LINES_MAX and not source.is_test and not source.is_migration:
        yield f"{lines} lines, over {FILE_LINES_MAX}: do two nouns share it?"


def no_path_of_this_machine(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if MACHINE_PATH.search(line):
            yield f"line {number}: names a folder of one machine"


def no_word_about_how_it_was_asked_for(source: Source) -> Iterator[str]:
    """A reader has the code and its documentation, and none of the papers that the project began with."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if PAPERS.search(line):
            yield f"line {number}: speaks of papers that nobody here has"


def calls_of(source: Source, method: str) -> Iterator[ast.Call]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node


def catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type else ""
    return not caught or bool(re.search(r"\b(Base)?Exception\b", caught))


def ends_in_raise(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


PYTHON_RULES: tuple[Rule, ...] = (
    no_attics,
    a_module_says_what_it_is_for,
    save_names_its_fields,
    only_dispatch_rings,
    bugs_are_not_swallowed,
    money_is_added_up_in_one_place,
    functions_are_short,
    files_are_short,
)
TEXT_RULES: tuple[Rule, ...] = (no_path_of_this_machine, no_word_about_how_it_was_asked_for)

# (rule, path, good, bad): the same path for both, unless the path is what is wrong.
EXAMPLES: list[tuple[Rule, tuple[str, str], tuple[str, str]]] = [
    (no_attics, ("backend/sales/money/amounts.py", ""), ("backend/sales/utils.py", "")),
    (no_attics, ("backend/sales/money/amounts.py", ""), ("backend/common/amounts.py", "")),
    (a_module_says_what_it_is_for, ("a.py", '"""Adds."""\nx = 1\n'), ("a.py", "x = 1  # adds\n")),
    (a_module_says_what_it_is_for, ("__init__.py", "\n"), ("__init__.py", "x = 1\n")),
    (save_names_its_fields, ("a.py", 'batch.save(update_fields=["version"])'), ("a.py", "batch.save()")),
    (save_names_its_fields, ("a.py", "Batch(id=1).save(force_insert=True)"), ("a.py", "Batch(id=1).save()")),
    (save_names_its_fields, ("a.py", "form.save()"), ("a.py", "self.save(using='default')")),
    (only_dispatch_rings, (str(RINGER), "app.send_task('x')"), ("backend/api/a.py", "app.send_task('x')")),
    (only_dispatch_rings, ("a.py", "ring_on_commit(terminal)"), ("a.py", "process_terminal.delay(5)")),
    (only_dispatch_rings, ("tests/a.py", "task.apply_async()"), ("workers/tasks/a.py", "task.apply_async()")),
    (
        bugs_are_not_swallowed,
        ("a.py", "try:\n    f()\nexcept Exception:\n    undo()\n    raise"),
        ("a.py", "try:\n    f()\nexcept Exception:\n    log()"),
    ),
    (
        bugs_are_not_swallowed,
        ("a.py", "try:\n    f()\nexcept OSError:\n    pass"),
        ("a.py", "try:\n    f()\nexcept:\n    pass"),
    ),
    (
        bugs_are_not_swallowed,
        ("backend/sales/posting/runner.py", "try:\n    f()\nexcept Exception:\n    park()"),
        ("backend/sales/intake.py", "try:\n    f()\nexcept (OSError, Exception):\n    park()"),
    ),
    (
        money_is_added_up_in_one_place,
        (str(ADDER), 'MoneyMovement.objects.aggregate(Sum("amount"))'),
        ("backend/web/a.py", 'MoneyMovement.objects.aggregate(Sum("amount"))'),
    ),
    (
        money_is_added_up_in_one_place,
        ("backend/web/a.py", 'Sale.objects.values("kind").annotate(Sum("total"))'),
        ("backend/web/a.py", 'Sale.objects.values("payment_mode").annotate(Sum("total"))'),
    ),
    (
        functions_are_short,
        ("a.py", "def f():\n" + "    g()\n" * (FUNCTION_LINES_MAX - 1)),
        ("a.py", "def f():\n" + "    g()\n" * FUNCTION_LINES_MAX),
    ),
    (files_are_short, ("a.py", "x = 1\n" * FILE_LINES_MAX), ("a.py", "x = 1\n" * (FILE_LINES_MAX + 1))),
    (files_are_short, ("tests/test_a.py", "x = 1\n" * 900), ("backend/a.py", "x = 1\n" * 900)),
    (no_path_of_this_machine, ("a.md", "see docs/wo" + "rk/"), ("a.md", "see " + "/wo" + "rk/main/docs")),
    (no_path_of_this_machine, ("a.md", "http://host/ro" + "ot/x"), ("a.md", "cd '" + "/ro" + "ot/project'")),
    (no_path_of_this_machine, ("a.md", "~/home/x, /home/app/"), ("a.md", "path=" + "/ho" + "me/alice/x")),
    (
        no_word_about_how_it_was_asked_for,
        ("a.md", "the legacy endpoint, the source's name"),
        ("a.md", "as the" + " sources ask"),
    ),
]


@functools.cache
def sources(*, suffixes: frozenset[str], folders: tuple[str, ...] = ("",)) -> tuple[Source, ...]:
    """Return the project's own files: no environment, no leavings of a run."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            relative = PurePosixPath(path.relative_to(ROOT).as_posix())
            hidden = {part for part in relative.parts if part.startswith(".") and part not in {".ci", ".github"}}
            if path.is_file() and path.suffix in suffixes and not hidden and not LEFT_ALONE & set(relative.parts):
                found.append(Source(relative, path.read_text(encoding="utf-8", errors="replace")))
    return tuple(found)


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule: Rule) -> None:
    files = sources(suffixes=CODE_SUFFIXES, folders=CODE_FOLDERS)
    assert [f"{source.path}: {complaint}" for source in files for complaint in rule(source)] == []


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    found = sources(suffixes=TEXT_SUFFIXES)
    assert [f"{source.path}: {complaint}" for source in found for complaint in rule(source)] == []


@pytest.mark.parametrize(("rule", "good", "bad"), EXAMPLES, ids=[example[0].__name__ for example in EXAMPLES])
def test_the_rule_knows_good_from_bad(rule: Rule, good: tuple[str, str], bad: tuple[str, str]) -> None:
    assert list(rule(Source(PurePosixPath(good[0]), good[1]))) == []
    assert len(list(rule(Source(PurePosixPath(bad[0]), bad[1])))) == 1


def test_every_rule_has_an_example() -> None:
    assert {example[0] for example in EXAMPLES} == {*PYTHON_RULES, *TEXT_RULES}


def crowded_folders(paths: Iterable[PurePosixPath]) -> list[str]:
    """Return the folders of modules that have more of them than a reader can look over, migrations apart."""
    counted = Counter(path.parent for path in paths if path.suffix == ".py" and path.parent.name != "migrations")
    return [f"{folder}: {count} files" for folder, count in counted.items() if count > FOLDER_FILES_MAX]


def test_folders_are_rooms() -> None:
    files = [source.path for source in sources(suffixes=CODE_SUFFIXES, folders=("backend", "workers"))]
    assert crowded_folders(files) == []
    assert {path.stem for path in files if path.parent == PurePosixPath("backend/sales")} == SALES_ROOT


def test_a_crowded_folder_is_named() -> None:
    many = [PurePosixPath(f"backend/sales/{number}.py") for number in range(FOLDER_FILES_MAX + 1)]
    assert crowded_folders(many[1:]) == []
    assert crowded_folders(many) == [f"backend/sales: {FOLDER_FILES_MAX + 1} files"]


def test_an_edge_that_is_gone_is_taken_off_the_list() -> None:
    assert [str(path) for path in EDGES if not (ROOT / path).exists()] == []
