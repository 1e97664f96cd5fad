"""Links by which somebody acts from a message: signed, for one order, verb and person, and only for a while. Pure."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from facility.instant import from_us, to_us
from ticketing.work_order import Verb

GOOD_FOR = timedelta(days=3)
_SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a link lets its holder do, until when (aware UTC)."""

    order_id: str
    verb: Verb
    person: str
    until: datetime


def sign_errand(secret: bytes, errand: Errand) -> str:
    """The token of a link."""
    plain = _SEPARATOR.join((errand.order_id, errand.verb, errand.person, str(to_us(errand.until)))).encode()
    return f"{_text(plain)}.{_text(_mac(secret, plain))}"


def read_errand(secret: bytes, token: str, now: datetime) -> Errand | str:
    """The errand of a token, or why it is none."""
    try:
        plain, mac = (_bytes(part) for part in token.split("."))
        genuine = hmac.compare_digest(mac, _mac(secret, plain))
        order_id, verb, person, until = plain.decode().split(_SEPARATOR)
        errand = Errand(order_id, Verb(verb), person, from_us(int(until)))
    except ValueError:
        return "the link is damaged"
    if not genuine:
        return "the link was not made by this program"
    return errand if now < errand.until else "the link is too old"


def _mac(secret: bytes, plain: bytes) -> bytes:
    return hmac.new(secret, plain, hashlib.sha256).digest()[:20]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
