"""What a page of documentation shows: its fenced blocks and its links."""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language, in order."""
        return [text for name, text in _BLOCK.findall(self.text) if name == language]

    def commands(self) -> list[str]:
        """Every line of every `sh` block."""
        return [line for block in self.blocks("sh") for line in block.splitlines() if line.strip()]

    def links(self) -> list[str]:
        """Where it links to inside the repository."""
        return [link for link in _LINK.findall(self.text) if "://" not in link]
