"""A webhook: one signed POST of JSON to another system, idempotent there by its key.

The signature is HMAC-SHA256 over `timestamp.key.body` with the receiver's secret, so that it knows who sent it and that
nobody else sent it again later. Any 2xx answer means that it has the message; a redirection is not followed, since the
roster says where messages go.
"""

import hashlib
import hmac
import urllib.error
import urllib.request
from http import HTTPStatus

from facility.errors import PermanentError, RetryableError

TIMEOUT_S = 10.0
KEY_HEADER = "Idempotency-Key"
_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class NotDeliveredError(RetryableError):
    """The receiver does not have the message; trying again may help."""


class RefusedError(PermanentError):
    """The receiver refuses the message, and will again."""


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_more: object) -> None:
        """None: the redirection is the answer."""


_OPENER = urllib.request.build_opener(_StayHere)


def sign(secret: str, key: str, body: str, at_s: int) -> str:
    """The value of `X-Plantroom-Signature`: `t=` seconds since 1970, `v1=` the signature in hex."""
    text = f"{at_s}.{key}.{body}".encode()
    return f"t={at_s},v1={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


def verify(secret: str, key: str, body: str, signature: str) -> bool:
    """Whether a signature is this sender's. The receiver also compares `t` with its own clock."""
    parts = dict(part.split("=", 1) for part in signature.split(",") if "=" in part)
    if not parts.get("t", "").isdecimal():
        return False
    return hmac.compare_digest(sign(secret, key, body, int(parts["t"])), signature)


def post(address: str, secret: str, key: str, event: str, body: str, at_s: int, timeout_s: float = TIMEOUT_S) -> None:
    """Send it. Raises NotDeliveredError (try again) or RefusedError (4xx: it will not be taken)."""
    request = urllib.request.Request(  # noqa: S310 - the roster allows http and https only
        address,
        data=body.encode(),
        method="POST",
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "plantroom",
            KEY_HEADER: key,
            "X-Plantroom-Event": event,
            "X-Plantroom-Signature": sign(secret, key, body, at_s),
        },
    )
    try:
        with _OPENER.open(request, timeout=timeout_s) as answer:
            answer.read(1_000)
    except urllib.error.HTTPError as error:
        msg = f"the receiver answered {error.code} {error.reason}"
        error.close()
        if error.code < HTTPStatus.BAD_REQUEST:
            raise RefusedError(
                f"{msg}; redirections are not followed, so put the last address into the roster"
            ) from error
        client_error = error.code < HTTPStatus.INTERNAL_SERVER_ERROR
        if client_error and error.code not in _TRY_AGAIN:
            raise RefusedError(msg) from error
        raise NotDeliveredError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"the receiver cannot be reached: {error}"
        raise NotDeliveredError(msg) from error
