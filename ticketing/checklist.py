"""Answers to a visit's check list: what an answer is worth, and what may not be left out silently. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ticketing.plan import AnswerKind, CheckItem, Visit
from ticketing.work_order import Verb

YES, NO = frozenset({"ok", "yes", "true", "pass", "passed", "1"}), frozenset({"no", "false", "fail", "failed", "0"})


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer as it is kept, whether the item passed, and if not what was wrong."""

    value: str
    passed: bool
    wrong: str = ""


def judge_answer(item: CheckItem, value: str) -> Judged:
    """What an answer says about an item. Raises ValueError, with what is expected, for one that is no answer."""
    text = value.strip()
    if item.answer is AnswerKind.NUMBER:
        return _number(item, text)
    if item.answer is AnswerKind.CHOICE:
        if text not in item.options:
            msg = f"{text!r} is none of the options; write one of: {', '.join(item.options)}"
            raise ValueError(msg)
        return Judged(text, text not in item.fails, f"it is {text}" if text in item.fails else "")
    if item.answer is AnswerKind.CHECK:
        word = text.lower()
        if word not in YES | NO:
            msg = f"{text!r} is no answer to a check; write ok or failed"
            raise ValueError(msg)
        return Judged("ok" if word in YES else "failed", word in YES, "" if word in YES else "it is not in order")
    if not text:
        msg = f"a {item.answer} needs the name of what was taken (an attachment, a file, a person)"
        raise ValueError(msg)
    return Judged(text, passed=True)


def _number(item: CheckItem, text: str) -> Judged:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        msg = f"{text!r} is no number; write what was measured{f' in {item.unit}' if item.unit else ''}"
        raise ValueError(msg)
    unit = f" {item.unit}" if item.unit else ""
    if item.minimum is not None and number < item.minimum:
        return Judged(f"{number:g}", passed=False, wrong=f"{number:g}{unit} is below {item.minimum:g}{unit}")
    if item.maximum is not None and number > item.maximum:
        return Judged(f"{number:g}", passed=False, wrong=f"{number:g}{unit} is above {item.maximum:g}{unit}")
    return Judged(f"{number:g}", passed=True)


def decide_leaving_out(
    verb: Verb, visit: Visit, unanswered: Sequence[CheckItem], note: str, override: str
) -> tuple[str, str] | None:
    """What stands against completing, cancelling or merging a visit, and what to do; None when nothing does.

    The law's visits are never left out without a word: cancelling one, or merging it into another order, needs a note;
    completing one with items that nobody answered needs `override`.
    """
    if not visit.statutory:
        return None
    if verb in (Verb.CANCEL, Verb.MERGE) and not note:
        return f"visit {visit.name!r} is asked for by law and cannot be left out silently", "Say in `note` why."
    if verb is Verb.COMPLETE and unanswered and not override:
        shown = "; ".join(item.text for item in unanswered[:5]) + ("; ..." if len(unanswered) > 5 else "")
        what = f"{len(unanswered)} items of the check list are not answered: {shown}"
        return what, "Answer them (POST .../checklist), or say as `override` why they are left out."
    return None
