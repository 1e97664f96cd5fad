"""House rules that a machine can check (numbers as in the style page of the design).

Every file is read and parsed once; a test gives what one rule finds in all of them.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("facility", "ingest", "rules", "ticketing", "simulators", "dashboards", "plantroom")
CEILING = 400
NOW = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}


@dataclass(frozen=True)
class Source:
    """A file with its nodes, in no order that counts."""

    path: Path
    text: str
    tree: ast.Module
    nodes: Sequence[ast.AST]

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def _sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        found = sorted((ROOT / folder).rglob("*.py"))
        assert found, f"{folder} has no files"
        yield from found


def _too_long(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > CEILING:
        yield f"{source} has {lines} lines; split it by noun or verb"


def _asking_the_time(source: Source) -> Iterator[str]:
    calls = {
        (node.func.value.id, node.func.attr)
        for node in source.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    if (wrong := calls & NOW) and str(source) != "facility/clock.py":
        yield f"{source} asks {wrong}; take a Clock or a now argument"


def _sleeping(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep":
            yield f"{source}:{node.lineno} sleeps; wait for the event itself, with a deadline"


def _catching_everything(source: Source) -> Iterator[str]:
    lines = source.text.splitlines()
    for node in source.nodes:
        if not isinstance(node, ast.ExceptHandler):
            continue
        if len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
            yield f"{source}:{node.lineno} is empty"
        if node.type is None:
            yield f"{source}:{node.lineno} catches everything, name what"
        is_broad = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
        if is_broad and "#" not in lines[node.lineno - 1]:
            yield f"{source}:{node.lineno} needs a comment on what survives"


def _unreasoned(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        for mark, full in ((r"#\s*noqa", r"#\s*noqa: [A-Z]+\d+(, [A-Z]+\d+)*\s+- \S"),
                           (r"#\s*type:\s*ignore", r"#\s*type: ignore\[[a-z-, ]+\]\s+# \S")):  # fmt: skip
            if re.search(mark, line) and source.path != Path(__file__) and not re.search(full, line):
                yield f"{source}:{number} names no check or gives no reason: {line.strip()}"


def _undocumented(source: Source) -> Iterator[str]:
    if not source.tree.body:
        return
    if not ast.get_docstring(source.tree):
        yield f"{source} has no docstring"
    for node in source.tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield f"{source}:{node.lineno} {node.name} has no docstring"


def _knowing_the_rules(source: Source) -> Iterator[str]:
    for node in source.nodes:
        names = (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )  # fmt: skip
        for name in names:
            if name.split(".")[0] in ("rules", "ticketing", "ingest", "plantroom"):
                yield f"{source} imports {name}"


Check = Callable[[Source], Iterator[str]]
EVERYWHERE: Sequence[Check] = (_too_long, _sleeping, _catching_everything, _unreasoned)
OF_OURS: Sequence[Check] = (_asking_the_time, _undocumented)


def _checks_of(path: Path) -> Sequence[Check]:
    where = path.relative_to(ROOT).parts[0]
    checks = EVERYWHERE if where in ("tests", "bench") else (*EVERYWHERE, *OF_OURS)
    return (*checks, _knowing_the_rules) if where == "simulators" else checks


def _parse(path: Path, text: str) -> Source:
    tree = ast.parse(text)
    return Source(path, text, tree, list(ast.walk(tree)))


@pytest.fixture(scope="module")
def wrong() -> Mapping[Check, list[str]]:
    """What each check finds in all files it is for."""
    found: dict[Check, list[str]] = {check: [] for check in (*EVERYWHERE, *OF_OURS, _knowing_the_rules)}
    for path in _sources(*PACKAGES, "tests", "bench"):
        source = _parse(path, path.read_text(encoding="utf-8"))
        for check in _checks_of(path):
            found[check] += check(source)
    return found


def test_a_file_has_at_most_400_lines(wrong: Mapping[Check, list[str]]) -> None:
    assert not wrong[_too_long]


def test_only_the_clock_asks_what_time_it_is(wrong: Mapping[Check, list[str]]) -> None:
    assert not wrong[_asking_the_time]


def test_nothing_sleeps(wrong: Mapping[Check, list[str]]) -> None:
    assert not wrong[_sleeping]


def test_a_broad_except_says_what_survives_and_none_is_empty(wrong: Mapping[Check, list[str]]) -> None:
    assert not wrong[_catching_everything]


def test_every_exception_from_a_check_is_named_and_reasoned(wrong: Mapping[Check, list[str]]) -> None:
    assert not wrong[_unreasoned]


def test_every_module_and_public_class_says_what_it_is(wrong: Mapping[Check, list[str]]) -> None:
    assert not wrong[_undocumented]


def test_a_simulator_knows_nothing_of_rules_or_thresholds(wrong: Mapping[Check, list[str]]) -> None:
    assert not wrong[_knowing_the_rules]


BAD: Mapping[Check, str] = {
    _too_long: "pass\n" * (CEILING + 1),
    _asking_the_time: "datetime.now()",
    _sleeping: "time.sleep(1)",
    _catching_everything: "try:\n    x()\nexcept Exception:\n    y()",
    _unreasoned: f"x = 1  # {'no'}qa",
    _undocumented: '"""A module."""\nclass Bare:\n    x = 1',
    _knowing_the_rules: "from rules.engine import Engine",
}


@pytest.mark.parametrize("check", BAD, ids=lambda check: check.__name__)
def test_each_check_finds_what_it_looks_for(check: Check) -> None:
    assert len(list(check(_parse(ROOT / "simulators/made_up.py", BAD[check])))) == 1


def test_no_test_folder_is_a_package_and_no_two_tests_share_a_name() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
    names = [path.name for path in _sources("tests") if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


def test_requirements_are_pinned_by_version_and_hash_and_name_no_index() -> None:
    folder, included = ROOT / "requirements", {"server.txt": "-r core.txt", "dev.txt": "-r server.txt"}
    for path in folder.glob("*.txt"):
        text = path.read_text(encoding="utf-8").removeprefix(included.get(path.name, "") + "\n")
        for block in text.replace(" \\\n    ", " ").splitlines():
            pattern = r"[\w.-]+==[\w.]+( ; [\w' =!<>.]+)?( --hash=sha256:[0-9a-f]{64})+"
            assert re.fullmatch(pattern, block), f"{path.name}: {block[:90]!r}"


def test_every_dependency_has_its_line_in_the_dependency_record() -> None:
    record = (ROOT / "docs/adr/dependencies.md").read_text(encoding="utf-8").lower()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project.split("dependencies = [")[1].split("]\n")[0]
    names = re.findall(r'"([A-Za-z0-9_.-]+)', block)
    names += (ROOT / "requirements/dev.in").read_text(encoding="utf-8").replace("[binary]", "").split()
    for name in names:
        bare = re.split(r"[=<>\[]", name)[0].lower()
        assert f"| {bare} |" in record, f"{bare} has no line in docs/adr/dependencies.md"


def test_every_test_that_a_page_names_exists() -> None:
    for page in (*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md"):
        for name in re.findall(r"tests/[\w/]+\.py", page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{page.relative_to(ROOT)} names {name}"


def test_contracts_of_the_import_linter_name_every_pure_ticketing_module() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in ("calendar", "contract", "deadline"):
        assert f'"ticketing.{name}"' in project
