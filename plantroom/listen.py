"""Opening the embedded broker to the local network: never without a password, which the program makes for itself."""

import ipaddress
import os
import secrets
import socket
from pathlib import Path

from facility.errors import refuse
from plantroom.settings import Settings

DEVICE_USER = "plantroom"
_NOWHERE = "192.0.2.1"
"""An address for examples (RFC 5737): nothing is sent to it, it only makes the kernel choose a way out."""


def parse_listen(address: str, flag: str = "--listen") -> str:
    """The address of this machine that was meant. Raises InputError for anything else than an IP address."""
    try:
        return str(ipaddress.ip_address(address.strip("[]")))
    except ValueError as error:
        hint = "Give an IP address of this machine, such as 192.168.1.20, or 0.0.0.0 for all of them."
        raise refuse(flag, f"{address!r} is no IP address", hint) from error


def is_open(host: str) -> bool:
    """Whether others than this machine can reach what listens on `host`."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def listens_on(settings: Settings) -> str:
    """The address the embedded broker binds."""
    return settings.mqtt_listen or settings.mqtt_host


def check_password(settings: Settings) -> None:
    """Raises InputError when the embedded broker would be open to the network without a password."""
    host = listens_on(settings)
    if is_open(host) and settings.mqtt_password is None:
        hint = (
            "Set PLANTROOM_MQTT_USER and PLANTROOM_MQTT_PASSWORD (`plantroom demo --listen` makes one), or listen on "
            "127.0.0.1."
        )
        raise refuse("settings", f"the broker would listen on {host} without a password", hint)


def device_password(path: Path) -> tuple[str, bool]:
    """The broker's password kept in `path` (mode 600), and whether it was made just now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        password = path.read_text(encoding="ascii").strip()
        if len(password) < 20:
            raise refuse(
                str(path), "holds no usable password", "Delete it and start again; a new one is made."
            ) from None
        return password, False
    password = secrets.token_urlsafe(18)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(password + "\n")
    return password, True


def reachable_at(host: str) -> str:
    """What a device on the network calls this machine, when the broker binds `host`."""
    if not ipaddress.ip_address(host).is_unspecified:
        return host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((f"::ffff:{_NOWHERE}" if ":" in host else _NOWHERE, 9))
        except OSError:
            return socket.gethostname()  # no way out of this machine: its name may do
        return str(probe.getsockname()[0])


def invitation(settings: Settings, *, first: bool) -> list[str]:
    """What a person is told who connects a device; the password only the first time."""
    host, port = reachable_at(listens_on(settings)), settings.mqtt_port
    kept = settings.device_password_file.resolve()
    lines = [f"Devices  mqtt://{host}:{port}  user {settings.mqtt_user}, password in {kept}"]
    if first and settings.mqtt_password is not None:
        message = '{"temperature": 21.4, "humidity": 44}'
        who = f"-h {host} -p {port} -u {settings.mqtt_user} -P {settings.mqtt_password.get_secret_value()}"
        lines.append("Try it (the password is shown this once; the device then stands under New devices):")
        lines.append(f"mosquitto_pub {who} -q 1 -t zigbee2mqtt/try-me -m '{message}'")
    return lines
