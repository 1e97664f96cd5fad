"""Where the broker is, with the name and password of the settings."""

from ingest.link import BrokerAddress
from plantroom.settings import Settings


def broker_address(settings: Settings) -> BrokerAddress:
    """For everything that connects."""
    password = settings.mqtt_password.get_secret_value() if settings.mqtt_password is not None else None
    return BrokerAddress(
        settings.mqtt_host,
        settings.mqtt_port,
        user=settings.mqtt_user,
        password=password,
        ca_file=str(settings.mqtt_ca_file) if settings.mqtt_ca_file is not None else None,
    )
