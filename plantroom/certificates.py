"""A certificate authority of one's own, and certificates of servers from it, for broker and pages.

Keys are P-256, certificates X.509 version 3 with what strict verifiers ask for (RFC 5280). A server's lasts 825 days,
the most that phones accept; the authority's twenty years, since devices keep it for as long as they live. Needs the
extra `tls`.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from facility.errors import refuse
from plantroom.secret_files import ALL_READ, GROUP_READS, OWNER_ONLY, replace_file, write_new

AUTHORITY_LASTS = timedelta(days=20 * 365)
SERVER_LASTS = timedelta(days=825)
_BEFORE = timedelta(hours=1)
"""A device whose clock is a little slow must not refuse a new certificate."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path


def make_authority(pair: Pair, now: datetime) -> None:
    """Write a new authority; only the owner reads its key. Raises FileExistsError when there is one."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Plantroom authority {now:%Y-%m-%d}")])
    made = (
        _builder(name, name, secret.public_key(), now, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .sign(secret, hashes.SHA256())
    )
    write_new(pair.key, _pem(secret), OWNER_ONLY)
    write_new(pair.certificate, made.public_bytes(Encoding.PEM), ALL_READ)


def issue(authority: Pair, server: Pair, hosts: Sequence[str], now: datetime) -> None:
    """Write a server's certificate for `hosts` (names and addresses) with a new key, in the place of the old ones.

    The group may read the key. Raises InputError when the authority's files cannot be used.
    """
    above, signer = _load(authority)
    secret = ec.generate_private_key(ec.SECP256R1())
    made = (
        _builder(x509.Name([]), above.subject, secret.public_key(), now, SERVER_LASTS)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    replace_file(server.key, _pem(secret), GROUP_READS)
    replace_file(server.certificate, made.public_bytes(Encoding.PEM), ALL_READ)


def is_foreign(authority: Pair, server: Pair) -> bool:
    """Whether the server has a certificate already that is none of the authority's. One that cannot be read is none."""
    if not server.certificate.exists():
        return False
    above, _ = _load(authority)
    try:
        there = x509.load_pem_x509_certificate(server.certificate.read_bytes())
    except ValueError:
        return False
    return there.issuer != above.subject


def hosts_of(server: Pair) -> list[str]:
    """The names and addresses in a server's certificate; none where there is none that can be read."""
    try:
        there = x509.load_pem_x509_certificate(server.certificate.read_bytes())
        names = there.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def check_host(host: str) -> str:
    """A host as it may stand in a certificate. Raises InputError for what is neither a name nor an address."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        labels = host.split(".")
        if not host.isascii() or not all(label.replace("-", "").isalnum() and len(label) < 64 for label in labels):
            hint = "Give what devices and browsers call this machine, such as plant.example or 192.168.1.20."
            raise refuse("--host", f"{host!r} is neither a name nor an IP address", hint) from None
    return host


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    hint = "Bring the authority's certificate and key back from a backup; devices trust only what it signs."
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        key = load_pem_private_key(pair.key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise refuse(str(pair.key), f"the authority cannot be read: {error}", hint) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise refuse(str(pair.key), f"is not the key of {pair.certificate}", hint)
    return certificate, key
