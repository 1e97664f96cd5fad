"""`rules/*.yaml`: rule files, checked with file, line, field and the place inside the expression."""

import hashlib
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from facility.catalogue import equipment_classes, point_types
from facility.document import Places, check_data, format_path, load_yaml
from facility.errors import InputError, Problem
from facility.fields import unknown
from facility.finding import OrderKind, Severity
from facility.instant import parse_duration
from facility.units import UnitError, check_unit
from rules.calls import TIME_UNITS
from rules.compiler import Compiler
from rules.errors import ExpressionError
from rules.functions import FUNCTIONS
from rules.machine import Machines
from rules.program import BOUND_POINT, Environment, Program
from rules.rule import Group, Parameter, Rule
from rules.scenario_file import ScenarioEntry


def _class_name(name: str) -> str:
    if name != "any" and name not in equipment_classes():
        raise ValueError(unknown("equipment class", name, [*equipment_classes(), "any"]))
    return name


def _unit(name: str) -> str:
    try:
        return check_unit(name)
    except UnitError as error:
        raise ValueError(str(error)) from error


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _texts(value: object) -> object:
    """A condition written as a YAML bool or number is meant as its text."""
    return str(value) if isinstance(value, bool | int | float) else value


Words = Annotated[list[str], BeforeValidator(_listed)]
Text = Annotated[str, BeforeValidator(_texts)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ParameterEntry(_Strict):
    """A number that a class, an asset or a site may set otherwise."""

    value: float = Field(allow_inf_nan=False, description="its value unless somebody sets another")
    unit: Annotated[str, AfterValidator(_unit)] = Field(default="", description="its unit, checked where it is used")
    note: str = Field(default="", description="why this value")


class ChineseEntry(_Strict):
    """The texts of a rule in Simplified Chinese, in the order of the English ones."""

    diagnosis: Words = []
    advice: str = ""
    checklist: Words = []


class FlappingEntry(_Strict):
    """A finding that is raised `times` `within` so long stays active until it has been quiet for that long."""

    times: int = Field(ge=2, le=100, description="raised so often")
    within: str | float = Field(description="within so long; and so long it must be quiet")


class RuleEntry(_Strict):
    """One rule as people write it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64, description="kebab-case")
    classes: Annotated[list[Annotated[str, AfterValidator(_class_name)]], BeforeValidator(_listed)] = Field(
        alias="class", min_length=1, description="a class, a list of them, or any"
    )
    name: dict[Literal["en", "zh"], str] = Field(description="what people read, in English and Chinese")
    kind: OrderKind = Field(default=OrderKind.FAULT, description="`fault`, or `preventive` before there is one")
    severity: Severity = Field(description="`critical` (danger: at once), `high`, `medium`, `low`")
    parameters: dict[str, ParameterEntry] = Field(
        default={}, description="numbers that a class, an asset or a site may set otherwise"
    )
    let: dict[str, Text] = Field(default={}, description="name -> expression, for those below it and as evidence")
    when: Text = Field(description="the condition")
    latch: bool = Field(default=False, description="a raised finding stays until a visit, though its cause is over")
    flapping: FlappingEntry | None = Field(default=None, description="how often it may come and go")
    forgive: str | float = Field(default="0 s", description="how long the condition may fail without starting anew")
    for_: str | float = Field(default="0 s", alias="for", description="persistence: a duration or a parameter")
    clear: Text | None = Field(default=None, description="when it is over; without one, when `when` is false")
    clear_for: str | float = Field(default="0 s", description="how long `clear` must hold")
    suppresses: list[str] = Field(default=[], description="rules that open no order while this one is active")
    downstream: bool = Field(default=False, description="whether it suppresses them behind the asset too")
    release: str | float = Field(default="0 s", description="how long it goes on suppressing after it cleared")
    group: Group = Field(default=Group.ASSET, description="whose findings share a cause: `asset`, `space`, `building`")
    for_each: Literal["point"] | None = Field(
        default=None, description="`point`: judge every point of the asset in turn, as `point`"
    )
    diagnosis: Words = Field(default=[], description="what it may be, the likeliest first")
    advice: str = Field(description="what to do first")
    checklist: Words = Field(default=[], description="what to look at on site")
    reference: str = Field(default="", description="standard or source")
    zh: ChineseEntry = Field(default=ChineseEntry(), description="diagnosis, advice and checklist in Chinese")
    tests: list[ScenarioEntry] = Field(default=[], description="series and the findings they must lead to")


class StatesEntry(_Strict):
    """An operating state as data. Rules of the file that name it get its text: `id` once it has held for `delay`,
    Unknown before; `id_now` at once. The first state whose condition holds is the one.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=64, description="a name for expressions")
    parameters: dict[str, ParameterEntry] = Field(default={}, description="they become those of the rules that use it")
    states: dict[str, Text] = Field(min_length=1, description="name of the state -> its condition")
    otherwise: str = Field(default="other", description="the state when none of the conditions holds")
    delay: str | float = Field(default="0 s", description="mode delay: a duration or a parameter")


