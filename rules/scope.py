"""The body of one compiled function while it is being written: lines, indentation, fresh variable names."""

from collections.abc import Callable
from itertools import count

from rules.kinds import Typed


class Scope:
    """Lines of one function `f(v, q, t, now)`. Lets come first, each once, so that they dominate every use."""

    def __init__(self, names: Callable[[], str]) -> None:
        self._names = names
        self._finished: list[str] = []
        self._lines: list[str] = []
        self._indent = 1
        self.lets: dict[str, Typed] = {}
        self.points: dict[str, None] = {}

    def emit(self, line: str) -> None:
        """Append one line at the present depth."""
        self._lines.append("    " * self._indent + line)

    def assign(self, source: str) -> str:
        """A fresh variable that holds `source`."""
        name = self._names()
        self.emit(f"{name} = {source}")
        return name

    def deeper(self) -> None:
        """The next lines stand inside the last one."""
        self._indent += 1

    def back(self) -> None:
        """Undo one `deeper`."""
        self._indent -= 1

    def let(self, name: str, write: Callable[[], Typed]) -> Typed:
        """The let term `name`, written before everything else on its first use."""
        if name not in self.lets:
            outer, depth = self._lines, self._indent
            self._lines, self._indent = [], 1
            self.lets[name] = write()
            self._finished += self._lines
            self._lines, self._indent = outer, depth
        return self.lets[name]

    def flush(self) -> list[str]:
        """The lines so far, at no depth; let terms written before stay known."""
        lines = [line[4:] for line in (*self._finished, *self._lines)]
        self._finished, self._lines = [], []
        return lines

    def source(self, title: str, result: str) -> str:
        """The whole function as text; made of our own names, numbers and quoted texts only."""
        return "\n".join([f"def {title}(v, q, t, now):", *self._finished, *self._lines, f"    return {result}"])


def fresh_names() -> Callable[[], str]:
    """A source of variable names that never repeats."""
    numbers = count()
    return lambda: f"x{next(numbers)}"
