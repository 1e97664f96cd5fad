"""A sentence that the program writes for people, in both languages. Pure."""

from typing import NamedTuple


class Said(NamedTuple):
    """The same in English and in Chinese."""

    en: str
    zh: str

    def to(self, language: str) -> str:
        """For a reader of a language; English for one that is not there."""
        return self.zh if language.startswith("zh") else self.en