class RuleFile(_Strict):
    """A whole rule file."""

    states: list[StatesEntry] = []
    rules: list[RuleEntry]


@lru_cache(maxsize=32)
def parse_rule_entries(text: str, where: str) -> tuple[RuleFile, Places]:
    """The file's entries, not yet compiled: for the tests they carry. Raises InputError."""
    data, places = load_yaml(text, where)
    return check_data(RuleFile, data, places, where), places


@lru_cache(maxsize=64)
def parse_rules(text: str, where: str) -> tuple[Rule, ...]:
    """The rules of a file, compiled; a text is read once. Raises InputError with every problem, each with its line."""
    file, places = parse_rule_entries(text, where)
    machines = Machines(file.states, places, where)
    if machines.problems:
        raise InputError(machines.problems)
    builder = _Builder(places, where, machines)
    rules = tuple(
        rule for index, entry in enumerate(file.rules) if (rule := builder.rule(entry, ("rules", index))) is not None
    )
    if builder.problems:
        raise InputError(builder.problems)
    return rules


class _Builder:
    def __init__(self, places: Places, where: str, machines: Machines) -> None:
        self.places, self.where, self.machines = places, where, machines
        self.problems: list[Problem] = []

    def refuse(self, path: tuple[str | int, ...], what: str, hint: str = "") -> None:
        known, line, column = self.places.find(path)
        self.problems.append(Problem(self.where, what, hint, format_path(known), line, column))

    def rule(self, entry: RuleEntry, path: tuple[str | int, ...]) -> Rule | None:
        before = len(self.problems)
        self._check_names(entry, path)
        entry = self.machines.write_out(entry)
        program = self._program(entry, path)
        persistence = self._duration(entry.for_, entry, (*path, "for"))
        clear_persistence = self._duration(entry.clear_for, entry, (*path, "clear_for"))
        forgive = self._duration(entry.forgive, entry, (*path, "forgive"))
        release_us = self._plain_duration(entry.release, (*path, "release"))
        flapping = entry.flapping
        flapping_us = self._plain_duration(flapping.within, (*path, "flapping", "within")) if flapping else 0
        if "any" in entry.classes and len(entry.classes) > 1:
            self.refuse((*path, "class"), "any already means every class", "Remove it or the others.")
        if program is None or len(self.problems) > before:
            return None
        judged = entry.model_dump(mode="json", by_alias=True, exclude={"tests", "checklist", "reference", "zh"})
        return Rule(
            id=entry.id,
            classes=() if "any" in entry.classes else tuple(entry.classes),
            name=dict(entry.name.items()),
            kind=entry.kind,
            severity=entry.severity,
            parameters={
                name: Parameter(name, value.value, value.unit, value.note) for name, value in entry.parameters.items()
            },
            let_texts=dict(entry.let),
            when_text=" ".join(entry.when.split()),
            clear_text=" ".join(entry.clear.split()) if entry.clear is not None else None,
            persistence=persistence,
            clear_persistence=clear_persistence,
            forgive=forgive,
            latch=entry.latch,
            flapping_times=flapping.times if flapping else 0,
            flapping_us=flapping_us,
            suppresses=tuple(entry.suppresses),
            downstream=entry.downstream,
            release_us=release_us,
            group=entry.group,
            for_each_point=entry.for_each is not None,
            diagnosis=tuple(entry.diagnosis),
            advice=" ".join(entry.advice.split()),
            checklist=tuple(entry.checklist),
            reference=entry.reference,
            chinese=_translations(entry),
            program=program,
            text_hash=_hash(judged),
            where=self.where,
        )

    def _check_names(self, entry: RuleEntry, path: tuple[str | int, ...]) -> None:
        if "en" not in entry.name:
            self.refuse((*path, "name"), "the English name is missing", "Add `en: ...`.")
        for field, english, chinese in (
            ("diagnosis", entry.diagnosis, entry.zh.diagnosis),
            ("checklist", entry.checklist, entry.zh.checklist),
        ):
            if chinese and len(chinese) != len(english):
                what = f"{len(chinese)} Chinese texts for {len(english)} English ones"
                self.refuse((*path, "zh", field), what, "Write one for each, in the same order.")
        for field, names in (("parameters", entry.parameters), ("let", entry.let)):
            for name in names:
                place = (*path, field, name)
                if not name.isidentifier() or not name.islower():
                    self.refuse(place, f"{name!r} cannot be a name in an expression", "Use lower case and _.")
                elif name in point_types() or name in FUNCTIONS or name == BOUND_POINT or name in self.machines.names:
                    self.refuse(place, f"{name!r} is already a point, a function or a state", "Choose another name.")
                elif field == "let" and name in entry.parameters:
                    self.refuse(place, f"{name!r} is already a parameter", "Choose another name.")

    def _program(self, entry: RuleEntry, path: tuple[str | int, ...]) -> Program | None:
        units = {name: value.unit for name, value in entry.parameters.items()}
        zeros = frozenset(name for name, value in entry.parameters.items() if value.value == 0)
        compiler = Compiler(Environment(point_types(), units, entry.for_each is not None, zeros))
        place = path
        try:
            for name, text in entry.let.items():
                place = (*path, "let", name)
                compiler.let(name, text)
            place = (*path, "when")
            when = compiler.condition(entry.when)
            place = (*path, "clear")
            clear = compiler.condition(entry.clear) if entry.clear is not None else None
            return compiler.finish(when, clear)
        except ExpressionError as error:
            line, column = self.places.inside(place, error.column - 1)
            known, *mark = self.places.find(place)
            place_of = (line, column) if line is not None else mark
            what = f"{error.what} (at character {error.column} of the expression)"
            self.problems.append(Problem(self.where, what, error.hint, format_path(known), *place_of))
            return None

    def _duration(self, given: str | float, entry: RuleEntry, path: tuple[str | int, ...]) -> int | str:
        if isinstance(given, str) and given in entry.parameters:
            if entry.parameters[given].unit not in TIME_UNITS:
                self.refuse(path, f"the parameter {given!r} has no unit of time", "Give it s, min, h or d.")
            return given
        hint = f"Or name a parameter: {', '.join(entry.parameters)}." if entry.parameters else ""
        return self._plain_duration(given, path, hint)

    def _plain_duration(self, given: str | float, path: tuple[str | int, ...], hint: str = "") -> int:
        try:
            return round(parse_duration(given).total_seconds() * 1e6)
        except ValueError as error:
            self.refuse(path, str(error), hint)
            return 0


def _translations(entry: RuleEntry) -> dict[str, str]:
    pairs = [*zip(entry.diagnosis, entry.zh.diagnosis, strict=False)]
    pairs += zip(entry.checklist, entry.zh.checklist, strict=False)
    pairs += [(" ".join(entry.advice.split()), "".join(entry.zh.advice.split()))] if entry.zh.advice else []
    return dict(pairs) | ({entry.name["en"]: entry.name["zh"]} if "zh" in entry.name and "en" in entry.name else {})


def _hash(judged: dict[str, Any]) -> str:
    return hashlib.blake2b(repr(sorted(judged.items())).encode(), digest_size=12).hexdigest()
