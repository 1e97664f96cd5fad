"""When certificates end: those that servers show, and those in files. Needs the extra `tls`."""

import socket
import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509

ASK_S = 2.0
"""Real seconds a server has for its answer."""


def served_end(address: str) -> datetime:
    """The end of the certificate that `HOST:PORT` shows, whoever gave it. Raises OSError, ValueError."""
    host, _, port = address.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # one that has ended is to be seen too
    with (
        socket.create_connection((host.strip("[]"), int(port)), ASK_S) as plain,
        context.wrap_socket(plain, server_hostname=host.strip("[]")) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    if shown is None:
        msg = "it shows no certificate"
        raise ValueError(msg)
    return x509.load_der_x509_certificate(shown).not_valid_after_utc


def kept_end(path: Path) -> datetime:
    """The first end among the certificates of a PEM file. Raises OSError, ValueError."""
    return min(_ends(path))


def trusted_end(path: Path) -> datetime:
    """From when on none of the authorities in a PEM file is good any more: old and new may stand side by side, and a
    system's bundle always holds some that end. Raises OSError, ValueError."""
    return max(_ends(path))


def _ends(path: Path) -> list[datetime]:
    return [one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes())]
