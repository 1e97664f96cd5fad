"""What a revision of `contract.yaml` may say about requests, complaints, surveys, claims. Pure."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ticketing.contract_fields import Clause, Identifier, LimitText, MatchEntry, Names, SpanText, Strict
from ticketing.plan import Every, parse_every
from ticketing.survey_questions import USUAL
from ticketing.terms_service import Form, FormKind, Question, Scale, SendOn

EveryText = Annotated[
    Every, BeforeValidator(parse_every), WithJsonSchema({"type": "string", "examples": ["quarter", "3 months"]})
]
Weight = Annotated[Decimal, Field(gt=0, le=1000)]


class RequestsEntry(Strict):
    """How fast an occupant's request is dealt with."""

    calendar: str
    review: LimitText
    visit: LimitText | None = Field(default=None, description="looked at on site, from its entry")
    duplicate_window: SpanText = timedelta(days=7)
    clause: Clause = ""


class UrgentEntry(Strict):
    """The limits of urgent complaints; those left out are as usual."""

    accept: LimitText | None = None
    answer: LimitText | None = None
    resolve: LimitText | None = None
    tell: LimitText | None = None


class ComplaintsEntry(Strict):
    """How fast a complaint is dealt with."""

    calendar: str
    accept: LimitText
    answer: LimitText
    resolve: LimitText
    tell: LimitText | None = Field(default=None, description="the result told, from the resolution")
    urgent: UrgentEntry | None = None
    repeat_window: SpanText = timedelta(days=90)
    escalate_to: Names | None = None
    clause: Clause = ""


class QuestionEntry(Strict):
    """One question."""

    id: Identifier
    text: Annotated[str, Field(min_length=1)]
    text_zh: str = ""
    scale: Scale = Scale.FIVE
    weight: Weight = Decimal(1)


class FormEntry(Strict):
    """A survey. Without `questions` it asks the usual ones of its kind, with the `weights` it names."""

    id: Identifier
    kind: FormKind
    send_on: SendOn = SendOn.COMPLETE
    scale: Scale | None = Field(default=None, description="of the usual questions, if not 1-5")
    questions: list[QuestionEntry] = Field(default=[])
    weights: dict[str, Weight] = Field(default={}, description="of the usual questions, by id")
    closes: SpanText = timedelta(days=14)
    reminders: list[SpanText] = Field(default=[], description="times after sending")
    match: MatchEntry = MatchEntry()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        usual = {one.id for one in USUAL[self.kind]}
        if self.questions and (self.weights or self.scale is not None):
            msg = "a form has its own questions, or `weights` and `scale` for the usual ones"
            raise ValueError(msg)
        if strange := sorted(set(self.weights) - usual):
            msg = f"{strange[0]!r} is no question of the {self.kind} form; it asks {', '.join(sorted(usual))}"
            raise ValueError(msg)
        if self.kind is FormKind.NPS and self.scale is not None:
            msg = "the NPS has a scale of its own, 0-10"
            raise ValueError(msg)
        Form(self.id, self.kind, self.asked(), self.send_on, self.closes, tuple(self.reminders))
        return self

    def asked(self) -> tuple[Question, ...]:
        """The questions as values."""
        if self.questions:
            return tuple(Question(one.id, one.text, one.text_zh or one.text, one.scale, one.weight)
                         for one in self.questions)  # fmt: skip
        return tuple(
            Question(
                one.id, one.text, one.text_zh, self.scale if self.scale is not None else one.scale,
                self.weights.get(one.id, one.weight),
            )
            for one in USUAL[self.kind]
        )  # fmt: skip


class SurveysEntry(Strict):
    """Every form, when an answer is so low that it opens a complaint, and the target of 10."""

    forms: Annotated[list[FormEntry], Field(min_length=1)]
    low: Annotated[int, Field(ge=1, le=4)] = 2
    target: Annotated[Decimal, Field(gt=0, le=10)] = Decimal("8.5")
    clause: Clause = ""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [one.id for one in self.forms]
        if len(set(ids)) < len(ids):
            msg = "two forms have the same id; give each its own"
            raise ValueError(msg)
        return self


class ClaimsEntry(Strict):
    """How fast the installer deals with a defect inside the warranty, and how often it looks again."""

    calendar: str
    plan: LimitText
    visit: LimitText
    follow_up: EveryText | None = None
    clause: Clause = ""


class ClauseEntry(Strict):
    """A promise that people keep and nothing computes: upgrades, disinfection, who decides about what."""

    clause: Annotated[str, Field(min_length=1)]
    about: Annotated[str, Field(min_length=1, description="such as upgrades or disinfection")]
    text: Annotated[str, Field(min_length=1)]


class ServicePart(Strict):
    """The parts of a revision that are promised to people beside repairs."""

    requests: RequestsEntry | None = None
    complaints: ComplaintsEntry | None = None
    surveys: SurveysEntry | None = None
    claims: ClaimsEntry | None = Field(default=None, description="defects inside the warranty")
    clauses: list[ClauseEntry] = Field(default=[], description="what else was agreed, in words")
