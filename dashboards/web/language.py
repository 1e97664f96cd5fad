"""The two languages of the pages: the texts, and which language a request wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from facility.document import parse_document

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
COOKIE = "plantroom_language"


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    en: str
    zh: str


class _Texts(BaseModel):
    model_config = ConfigDict(extra="forbid")
    texts: dict[str, _Text]
    enumerations: dict[str, _Text]


@cache
def _texts() -> _Texts:
    text = files("dashboards").joinpath("web/texts.yaml").read_text(encoding="utf-8")
    return parse_document(_Texts, text, "dashboards/web/texts.yaml")


def text_keys() -> frozenset[str]:
    """Every key of the catalogue."""
    return frozenset(_texts().texts)


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language."""

    language: Language

    def __call__(self, key: str, /, **filled: object) -> str:
        """The text of a key with its marks filled in. Raises KeyError for a key nobody wrote a text for."""
        text: str = getattr(_texts().texts[key], self.language)
        return text.format(**filled) if filled else text

    def or_raw(self, prefix: str, name: str) -> str:
        """The text of `prefix.name`, or the name itself where another stage has brought a new word."""
        entry = _texts().texts.get(f"{prefix}.{name}")
        return getattr(entry, self.language) if entry else name.replace("_", " ")

    def enumeration(self, value: str) -> str:
        """An enumeration's value in words; unknown ones as they are."""
        entry = _texts().enumerations.get(value)
        return getattr(entry, self.language) if entry else value

    def pick(self, labels: Mapping[str, str], fallback: str = "") -> str:
        """The label in this language, else in English, else the fallback."""
        return labels.get(self.language) or labels.get("en") or fallback


def choose_language(asked: str | None, kept: str | None, accepted: str | None) -> Language:
    """The language a request wants: `?lang=`, else the cookie, else Accept-Language, else English."""
    for wish in (asked, kept):
        if wish in LANGUAGES:
            return wish
    best: tuple[float, Language] = (0.0, "en")
    for part in (accepted or "").split(","):
        tag, _, rest = part.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        weight = _weight(rest)
        for language in LANGUAGES:
            if primary == language and weight > best[0]:
                best = (weight, language)
    return best[1]


def _weight(text: str) -> float:
    name, _, number = text.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
