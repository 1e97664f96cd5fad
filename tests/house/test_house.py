"""House rules that a machine can check (numbers as in the style page of the design)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("facility", "ingest", "rules", "ticketing", "simulators", "dashboards", "plantroom")
CEILING = 400


def _sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


OWN = list(_sources(*PACKAGES))
ALL = [*OWN, *_sources("tests", "bench")]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= CEILING, f"{_name(path)} has {lines} lines; split it by noun or verb"


@pytest.mark.parametrize("path", [path for path in OWN if _name(path) != "facility/clock.py"], ids=_name)
def test_only_the_clock_asks_what_time_it_is(path: Path) -> None:
    calls = {
        (node.func.value.id, node.func.attr)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    wrong = calls & {
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("datetime", "today"),
        ("date", "today"),
        ("time", "time"),
    }
    assert not wrong, f"{_name(path)} asks {wrong}; take a Clock or a now argument"


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_nothing_sleeps(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep":
            pytest.fail(f"{_name(path)}:{node.lineno} sleeps; wait for the event itself, with a deadline")


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_a_broad_except_says_what_survives_and_none_is_empty(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        assert not (len(node.body) == 1 and isinstance(node.body[0], ast.Pass)), f"{_name(path)}:{node.lineno} is empty"
        assert node.type is not None, f"{_name(path)}:{node.lineno} catches everything, name what"
        if isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"):
            assert "#" in lines[node.lineno - 1], f"{_name(path)}:{node.lineno} needs a comment on what survives"


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_every_exception_from_a_check_is_named_and_reasoned(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for mark, full in ((r"#\s*noqa", r"#\s*noqa: [A-Z]+\d+(, [A-Z]+\d+)*\s+- \S"),
                           (r"#\s*type:\s*ignore", r"#\s*type: ignore\[[a-z-, ]+\]\s+# \S")):  # fmt: skip
            if re.search(mark, line) and path != Path(__file__):
                assert re.search(full, line), (
                    f"{_name(path)}:{number} names no check or gives no reason: {line.strip()}"
                )


@pytest.mark.parametrize("path", OWN, ids=_name)
def test_every_module_and_public_class_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not tree.body:
        return
    assert ast.get_docstring(tree), f"{_name(path)} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{_name(path)}:{node.lineno} {node.name} has no docstring"


@pytest.mark.parametrize("path", list(_sources("simulators")), ids=_name)
def test_a_simulator_knows_nothing_of_rules_or_thresholds(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )  # fmt: skip
        for name in names:
            root = name.split(".")[0]
            assert root not in ("rules", "ticketing", "ingest", "plantroom"), f"{_name(path)} imports {name}"


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
            assert (ROOT / name).exists(), f"{_name(page)} names {name}"


def test_contracts_of_the_import_linter_name_every_pure_ticketing_module() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in ("calendar", "contract", "deadline"):
        assert f'"ticketing.{name}"' in project
