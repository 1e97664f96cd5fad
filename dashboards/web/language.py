"""The languages of the pages: the texts, and which language a request wants.

English and Simplified Chinese are written; Traditional Chinese (`hant`) is derived from Simplified by OpenCC's tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, get_args

import opencc
from pydantic import BaseModel, ConfigDict

from facility.document import parse_document

Language = Literal["en", "zh", "hant"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
COOKIE = "plantroom_language"


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    en: str
    zh: str


class _Texts(BaseModel):
    model_config = ConfigDict(extra="forbid")
    texts: dict[str, _Text]
    enumerations: dict[str, _Text] = {}


@cache
def _texts() -> _Texts:
    texts: dict[str, _Text] = {}
    enumerations: dict[str, _Text] = {}
    for source in sorted(files("dashboards").joinpath("web").iterdir(), key=lambda one: one.name):
        if source.name.startswith("texts") and source.name.endswith(".yaml"):
            part = parse_document(_Texts, source.read_text(encoding="utf-8"), f"dashboards/web/{source.name}")
            if twice := texts.keys() & part.texts.keys():
                msg = f"dashboards/web/{source.name} says {', '.join(sorted(twice))} again; say each text once"
                raise ValueError(msg)
            texts |= part.texts
            enumerations |= part.enumerations
    return _Texts(texts=texts, enumerations=enumerations)


def text_keys() -> frozenset[str]:
    """Every key of the catalogue."""
    return frozenset(_texts().texts)


@cache
def _tables() -> opencc.OpenCC:
    """Character and phrase tables, read once when somebody first asks for Traditional."""
    return opencc.OpenCC("s2tw")


@lru_cache(maxsize=20_000)
def _traditional(text: str) -> str:
    return str(_tables().convert(text))


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language. `chosen` is what a person reads; the texts are those of `language`."""

    chosen: Language

    @property
    def language(self) -> Literal["en", "zh"]:
        """The language the texts are written in."""
        return "en" if self.chosen == "en" else "zh"

    @property
    def tag(self) -> str:
        """As a page names it: `en`, `zh-CN` or `zh-Hant`."""
        return {"en": "en", "zh": "zh-CN", "hant": "zh-Hant"}[self.chosen]

    def in_script(self, text: str) -> str:
        """A Chinese text of ours in the script the person reads. Never for what people typed."""
        return _traditional(text) if self.chosen == "hant" else text

    def __call__(self, key: str, /, **filled: object) -> str:
        """The text of a key with its marks filled in. Raises KeyError for a key nobody wrote a text for."""
        text: str = self.in_script(getattr(_texts().texts[key], self.language))
        return text.format(**filled) if filled else text

    def or_raw(self, prefix: str, name: str) -> str:
        """The text of `prefix.name`, or the name itself where another stage has brought a new word."""
        entry = _texts().texts.get(f"{prefix}.{name}")
        return self.in_script(getattr(entry, self.language)) if entry else name.replace("_", " ")

    def enumeration(self, value: str) -> str:
        """An enumeration's value in words; unknown ones as they are."""
        entry = _texts().enumerations.get(value)
        return self.in_script(getattr(entry, self.language)) if entry else value

    def pick(self, labels: Mapping[str, str], fallback: str = "") -> str:
        """The label in this language, else in English, else the fallback."""
        own = labels.get(self.language)
        return self.in_script(own) if own else labels.get("en") or fallback


def choose_language(asked: str | None, kept: str | None, accepted: str | None) -> Language:
    """The language a request wants: `?lang=`, else the cookie, else Accept-Language, else English."""
    for wish in (asked, kept):
        if wish in LANGUAGES:
            return wish
    best: tuple[float, Language] = (0.0, "en")
    for part in (accepted or "").split(","):
        tag, _, rest = part.strip().partition(";")
        found, weight = _language(tag), _weight(rest)
        if found is not None and weight > best[0]:
            best = (weight, found)
    return best[1]


_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


def _language(tag: str) -> Language | None:
    """The language of a tag such as `zh-TW`; None for one we do not have."""
    primary, *rest = tag.strip().lower().split("-")
    if primary == "zh":
        return "hant" if _TRADITIONAL & set(rest) and "hans" not in rest else "zh"
    return "en" if primary == "en" else None


def _weight(text: str) -> float:
    name, _, number = text.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
