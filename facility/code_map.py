"""Code maps: what the fault and message codes of a supplier mean in the neutral vocabulary. Data, one file per map.

A code becomes a word (`door_closing`) as the value of `fault_code`, and may say something about other points too: an
inspection code that the car is under inspection. A code that is not in the map stays the text the device sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from facility.catalogue import point_types
from facility.document import parse_document
from facility.reading import Value


class CodeEntry(BaseModel):
    """One code: its word, how people read it, other spellings of the code, and what it says about other points."""

    model_config = ConfigDict(extra="forbid")

    means: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="the word that becomes the value of fault_code")
    label: dict[str, str] = Field(default={}, description="language -> text")
    also: list[str] = Field(default=[], description="other spellings of this code")
    points: dict[str, float | str] = Field(default={}, description="other points of the asset -> value")


class CodeMapEntry(BaseModel):
    """One code map, in a file of its own or under `code_maps` of a site file."""

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    reference: str = ""
    extends: str | None = Field(default=None, description="a map whose codes count too; own ones win")
    codes: dict[str, CodeEntry] = {}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code says."""

    word: str
    label: Mapping[str, str] = field(default_factory=dict, hash=False)
    points: Mapping[str, Value] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class CodeMap:
    """Codes of one supplier by their text."""

    id: str
    name: str
    reference: str
    meanings: Mapping[str, Meaning] = field(hash=False)

    def find(self, code: str) -> Meaning | None:
        """The meaning of a code as the device wrote it; `1`, `01` and `001` are one code. None when unknown."""
        return self.meanings.get(_normal(code))


def _normal(code: str) -> str:
    text = code.strip().lower()
    return (text.lstrip("0") or "0") if text.isascii() and text.isdigit() else text


def build_code_map(map_id: str, entry: CodeMapEntry, known: Mapping[str, CodeMap]) -> CodeMap:
    """The map of an entry on top of what it extends. Raises ValueError, which says what to do."""
    meanings: dict[str, Meaning] = {}
    if entry.extends is not None:
        if entry.extends not in known:
            msg = f"code map {entry.extends!r} is not known; known are: {', '.join(sorted(known))}"
            raise ValueError(msg)
        meanings |= known[entry.extends].meanings
    own: dict[str, str] = {}
    for code, coded in entry.codes.items():
        meaning = Meaning(coded.means, dict(coded.label), {name: _checked(name, v) for name, v in coded.points.items()})
        for spelling in (code, *coded.also):
            key = _normal(spelling)
            if key in own:
                msg = f"codes {own[key]!r} and {spelling!r} are the same; keep one"
                raise ValueError(msg)
            own[key] = spelling
            meanings[key] = meaning
    return CodeMap(map_id, entry.name or map_id, entry.reference, meanings)


def _checked(name: str, value: Value) -> Value:
    kind = point_types().get(name)
    if kind is None:
        msg = f"{name!r} is not a point of the catalogue"
        raise ValueError(msg)
    if kind.is_text != isinstance(value, str) or (kind.values and value not in kind.values):
        msg = f"{value!r} is not a value of {name}; expected {', '.join(kind.values) or kind.unit}"
        raise ValueError(msg)
    return value


@cache
def code_maps() -> dict[str, CodeMap]:
    """The maps that come along, by id (the file's name). Callers must not change it."""
    found: dict[str, CodeMap] = {}
    folder = files("facility").joinpath("data/code_maps")
    entries = {
        path.name.removesuffix(".yaml"): parse_document(CodeMapEntry, path.read_text(encoding="utf-8"), path.name)
        for path in folder.iterdir()
        if path.name.endswith(".yaml")
    }
    for map_id in sorted(entries, key=lambda name: (entries[name].extends is not None, name)):
        found[map_id] = build_code_map(map_id, entries[map_id], found)
    return found
