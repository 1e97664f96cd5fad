"""What a revision of `contract.yaml` may say about preventive visits, and the visits it makes of that. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from facility.fields import unknown
from ticketing.contract_fields import Clause, Identifier, MatchEntry, Names, Strict, TextOrEntry
from ticketing.plan import Anchor, AnswerKind, CatchUp, CheckItem, Every, MeterTerm, Visit, parse_every
from ticketing.terms_load import Path, Refuse, match_of


def _every(value: object) -> Every:
    return value if isinstance(value, Every) else parse_every(value)


def _item(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


EveryText = Annotated[
    Every, BeforeValidator(_every), WithJsonSchema({"type": "string", "examples": ["half month", "quarter", "15 days"]})
]


class ItemEntry(Strict):
    """A line of a check list; a plain text is one to be ticked."""

    text: str = Field(min_length=1)
    answer: AnswerKind = AnswerKind.CHECK
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    options: list[str] = Field(default=[])
    fails: list[str] = Field(default=[], description="the options that open a fault order")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.options) != (self.answer is AnswerKind.CHOICE):
            msg = "a choice has `options`, and nothing else has"
            raise ValueError(msg)
        if set(self.fails) - set(self.options):
            msg = f"`fails` names {sorted(set(self.fails) - set(self.options))}, which are none of the options"
            raise ValueError(msg)
        limits = self.minimum is not None or self.maximum is not None
        if limits and self.answer is not AnswerKind.NUMBER:
            msg = "only a number has limits; write `answer: number`"
            raise ValueError(msg)
        return self


ItemText = Annotated[ItemEntry, BeforeValidator(_item), TextOrEntry()]


class MeterEntry(Strict):
    """So much of a meter since the last visit."""

    name: Identifier
    every: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class VisitEntry(Strict):
    """A preventive visit by calendar, by meter, or whichever comes first."""

    id: Identifier
    clause: Clause = ""
    name: str = ""
    match: MatchEntry
    every: EveryText | None = None
    meter: MeterEntry | None = Field(default=None, description="a meter of the asset, such as run_hours")
    follows: Anchor = Anchor.FIXED
    first_on: date | None = Field(default=None, description="the first date; else when the plan begins")
    statutory: bool = False
    early_days: Annotated[int, Field(ge=0, le=365)] = 0
    catch_up: CatchUp = CatchUp.ONCE
    contains: Names | None = Field(default=None, description="ids of the shorter visits it makes up for")
    checklist: list[ItemText] = Field(default=[])


def visits_of(entries: Sequence[VisitEntry], path: Path, refuse: Refuse) -> tuple[Visit, ...]:
    """The visits of a revision; what cannot be is refused with its place."""
    ids = [entry.id for entry in entries]
    found = []
    for index, entry in enumerate(entries):
        place: Path = (*path, "preventive", index)
        if entry.id in ids[:index]:
            refuse((*place, "id"), f"visit {entry.id!r} is there twice", "Give each visit its own id.")
        for name in entry.contains or ():
            if name not in ids or name == entry.id:
                refuse((*place, "contains"), unknown("other visit", name, [one for one in ids if one != entry.id]))
        try:
            found.append(_visit(entry))
        except ValueError as error:
            refuse(place, str(error))
    return tuple(found)


def _visit(entry: VisitEntry) -> Visit:
    return Visit(
        id=entry.id,
        clause=entry.clause,
        name=entry.name or entry.id,
        match=match_of(entry.match),
        every=entry.every,
        follows=entry.follows,
        first_on=entry.first_on,
        statutory=entry.statutory,
        early_days=entry.early_days,
        catch_up=entry.catch_up,
        contains=tuple(entry.contains or ()),
        checklist=tuple(
            CheckItem(one.text, one.answer, one.unit, one.minimum, one.maximum, tuple(one.options), tuple(one.fails))
            for one in entry.checklist
        ),
        meter=MeterTerm(entry.meter.name, entry.meter.every) if entry.meter is not None else None,
    )
