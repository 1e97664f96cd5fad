"""Paths into JSON data, as a site file writes them: `data.temp`, `readings[0].v`, `sensors[id=12].value`, `$`.

A name that holds a dot, a bracket or a quote goes in brackets and quotes: `values["air.temp"]`.
"""

import json
import re
from dataclasses import dataclass

_STEP = re.compile(
    r"\.?(?P<name>[^.\[\]\"]+)|\[(?P<index>-?\d+)\]|\[(?P<quoted>\"(?:[^\"\\]|\\.)*\")\]"
    r"|\[(?P<key>[^\[\]=\"]+)=(?P<value>[^\[\]]*)\]"
)


class PathError(ValueError):
    """A text that is no path; the message says where it stops being one."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """Steps into data: a name (str), an index (int), or the first object whose key has this value (pair)."""

    text: str
    steps: tuple[str | int | tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> "JsonPath":
        """Raises PathError."""
        rest = text.strip()
        rest = rest[1:] if rest.startswith("$") else rest
        steps: list[str | int | tuple[str, str]] = []
        position = 0
        while position < len(rest):
            match = _STEP.match(rest, position)
            if match is None or (steps and match["name"] and not match[0].startswith(".")):
                msg = f"{text!r} is no path at {rest[position : position + 20]!r}; write it like data.temp or list[0].v"
                raise PathError(msg)
            if match["name"] is not None:
                steps.append(match["name"])
            elif match["index"] is not None:
                steps.append(int(match["index"]))
            elif match["quoted"] is not None:
                steps.append(str(json.loads(match["quoted"])))
            else:
                steps.append((match["key"], match["value"]))
            position = match.end()
        return cls(text, tuple(steps))

    def find(self, data: object) -> tuple[bool, object]:
        """Whether there is something at this path, and what."""
        for step in self.steps:
            if isinstance(step, str):
                if not isinstance(data, dict) or step not in data:
                    return False, None
                data = data[step]
            elif not isinstance(data, list):
                return False, None
            elif isinstance(step, int):
                if not -len(data) <= step < len(data):
                    return False, None
                data = data[step]
            else:
                key, wanted = step
                for item in data:
                    if isinstance(item, dict) and key in item and _as_text(item[key]) == wanted:
                        data = item
                        break
                else:
                    return False, None
        return True, data


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, int | float) else ""
