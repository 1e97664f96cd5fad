"""What every dialect shares: the error of an unreadable payload, its limits, and JSON parsed once and strictly."""

import re
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import msgspec

from facility.errors import InputError, Problem
from facility.instant import parse_instant, to_us
from facility.reading import Scan

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_TEXT = 256
"""A text value (enumeration, code) longer than this is not one."""

MAX_PROBLEMS = 20
"""Further ones of the same message are only counted."""

Model = TypeVar("Model")
_NOT_JSON_NUMBER = re.compile(rb"[:\[,]\s*(-?(?:NaN|nan|Infinity|inf))\b")
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$?\.?(?P<field>.*)`)?$", re.DOTALL)


class Arrival(NamedTuple):
    """How a message reached us. `at_us`: the clock's now, the instant of readings that carry none of their own.

    `retained`: a stored copy the broker sent because we subscribed; when it was new, nobody knows.
    `redelivered`: the broker may have sent it before.
    """

    at_us: int
    retained: bool = False
    redelivered: bool = False


class PayloadError(InputError):
    """A message that could not be read, or not wholly: `scans` is what could.

    One bad point does not cost the good ones beside it, and the message is kept as a dead letter all the same. Of many
    problems the first twenty are kept.
    """

    def __init__(self, problems: Iterable[Problem], scans: tuple[Scan, ...] = ()) -> None:
        every = list(problems)
        left = len(every) - MAX_PROBLEMS
        more = [Problem(every[0].where, f"and {left:,} more problems", "Begin with the first.")] if left > 0 else []
        super().__init__(every[:MAX_PROBLEMS] + more)
        self.scans = scans


def refuse_payload(topic: str, what: str, hint: str, field: str = "") -> PayloadError:
    """A `PayloadError` with one problem and nothing readable; the caller raises it."""
    return PayloadError([Problem(topic, what, hint, field)])


def parse_json(decoder: "msgspec.json.Decoder[Model]", topic: str, payload: bytes) -> Model:
    """The payload as the decoder's type. Raises PayloadError for too large, not JSON, NaN, or another shape."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        what = f"the payload has {len(payload):,} bytes; at most {MAX_PAYLOAD_BYTES:,} are read"
        raise refuse_payload(topic, what, "Send fewer readings in one message.")
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        match = _PLACE.match(str(error))
        what, field = (match["what"], match["field"] or "") if match else (str(error), "")
        raise refuse_payload(topic, what, _shape_hint(what, field), field) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if token := _NOT_JSON_NUMBER.search(payload):
            raise refuse_payload(
                topic, f"{token[1].decode()} is not a value", "Leave out what was not measured."
            ) from error
        what = f"the payload is not JSON: {error}; it begins with {payload[:40]!r}"
        raise refuse_payload(topic, what, "Send UTF-8 JSON as the dialect describes.") from error


def _shape_hint(what: str, field: str) -> str:
    if "missing required field `at`" in what or "missing required field `timestamp`" in what:
        return "Add the instant of the reading, such as 2026-11-21T09:00:00Z."
    if field.rpartition(".")[2] in ("at", "timestamp"):
        return "Write the instant as ISO 8601 text with its zone, such as 2026-11-21T09:00:00Z."
    return "Send it in the shape the dialect describes."


def parse_at(text: str, topic: str, field: str) -> int:
    """Microseconds since the epoch of an ISO 8601 instant with its zone. Raises PayloadError, before 1970 too."""
    try:
        at_us = to_us(parse_instant(text))
    except (ValueError, OverflowError) as error:
        raise refuse_payload(topic, str(error), "Send the instant in UTC, ending in Z.", field) from None
    if at_us < 0:
        what = f"{text!r} is before 1970: the device's clock is not set"
        raise refuse_payload(topic, what, "Set it, by NTP where there is a network.", field)
    return at_us
