"""A technician's calendar as iCalendar (RFC 5545): what she has to do by when, and when she is on call. Pure.

An order is an event that ends at its deadline; a visit of the plan is an event of a whole day. Instants are in UTC, so
that no time zone has to be described.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

PRODUCT = "-//Plantroom//Orders//EN"
_WIDTH = 75  # octets of a line, RFC 5545 3.1
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `day` for a whole day, else from `from_at` to `until_at` (aware UTC). `changed_at` orders versions."""

    uid: str
    title: str
    text: str
    changed_at: datetime
    version: int
    day: date | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    place: str = ""
    link: str = ""
    alarm: timedelta | None = None

    def __post_init__(self) -> None:
        timed = self.from_at is not None and self.until_at is not None and self.from_at <= self.until_at
        if (self.day is None) != timed:
            msg = f"event {self.uid} is either of a whole day, or from an instant to a later one"
            raise ValueError(msg)


def write_calendar(name: str, events: Iterable[Event], now: datetime) -> str:
    """The whole file, with CRLF and lines of at most 75 octets."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
             f"X-WR-CALNAME:{_text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT15M"]  # fmt: skip
    for event in events:
        lines += _event(event, now)
    return "".join(f"{_folded(line)}\r\n" for line in (*lines, "END:VCALENDAR"))


def sign_calendar(secret: bytes, person: str) -> str:
    """What a calendar's address ends with, so that only who was given it can read it."""
    mac = hmac.new(secret, f"calendar\n{person}".encode(), hashlib.sha256).digest()[:20]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def is_signed(secret: bytes, person: str, signature: str) -> bool:
    """Whether an address is the one that was given out."""
    return hmac.compare_digest(sign_calendar(secret, person).encode(), signature.encode())


def _event(event: Event, now: datetime) -> list[str]:
    lines = ["BEGIN:VEVENT", f"UID:{event.uid}@plantroom", f"DTSTAMP:{_instant(now)}",
             f"LAST-MODIFIED:{_instant(event.changed_at)}", f"SEQUENCE:{event.version}"]  # fmt: skip
    if event.day is not None:
        lines += [f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}", f"DTEND;VALUE=DATE:{event.day + _DAY:%Y%m%d}"]
    if event.from_at is not None and event.until_at is not None:
        lines += [f"DTSTART:{_instant(event.from_at)}", f"DTEND:{_instant(event.until_at)}"]
    lines += [f"SUMMARY:{_text(event.title)}", f"DESCRIPTION:{_text(event.text)}"]
    lines += [f"LOCATION:{_text(event.place)}"] if event.place else []
    lines += [f"URL:{event.link}"] if event.link else []
    if event.alarm is not None:
        minutes = int(event.alarm / timedelta(minutes=1))
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(event.title)}", f"TRIGGER:-PT{minutes}M",
                  "END:VALARM"]  # fmt: skip
    return [*lines, "END:VEVENT"]


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, escaped)
    return text


def _folded(line: str) -> str:
    """The line in parts of at most 75 octets; no character is cut in two."""
    parts, part, width = [], "", _WIDTH
    for one in line:
        if len(part.encode()) + len(one.encode()) > width:
            parts.append(part)
            part, width = "", _WIDTH - 1  # what follows begins with a space
        part += one
    return "\r\n ".join([*parts, part])
