"""The doctor on certificates: which end soon, and which are over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from facility.clock import RealClock
from plantroom.doctor import Check, bad, good, warn
from plantroom.production_files import Place
from plantroom.settings import Settings

_RENEW = (
    "Run `plantroom certificates` where `init --production` wrote (one of another authority: get it there), then let "
    "broker and proxy read it: `docker compose restart mosquitto proxy`."
)
_AUTHORITY = (
    "Devices trust this alone: make a new one with `plantroom init --production` in an empty folder, bring its "
    "tls/ca.pem to every device, and only then the rest of it here."
)
_UNSEEN = "Start the server, correct PLANTROOM_TLS_ADDRESSES, or let this user read the file."


@dataclass(frozen=True, slots=True)
class Kind:
    """What certificates are for: the point that says how long they last, the advice, and when it is time for it."""

    point: str
    advice: str
    soon: timedelta


SERVERS = Kind("certificate_days", _RENEW, timedelta(days=21))
"""One of 90 days is renewed by itself when 30 are left: only what was not counts."""
AUTHORITIES = Kind("authority_days", _AUTHORITY, timedelta(days=60))
Ends = Iterator[tuple[str, Kind, Callable[[], datetime]]]


def check_certificates(settings: Settings, root: Path, now: datetime | None = None) -> list[Check]:
    """Those that servers of `tls_addresses` and a broker with TLS show, the authority, and those in the folder `root`
    that `init --production` filled. Nothing where there are none."""
    try:
        ends = list(certificate_ends(settings, root))
    except ModuleNotFoundError as error:
        said = f"nobody can say when they end: {error.name} is missing"
        return [warn("certificate", said, "pip install 'plantroom[tls]'")]
    now = now or RealClock().now()
    checks, fine = [], []
    for what, kind, ask in ends:
        try:
            end = ask()
        except (OSError, ValueError) as error:
            said = f"that of {what} cannot be looked at: {error}"
            checks.append(warn("certificate", said, _UNSEEN))
            continue
        said = f"that of {what} ends {end:%Y-%m-%d}, in {(end - now).days} days"
        if end <= now:
            checks.append(bad("certificate", f"that of {what} ended {end:%Y-%m-%d}", kind.advice))
        elif end - now < kind.soon:
            checks.append(warn("certificate", said, kind.advice))
        else:
            fine.append((end, said))
    if fine:
        checks.insert(0, good("certificate", f"{len(fine)} looked at; {min(fine)[1]}"))
    return checks


def certificate_ends(settings: Settings, root: Path) -> Ends:
    """What each is of, what it is for, and what asks for its end (raises OSError, ValueError). Raises
    ModuleNotFoundError without the extra `tls`, where there are any."""
    place = Place(root)
    addresses = settings.tls_addresses.split()
    authorities = {one for one in (settings.mqtt_ca_file, place.authority) if one is not None and _is_there(one)}
    servers = [path for path, _ in place.servers.values() if _is_there(path)]
    if settings.mqtt_ca_file is not None:
        addresses.append(f"{settings.mqtt_host}:{settings.mqtt_port}")
    if not addresses and not authorities and not servers:
        return
    from plantroom.certificate_ends import kept_end, served_end, trusted_end  # noqa: PLC0415 - an extra

    for address in addresses:
        yield address, SERVERS, lambda address=address: served_end(address)  # type: ignore[misc]  # a default binds it
    for path in sorted(authorities):
        yield f"the authority in {path}", AUTHORITIES, lambda path=path: trusted_end(path)  # type: ignore[misc]  # as above
    for path in servers:
        yield str(path), SERVERS, lambda path=path: kept_end(path)  # type: ignore[misc]  # as above


def _is_there(path: Path) -> bool:
    """Also where nobody can say (a folder that may not be entered, a disk that is away): who looks at it hears why."""
    try:
        path.stat()
    except OSError as error:
        return not isinstance(error, FileNotFoundError | NotADirectoryError)
    return True
