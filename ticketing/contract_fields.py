"""The words and values that parts of a contract file share, each with its check and its JSON Schema. Pure."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from facility.asset import Criticality
from facility.catalogue import System, equipment_classes
from facility.fields import unknown
from facility.finding import OrderKind, Severity
from facility.instant import parse_duration
from ticketing.contract import PauseReason
from ticketing.limit import Limit, parse_limit


def _class(name: str) -> str:
    if name not in equipment_classes():
        raise ValueError(unknown("equipment class", name, equipment_classes()))
    return name


def _word(noun: str, known: type[Criticality | Severity | System | OrderKind | PauseReason]) -> Any:  # noqa: ANN401 - pydantic's annotation
    def check(value: object) -> object:
        if isinstance(value, str) and value not in [one.value for one in known]:
            raise ValueError(unknown(noun, value, [one.value for one in known]))
        return value

    return BeforeValidator(check)


def _many(value: object) -> object:
    """One value stands for a list of one."""
    return value if isinstance(value, list) else [value]


class OneOrMany:
    """Says in the JSON Schema that one value may stand for a list of one."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(core)
        return {"anyOf": [many["items"], many]}


class TextOrEntry:
    """Says in the JSON Schema that a text may stand for an entry."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(core)]}


def _clause(value: object) -> object:
    if isinstance(value, float):
        msg = f"clause {value} is read as a number, in which 1.10 is 1.1; put it in quotes"
        raise ValueError(msg)
    return str(value) if isinstance(value, int) else value


def _limit(value: object) -> Limit:
    return value if isinstance(value, Limit) else parse_limit(value)


LIMITS = ["30 min", "4 open hours", "2 open days", "2 open days, next open", "2 open days, end of day"]
LimitText = Annotated[Limit, BeforeValidator(_limit), WithJsonSchema({"type": "string", "examples": LIMITS})]
ClassName = Annotated[str, AfterValidator(_class)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
SeverityWord = Annotated[Severity, _word("severity", Severity)]
Classes = Annotated[list[ClassName], BeforeValidator(_many), Field(min_length=1), OneOrMany()]
Severities = Annotated[list[SeverityWord], BeforeValidator(_many), Field(min_length=1), OneOrMany()]
Systems = Annotated[
    list[Annotated[System, _word("system", System)]], BeforeValidator(_many), Field(min_length=1), OneOrMany()
]
Criticalities = Annotated[
    list[Annotated[Criticality, _word("criticality", Criticality)]],
    BeforeValidator(_many),
    Field(min_length=1),
    OneOrMany(),
]
Kinds = Annotated[
    list[Annotated[OrderKind, _word("kind", OrderKind)]], BeforeValidator(_many), Field(min_length=1), OneOrMany()
]
Names = Annotated[list[Identifier], BeforeValidator(_many), Field(min_length=1), OneOrMany()]


def parse_span(value: object) -> timedelta:
    """A time such as `30 min` or `7 days`, above zero. Raises ValueError."""
    span = value if isinstance(value, timedelta) else parse_duration(value) if isinstance(value, str) else timedelta(0)
    if not span:
        msg = f"{value!r} holds nothing; write a time such as '30 min' or '7 days'"
        raise ValueError(msg)
    return span


def _pauses(value: object) -> object:
    """A list of reasons stands for reasons without a cap."""
    return {str(one): None for one in value} if isinstance(value, list) else value


SpanText = Annotated[
    timedelta, BeforeValidator(parse_span), WithJsonSchema({"type": "string", "examples": ["30 min", "7 days"]})
]
Pauses = Annotated[
    dict[Annotated[PauseReason, _word("pause reason", PauseReason)], SpanText | None],
    BeforeValidator(_pauses, json_schema_input_type=list[PauseReason] | dict[PauseReason, str | None]),
]
"""The reasons that stop a clock, each with its cap (None: none)."""
Clause = Annotated[str, BeforeValidator(_clause)]


class Strict(BaseModel):
    """A part of the file: a key it does not know is refused."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class MatchEntry(Strict):
    """What a level is for; every key is optional, and a list means any of them."""

    equipment_class: Classes | None = Field(default=None, alias="class")
    system: Systems | None = None
    severity: Severities | None = None
    rule: Names | None = None
    criticality: Criticalities | None = None
    building: Names | None = None
    space: Names | None = None
    kind: Kinds | None = None
