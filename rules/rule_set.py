"""A rule set: several rule files that judge together, identified by the hash of their names and texts."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from facility.errors import InputError, Problem
from facility.fields import unknown
from rules.rule import Rule
from rules.rule_file import parse_rules


class RuleSet:
    """Immutable. `rules` by id in the order of file names and of lines; `digest` identifies the set."""

    def __init__(self, rules: Mapping[str, Rule], digest: str, files: Mapping[str, str]) -> None:
        self.rules: Mapping[str, Rule] = dict(rules)
        self.digest = digest
        self.files: Mapping[str, str] = dict(files)
        self.suppressors: Mapping[str, tuple[str, ...]] = _suppressors(self.rules)

    @classmethod
    def load(cls, files: Mapping[str, str]) -> "RuleSet":
        """Parse, compile and join files (name -> text). Raises InputError with every problem of every file.

        Refused: two rules of one id, a suppressed rule that is not in the set. A set that was loaded in this process
        before is not parsed again.
        """
        return _load(tuple(sorted(files.items())))


def digest_of(files: Mapping[str, str]) -> str:
    """The hash of a rule set's file names and texts: 32 hex digits."""
    state = hashlib.blake2b(digest_size=16)
    for name, text in sorted(files.items()):
        for part in (name, text):
            data = part.encode()
            state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


@lru_cache(maxsize=8)
def _load(files: tuple[tuple[str, str], ...]) -> RuleSet:
    problems: list[Problem] = []
    rules: dict[str, Rule] = {}
    for name, text in files:
        try:
            parsed = parse_rules(text, name)
        except InputError as error:
            problems += error.problems
            continue
        for rule in parsed:
            if rule.id in rules:
                what = f"the rule {rule.id!r} is in {rules[rule.id].where} already"
                problems.append(Problem(name, what, "Give one of them another id."))
            rules.setdefault(rule.id, rule)
    if not problems:
        for rule in rules.values():
            problems += [
                Problem(rule.where, f"{rule.id}: {unknown('rule', other, rules)}", "", f"{rule.id}.suppresses")
                for other in rule.suppresses
                if other not in rules
            ]
    if problems:
        raise InputError(problems)
    return RuleSet(rules, digest_of(dict(files)), dict(files))


def _suppressors(rules: Mapping[str, Rule]) -> dict[str, tuple[str, ...]]:
    by: dict[str, list[str]] = {}
    for rule in rules.values():
        for other in rule.suppresses:
            by.setdefault(other, []).append(rule.id)
    return {other: tuple(ids) for other, ids in by.items()}
