"""Site, contract and rule files as the program needs them at start, with every problem reported together."""

from collections.abc import Sequence
from pathlib import Path

from facility.errors import InputError, Problem
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.files import read_texts
from rules.catalogue import shipped_files
from rules.rule_set import RuleSet


def load_registry(paths: Sequence[Path]) -> tuple[Registry, dict[str, str]]:
    """The registry of all site files, and their texts by file name. Raises InputError."""
    texts = read_texts(paths, "site")
    problems: list[Problem] = []
    parts = []
    for where, text in texts.items():
        try:
            parts.append(parse_site(text, where))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return Registry.merge(parts), texts


def shipped_rule_files() -> dict[str, str]:
    """The shipped catalogue under the names that its files have in a rule set."""
    return {f"catalogue/{name}": text for name, text in shipped_files().items()}


def load_rule_files(folder: Path | None) -> dict[str, str]:
    """The shipped catalogue and the own rules beside it, checked together. Raises InputError."""
    files = shipped_rule_files()
    if folder is not None:
        files |= read_texts([folder], "rule")
    RuleSet.load(files)
    return files
