"""What the answers to a survey mean: a score of 0 to 10, an NPS, a reason to complain; and when to remind. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from facility.fields import unknown
from ticketing.request import Declined
from ticketing.terms_service import Form, Scale, SurveyTerms

_CENT = Decimal("0.01")


class SurveyStatus(StrEnum):
    """What became of a survey."""

    SENT = "sent"
    ANSWERED = "answered"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Judged:
    """Checked answers: the weighted score of 0 to 10 (None: only an NPS was asked), the NPS, and the questions whose
    answer is so low that it opens a complaint."""

    answers: Mapping[str, int]
    score: Decimal | None
    nps: int | None
    low: tuple[str, ...]


def judge_answers(form: Form, terms: SurveyTerms, answers: Mapping[str, object]) -> Judged | Declined:
    """The answers of a form, or what is wrong with them: which question, which answer, and what may be answered."""
    checked: dict[str, int] = {}
    known = {one.id: one for one in form.questions}
    for name, value in answers.items():
        if name not in known:
            return Declined(unknown(f"question of form {form.id!r}", name, known), "Answer the form's own questions.")
        allowed = known[name].scale.allowed
        if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
            what = f"the answer to {name!r} is {value!r}; expected {_listed(allowed)}"
            return Declined(what, f"The scale of {name!r} is {known[name].scale}.")
        checked[name] = value
    if missing := [name for name in known if name not in checked]:
        return Declined(f"the questions {', '.join(missing)} are not answered", "Answer every question of the form.")
    return Judged(checked, _score(form, checked), _nps(form, checked), tuple(_low(form, terms, checked)))


def next_reminder(form: Form, sent_at: datetime, reminders: int) -> datetime | None:
    """When to remind for the next time after so many reminders; None when that was all."""
    return sent_at + form.reminders[reminders] if reminders < len(form.reminders) else None


def _score(form: Form, answers: Mapping[str, int]) -> Decimal | None:
    parts = [(one.weight, tenth) for one in form.questions if (tenth := one.scale.tenth(answers[one.id])) is not None]
    if not parts:
        return None
    total = sum((weight * tenth for weight, tenth in parts), Decimal(0))
    return (total / sum(weight for weight, _ in parts)).quantize(_CENT, ROUND_HALF_UP)


def _nps(form: Form, answers: Mapping[str, int]) -> int | None:
    return next((answers[one.id] for one in form.questions if one.scale is Scale.NPS), None)


def _low(form: Form, terms: SurveyTerms, answers: Mapping[str, int]) -> Iterable[str]:
    for one in form.questions:
        tenth = one.scale.tenth(answers[one.id])
        if tenth is not None and tenth <= terms.low * 2:
            yield one.id


def _listed(allowed: tuple[int, ...]) -> str:
    return f"{allowed[0]} to {allowed[-1]}" if len(allowed) == allowed[-1] - allowed[0] + 1 else (
        ", ".join(str(one) for one in allowed))  # fmt: skip
