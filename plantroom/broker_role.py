"""The broker process: the embedded broker as a child that is watched."""

import threading

from ingest.broker import BrokerError, EmbeddedBroker
from plantroom.listen import check_password, listens_on
from plantroom.settings import Settings


def run(settings: Settings, stop: threading.Event) -> None:
    """Run until `stop`. Raises InputError for an open broker without a password, BrokerError when it does not come up
    or ends by itself."""
    check_password(settings)
    password = settings.mqtt_password.get_secret_value() if settings.mqtt_password is not None else None
    broker = EmbeddedBroker(
        settings.broker_folder,
        host=listens_on(settings),
        port=settings.mqtt_port,
        user=settings.mqtt_user,
        password=password,
    )
    broker.start()
    try:
        while not stop.wait(0.2):
            if broker.pid is None:
                msg = f"the embedded broker ended by itself; its log is {broker.log_file}"
                raise BrokerError(msg)
    finally:
        broker.stop()
