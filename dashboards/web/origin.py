"""Whether a form that changes something came from our own page. Pure.

The session cookie is SameSite=Strict; this is the second lock, for browsers and proxies that weaken the first.
"""

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit


class Origin(StrEnum):
    """OWN is the only one that may change something; the others say why not."""

    OWN = "own"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def judge_origin(headers: Mapping[str, str]) -> Origin:
    """Compare Sec-Fetch-Site, Origin and Referer with Host; header names in lower case.

    Only host and port count, not the scheme: behind a TLS proxy we see http where the browser saw https.
    """
    host = headers.get("host", "").lower()
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return Origin.FOREIGN
    source = headers.get("origin") or headers.get("referer")
    if not source or not host:
        return Origin.UNKNOWN
    try:
        found = urlsplit(source).netloc.lower()
    except ValueError:
        return Origin.FOREIGN
    return Origin.OWN if found == host else Origin.FOREIGN


def own_path(text: str | None) -> str:
    """A path of this site to go to after signing in; `/` for anything that could lead elsewhere."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(c) < 33 for c in text):
        return "/"
    return text
