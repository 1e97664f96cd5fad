"""Where the broker is, with the name and password of the settings."""

from dataclasses import replace

from ingest.link import BrokerAddress
from ingest.shard import MAIN_SHARD
from plantroom.settings import Mode, Settings


def broker_user(settings: Settings, shard: str) -> str | None:
    """Whom a shard's ingest is known as at the broker. A real broker may take the user for the client id, and sessions
    are found by that: so each shard has a user of its own there, with the same password. The embedded one has one."""
    if settings.mqtt_user is None or shard == MAIN_SHARD or settings.mode is Mode.EMBEDDED:
        return settings.mqtt_user
    return f"{settings.mqtt_user}-{shard}"


def broker_address(settings: Settings, shard: str = MAIN_SHARD) -> BrokerAddress:
    """For everything that connects; `shard` for its ingest, whose session is its own."""
    password = settings.mqtt_password.get_secret_value() if settings.mqtt_password is not None else None
    address = BrokerAddress(
        settings.mqtt_host,
        settings.mqtt_port,
        user=broker_user(settings, shard),
        password=password,
        ca_file=str(settings.mqtt_ca_file) if settings.mqtt_ca_file is not None else None,
    )
    return address if shard == MAIN_SHARD else replace(address, client_id=f"{address.client_id}-{shard}")
