"""A roster as people may look at it: addresses and secrets stand behind labels, which a typed text may keep."""

import hashlib
import re
from collections.abc import Mapping

from facility.document import load_yaml
from facility.errors import InputError

_VALUE = re.compile(r"""(\b(?:address|secret)\s*:\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}#"'][^\s,}#]*)""")
_ENV = "env:"


def hide(text: str) -> tuple[str, Mapping[str, str]]:
    """The text with a label for each address and secret that is not `env:NAME`; and label -> what it stands for.

    The address of the roster's head is everybody's and stays.
    """
    public = _head_address(text)
    labels: dict[str, str] = {}

    def label(match: re.Match[str]) -> str:
        value = match[2].strip("\"'")
        if not value or value.startswith(_ENV) or value == public:
            return match[0]
        name = f"hidden-{hashlib.sha256(value.encode()).hexdigest()[:10]}"
        labels[name] = value
        return match[0].replace(value, name)

    return _VALUE.sub(label, text), labels


def restore(typed: str, labels: Mapping[str, str]) -> str:
    """A typed text with what its labels stand for."""
    for name, value in labels.items():
        typed = typed.replace(name, value)
    return typed


def _head_address(text: str) -> str:
    try:
        data, _ = load_yaml(text, "roster")
    except InputError:
        return ""
    head = data.get("roster") if isinstance(data, dict) else None
    return str(head.get("address", "")) if isinstance(head, dict) else ""
