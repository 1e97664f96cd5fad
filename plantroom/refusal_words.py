"""Refusals in Chinese. The stages say them in English; `refusals_zh.yaml` has each sentence in both languages, and
`problems_zh.yaml` what is wrong with a file.

A sentence is known by its words: what stands in braces may be anything and is carried over, translated where it is
itself a sentence of ours, and word by word where the sentence says that it holds verbs, states or steps. One that is
not there stays English (a test asks for those of every route).
"""

import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from dashboards.web.language import Words
from facility.document import parse_document

MOST_CHARACTERS = 2_000
"""Longer texts hold what somebody sent; to look for our words in them would cost seconds."""
MOST_SENTENCES = 4
"""Of a longer text nobody says where what is wrong ends and the advice begins."""

_HOLE = re.compile(r"\{(\d)\}")


class _Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid")
    en: str
    zh: str
    words: str = ""
    """The holes that hold verbs or states; a name in another hole stays as it is, also one that is such a word."""
    steps: str = ""
    """The holes that hold what people did one after another: `acknowledge by Li, then arrive by Li`."""
    of: list[str] = []
    """Which words: the first that are all known; for steps, the first that knows the step."""


class _Sentences(BaseModel):
    model_config = ConfigDict(extra="forbid")
    refusals: list[_Sentence]
    words: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class _Known:
    pattern: re.Pattern[str]
    holes: Sequence[str]
    zh: str
    words: str
    steps: str
    of: Sequence[str]

    def say(self, values: Sequence[str]) -> str:
        """The sentence in Chinese with what stood in its holes."""
        said = {hole: self._said(hole, value) for hole, value in zip(self.holes, values, strict=True)}
        return "".join(said[part] if index % 2 else part for index, part in enumerate(_HOLE.split(self.zh)))

    def _said(self, hole: str, value: str) -> str:
        if hole in self.steps:
            return _step_by_step(value, self.of)
        return _word_by_word(value, self.of) if hole in self.words else in_chinese(value)


def in_language(text: str, words: Words) -> str:
    """The text as a reader of that language gets it."""
    return text if words.language == "en" else words.in_script(in_chinese(text))


@lru_cache(maxsize=2_000)
def in_chinese(text: str) -> str:
    """The text in Chinese where every sentence of it is known; what is not known stays as it is."""
    if "\n" in text:
        return "\n".join(in_chinese(line) for line in text.split("\n"))
    if len(text) > MOST_CHARACTERS:
        return text
    if (both := _by_sentence(text)) != text:  # first: a hole at the end of what is wrong would take the advice in
        return both
    for known in _known():
        if match := known.pattern.fullmatch(text):
            return known.say(match.groups())
    parts = text.split("; ")  # several at once: what is wrong with each field of a body
    if len(parts) > 1:
        return "；".join(map(in_chinese, parts))
    return text


def _by_sentence(text: str) -> str:
    """What is wrong, and then what to do: each in Chinese, where both are known."""
    cuts = list(re.finditer(r"\. (?=[A-Z`'])", text))
    for cut in cuts if len(cuts) <= MOST_SENTENCES else ():
        what, hint = text[: cut.start()], text[cut.end() :]
        said, advice = in_chinese(what), in_chinese(hint)
        if said != what and advice != hint:
            return f"{said}。{advice}"
    return text


def _word_by_word(text: str, of: Sequence[str]) -> str:
    """Verbs and states, one or several."""
    words = text.split(", ")
    for known in (_words()[name] for name in of):
        if all(one in known for one in words):
            return "、".join(known[one] for one in words)
    return in_chinese(text)


def _step_by_step(text: str, of: Sequence[str]) -> str:
    """Who did what, and who then."""
    known = ChainMap(*(dict(_words()[name]) for name in of))
    steps = [step.partition(" by ") for step in text.split(", then ")]
    if not all(verb in known and who for verb, _, who in steps):
        return text
    return "，随后 ".join(f"{who} {known[verb]}" for verb, _, who in steps)


def sentences() -> list[tuple[str, str]]:
    """Every sentence in English and in Chinese, with its holes."""
    return [(one.en, one.zh) for parsed in _read() for one in parsed.refusals]


@cache
def _read() -> list[_Sentences]:
    found = []
    for name in ("refusals_zh.yaml", "problems_zh.yaml"):
        text = files("plantroom").joinpath(name).read_text(encoding="utf-8")
        found.append(parse_document(_Sentences, text, f"plantroom/{name}"))
    return found


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return {name: words for parsed in _read() for name, words in parsed.words.items()}


@cache
def _known() -> list[_Known]:
    """The sentences that say most first: of two that fit, the one with more words of its own holds."""
    every = [one for parsed in _read() for one in parsed.refusals]
    by_words = sorted(every, key=lambda one: len(_HOLE.sub("", one.en)), reverse=True)
    return [_Known(_pattern(one.en), _HOLE.findall(one.en), one.zh, one.words, one.steps, one.of) for one in by_words]


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _HOLE.split(sentence)[::2]
    return re.compile("(.+?)".join(re.escape(part) for part in parts), re.DOTALL)
