"""A sentence that the program writes for people, in both languages. Pure."""

from typing import NamedTuple


class Said(NamedTuple):
    """The same in English and in Chinese."""

    en: str
    zh: str

    def to(self, language: str) -> str:
        """For a reader of a language; English for one that is not there."""
        return self.zh if language.startswith("zh") else self.en


NOTHING = Said("", "")


def typed(text: str) -> Said:
    """What a person has typed: the same for every reader."""
    return Said(text, text)


def together(*parts: Said) -> Said:
    """One sentence behind the other; empty ones leave no trace."""
    return Said(*(" ".join(text for text in texts if text) for texts in zip(*parts, strict=True)))
