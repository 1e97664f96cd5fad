"""The words of notices in English and Chinese. Pure: order, event and person in, subject and body out."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from facility.document import parse_document
from ticketing.event import Event

DEADLINE = "deadline"


class Wording(BaseModel):
    """Every text of one language."""

    model_config = ConfigDict(extra="forbid")

    late: str
    acknowledge: str
    see: str
    due: str
    place: str
    digest: str
    said: str
    subjects: dict[Event | str, str]
    severities: dict[str, str]
    reasons: dict[str, str]
    clocks: dict[str, str]


class Wordings(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid")

    en: Wording
    zh: Wording

    def of(self, language: str) -> Wording:
        """The texts of a language; English for one that is not there."""
        return self.zh if language == "zh" else self.en


@cache
def wordings() -> Wordings:
    """The texts shipped beside this file."""
    name = "notice_texts.yaml"
    return parse_document(Wordings, files("ticketing").joinpath(name).read_text(encoding="utf-8"), name)


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as notices and webhooks tell of it. `due_at` is the deadline that runs out next (aware UTC); `title_zh`
    is empty where nobody knows the title in Chinese."""

    id: str
    number: str
    title: str
    asset_id: str
    building_id: str
    kind: str
    severity: str
    priority: int
    status: str
    assignee: str
    level: str
    due_at: datetime | None
    title_zh: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """What is told: an event of the order's life, or (`clock` and `placed` given) a deadline that nears or passed.

    `at` is when it happened, `reason` a hold's; `late` when it is told long after its instant. `note_zh` is the note
    in Chinese where the program has a part in it.
    """

    name: str
    at: datetime
    by: str = ""
    note: str = ""
    reason: str = ""
    clock: str = ""
    placed: str = ""
    note_zh: str = ""
    late: bool = False


def write_notice(
    order: OrderFacts, what: Happening, language: str, zone: ZoneInfo, *, order_link: str = "", act_link: str = ""
) -> tuple[str, str]:
    """Subject and body. Instants are local to `zone`; a link that is empty has no line."""
    words = wordings().of(language)
    title = order.title_zh if language == "zh" and order.title_zh else order.title
    subject = words.subjects[what.name].format(
        number=order.number,
        title=title,
        by=what.by,
        reason=words.reasons.get(what.reason, what.reason),
        clock=words.clocks.get(what.clock, what.clock),
        placed=what.placed,
    )
    severity = words.severities.get(order.severity, order.severity)
    note = what.note_zh if language == "zh" and what.note_zh else what.note
    lines = [
        words.late.format(at=_local(what.at, zone)) if what.late else "",
        title,
        words.place.format(
            asset=order.asset_id, building=order.building_id, severity=severity, priority=order.priority
        ),
        words.said.format(by=what.by, note=note) if note else "",
        words.due.format(due=_local(order.due_at, zone)) if order.due_at is not None else "",
        words.acknowledge.format(link=act_link) if act_link else "",
        words.see.format(link=order_link) if order_link else "",
    ]
    return subject, "\n".join(line for line in lines if line)


def write_digest(notices: list[tuple[str, str]], language: str) -> tuple[str, str]:
    """Subject and body of many notices in one."""
    subject = wordings().of(language).digest.format(count=len(notices))
    return subject, "\n\n".join(f"{title}\n{body}" for title, body in notices)


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
