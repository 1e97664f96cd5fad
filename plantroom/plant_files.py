"""Site, contract and rule files as the program needs them at start, with every problem reported together."""

from collections.abc import Mapping, Sequence
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
    return parse_sites(texts), texts


def parse_sites(texts: Mapping[str, str]) -> Registry:
    """The registry of all sites in these files, by name. Raises InputError with the problems of every file."""
    problems: list[Problem] = []
    parts = []
    for where, text in texts.items():
        try:
            parts.append(parse_site(text, where))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return Registry.merge(parts)


def shipped_rule_files() -> dict[str, str]:
    """The shipped catalogue under the names that its files have in a rule set."""
    return {f"catalogue/{name}": text for name, text in shipped_files().items()}


def load_rule_files(folder: Path | None) -> dict[str, str]:
    """The shipped catalogue and the own rules beside it, checked together. Raises InputError."""
    files = read_rule_files(folder)
    RuleSet.load(files)
    return files


def read_rule_files(folder: Path | None) -> dict[str, str]:
    """The texts of the shipped catalogue and of the own rules, unchecked. Raises InputError for what cannot be read."""
    return shipped_rule_files() | (read_texts([folder], "rule") if folder is not None else {})
