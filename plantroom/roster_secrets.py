"""A roster as people may look at it: addresses and secrets stand behind labels, which a typed text may keep."""

import hashlib
import re
from collections.abc import Iterator, Mapping

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from facility.document import load_yaml
from facility.errors import InputError

_KEYS = ("address", "secret")
_VALUE = re.compile(
    r"""(?:\b|["'])(?:address|secret)["']?\s*:\s*("[^"\n]*"|'[^'\n]*'|[^\s,}#"'](?:[^\s,}#]|(?<=\S)#)*)"""
)
_LABEL = re.compile(r"hidden-[0-9a-f]{10}")
_ENV = "env:"
Span = tuple[int, int]


def hide(text: str) -> tuple[str, Mapping[str, str]]:
    """The text with a label for each address and secret that is not `env:NAME`; and label -> what it stands for.

    However it is written: plain, quoted, over several lines. In comments, and where the text is no YAML, only what
    looks like one. The address of the roster's head is everybody's and stays.
    """
    public = _head_address(text)
    labels: dict[str, str] = {}
    for spans in (_values, _likenesses):
        text = _label(text, sorted(set(spans(text, public)), reverse=True), labels)
    return text, labels


def restore(typed: str, labels: Mapping[str, str]) -> str:
    """A typed text with what its labels stand for."""
    for name, value in labels.items():
        typed = typed.replace(name, value)
    return typed


def is_readable(text: str) -> bool:
    """Whether it can be told for certain what is secret in it."""
    return _compose(text) is not None


def _label(text: str, spans: list[Span], labels: dict[str, str]) -> str:
    """The spans, the last one first, behind labels. Quotes and the line end of a block stay in the text."""
    for start, end in spans:
        value = text[start:end].rstrip("\r\n")
        name = f"hidden-{hashlib.sha256(value.encode()).hexdigest()[:10]}"
        labels[name] = value
        text = f"{text[:start]}{name}{text[start + len(value) :]}"
    return text


def _values(text: str, public: str) -> Iterator[Span]:
    """Where the reader of YAML finds the values of our keys."""
    root = _compose(text)
    seen: set[int] = set()
    waiting = [] if root is None else [(root, False)]
    while waiting:
        node, is_secret = waiting.pop()
        if isinstance(node, ScalarNode):
            if is_secret and _is_to_hide(node.value, public):
                yield _inside(text, node.start_mark.index, node.end_mark.index)
        elif id(node) not in seen:
            seen.add(id(node))
            pairs = node.value if isinstance(node, MappingNode) else [(None, child) for child in node.value]
            waiting += [(child, is_secret or (key is not None and key.value in _KEYS)) for key, child in pairs]


def _likenesses(text: str, public: str) -> Iterator[Span]:
    is_read = is_readable(text)
    for match in _VALUE.finditer(text):
        if is_read and "#" not in text[text.rfind("\n", 0, match.start()) + 1 : match.start()]:
            continue  # no comment
        start, end = _inside(text, *match.span(1))
        if _is_to_hide(text[start:end], public):
            yield start, end


def _is_to_hide(value: str, public: str) -> bool:
    return bool(value) and not value.startswith(_ENV) and value != public and not _LABEL.fullmatch(value)


def _inside(text: str, start: int, end: int) -> Span:
    """Without the quotes around it."""
    is_quoted = end - start >= 2 and text[start] in "\"'" and text[end - 1] == text[start]
    return (start + 1, end - 1) if is_quoted else (start, end)


def _compose(text: str) -> Node | None:
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    return root


def _head_address(text: str) -> str:
    try:
        data, _ = load_yaml(text, "roster")
    except InputError:
        return ""
    head = data.get("roster") if isinstance(data, dict) else None
    return str(head.get("address", "")) if isinstance(head, dict) else ""
