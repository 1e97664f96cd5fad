"""Files people write: YAML 1.2 read once into a checked model, every problem with file, line, field and hint.

Site, contract, rule, scenario and map files all come through `parse_document`.
"""

import difflib
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from facility.errors import InputError, Problem

MAX_BYTES = 8 * 1024 * 1024
Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]


class Places:
    """Where each part of a parsed document stands: path -> (line, column), counted from 1."""

    def __init__(self, source: str = "") -> None:
        self._marks: dict[Path, tuple[int, int]] = {}
        self._texts: dict[Path, tuple[int, int, int, int]] = {}
        self._source = source

    def add(self, path: Path, node: Node) -> None:
        """The part at `path` begins where `node` begins."""
        self._marks[path] = (node.start_mark.line + 1, node.start_mark.column + 1)

    def add_text(self, path: Path, node: ScalarNode) -> None:
        """The text at `path` is written from `node`'s start to its end."""
        mark = node.start_mark
        self._texts[path] = (mark.index, node.end_mark.index, mark.line + 1, mark.column + 1)

    def inside(self, path: Path, offset: int) -> tuple[int | None, int | None]:
        """Line and column of the character `offset` (from 0) of the text at `path`; a line break counts as a space."""
        if path not in self._texts:
            return None, None
        start, end, line, column = self._texts[path]
        source = self._source[start:end]
        index = _first(source)
        while offset > 0 and index < len(source):
            run = len(source[index:]) - len(source[index:].lstrip())
            if "\n" in source[index : index + run]:
                index += run
            else:
                index += 1
            offset -= 1
        before = source[:index]
        breaks = before.count("\n")
        return line + breaks, (index - before.rindex("\n") if breaks else column + index)

    def knows(self, path: Path) -> bool:
        """Whether the document has a part at exactly this path."""
        return path in self._marks

    def find(self, path: Sequence[str | int]) -> tuple[Path, int | None, int | None]:
        """The longest known beginning of `path` (a model's own path may hold names of union members)."""
        known: Path = ()
        for part in path:
            if (*known, part) in self._marks:
                known = (*known, part)
        line, column = self._marks.get(known, (None, None))
        return known, line, column


def _first(source: str) -> int:
    """Where the first character of a scalar's value stands in its source: behind a quote, or below `>-` and `|`."""
    if source[:1] in ("'", '"'):
        return 1
    if source[:1] in (">", "|") and "\n" in source:
        start = source.index("\n") + 1
        return start + len(source[start:]) - len(source[start:].lstrip())
    return 0


def format_path(path: Sequence[str | int]) -> str:
    """`("buildings", 0, "assets", 2)` as `buildings[0].assets[2]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def load_yaml(text: str, where: str) -> tuple[Any, Places]:
    """Plain data (dict, list, str, int, float, bool, None) and the places of its parts.

    Refuses, with the place: broken YAML, a key given twice, anchors nested without end, more than 8 MiB.
    """
    if len(text) > MAX_BYTES:
        raise InputError([Problem(where, f"has {len(text):,} characters", f"Keep it under {MAX_BYTES:,}.")])
    try:
        return _read(text, where, YAML(typ="safe"))  # by libyaml where it is installed: six times as fast
    except YAMLError:
        return _read_slowly(text, where)


def _read_slowly(text: str, where: str) -> tuple[Any, Places]:
    """What libyaml cannot read is read once more by the reader in Python, whose words for errors are better."""
    try:
        return _read(text, where, YAML(typ="safe", pure=True))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context).split())
        line = mark.line + 1 if mark is not None else None
        column = mark.column + 1 if mark is not None else None
        hint = "Indent with spaces, and quote texts that hold a colon or begin with a special character."
        raise InputError([Problem(where, f"is not valid YAML: {what}", hint, "", line, column)]) from error
    except YAMLError as error:
        raise _unreadable(where, error) from error


def _read(text: str, where: str, yaml: YAML) -> tuple[Any, Places]:
    places = Places(text)
    try:
        node = yaml.compose(text)
        if node is None:
            raise InputError([Problem(where, "is empty", "Start from `plantroom init`.")])
        _check_aliases(node, where)
        _visit(node, (), places, where)
        data = yaml.constructor.construct_document(node)  # the text is scanned once; scanning is what costs
    except (ValueError, RecursionError) as error:
        raise _unreadable(where, error) from error
    return data, places


def _unreadable(where: str, error: Exception) -> InputError:
    return InputError([Problem(where, f"is not valid YAML: {error}", "Check its encoding and nesting.")])


def parse_document(model: type[Model], text: str, where: str) -> Model:
    """The document as a checked value of `model`. Raises InputError with every problem and its line."""
    data, places = load_yaml(text, where)
    return check_data(model, data, places, where)


def check_data(model: type[Model], data: Any, places: Places, where: str) -> Model:  # noqa: ANN401 - raw YAML
    """`parse_document` for data that was loaded already."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(_problems(model, error, places, where)) from error


def _check_aliases(root: Node, where: str) -> None:
    """Refuse documents whose aliases would unfold into more than a million parts."""
    sizes: dict[int, int] = {}

    def size(node: Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = 1
            if isinstance(node, MappingNode):
                sizes[id(node)] += sum(size(key) + size(value) for key, value in node.value)
            elif isinstance(node, SequenceNode):
                sizes[id(node)] += sum(size(item) for item in node.value)
        return sizes[id(node)]

    if size(root) > 1_000_000:
        raise InputError([Problem(where, "unfolds into more than a million parts", "Use fewer aliases.")])


def _visit(node: Node, path: Path, places: Places, where: str) -> None:
    places.add(path, node)
    if isinstance(node, ScalarNode):
        places.add_text(path, node)
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "?"
            line = key.start_mark.line + 1
            if name in seen:
                what = "this key is given twice; only one would count"
                raise InputError([Problem(where, what, "Remove one.", format_path((*path, name)), line)])
            seen.add(name)
            _visit(value, (*path, name), places, where)
            places.add((*path, name), key)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            _visit(item, (*path, index), places, where)


def _problems(model: type[BaseModel], error: ValidationError, places: Places, where: str) -> list[Problem]:
    problems = []
    for item in error.errors(include_url=False):
        path, line, column = places.find(item["loc"])
        kind, value = item["type"], item.get("input")
        what, hint = item["msg"].removeprefix("Value error, "), ""
        if kind == "extra_forbidden":
            names = _field_names(model)
            close = difflib.get_close_matches(str(item["loc"][-1]), names, 1)
            what = f"{str(item['loc'][-1])!r} is not a field here"
            if close and close[0] == str(item["loc"][-1]):
                hint = "It belongs elsewhere: check the indentation, and that this is the right file."
            else:
                hint = f"Did you mean {close[0]!r}?" if close else "Remove it, or check its spelling."
        elif kind == "missing":
            what, hint = f"{str(item['loc'][-1])!r} is missing", "Add it."
        elif not isinstance(value, dict | list) and kind != "value_error":
            what = f"{what}, got {value!r}"
        problems.append(Problem(where, what, hint, format_path(path), line, column))
    return problems


def _field_names(model: type[BaseModel]) -> list[str]:
    """Every field name anywhere in the model's schema: what a misspelt key may have meant."""
    schema = model.model_json_schema()
    names = set(schema.get("properties", {}))
    for part in schema.get("$defs", {}).values():
        names |= set(part.get("properties", {}))
    return sorted(names)
