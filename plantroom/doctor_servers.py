"""The doctor on what the program talks to: broker, store, database; nothing is created or changed there."""

import threading
from pathlib import Path

from facility.clock import RealClock
from facility.errors import InputError, PlantroomError
from facility.registry import Registry
from ingest.conformance_listen import probe
from ingest.link import BrokerAddress, LinkError
from plantroom.broker_address import broker_address
from plantroom.database import Database, parse_url
from plantroom.doctor import Check, bad, good, warn
from plantroom.listen import check_password
from plantroom.settings import Mode, Settings, StoreKind

SLOW_SECONDS = 1.0
_ANSWER_S = 2.0
"""Real seconds that InfluxDB has for an answer: who waits for the doctor is a person."""
_NOBODY = "plantroom-doctor"
"""An asset that there is not: a question all the same, where the site has none that can be asked for."""
_SPACE_ADVICE = (
    "Such devices (zigbee2mqtt allows it) need a broker that takes them: run Mosquitto and set PLANTROOM_MODE and "
    "PLANTROOM_MQTT_HOST, or take the space out of the device's name."
)


def check_broker(settings: Settings, registry: Registry | None) -> list[Check]:
    """Whether it takes us in, hands our own message back, and takes topics with a space where we need them."""
    if settings.mode is Mode.EMBEDDED:
        try:
            check_password(settings)
        except InputError as error:
            return [bad("broker", error.problems[0].what, error.problems[0].hint)]
    address, clock, stop = broker_address(settings), RealClock(), threading.Event()
    try:
        seconds = probe(address, clock, stop)
    except LinkError as error:
        if settings.mode is Mode.EMBEDDED and "cannot connect" in str(error):
            said = f"nothing listens at {address}"
            return [warn("broker", said, "The embedded broker runs with the program: start `plantroom run`.")]
        return [bad("broker", str(error), "Check address, user and password, and the broker's own log.")]
    if seconds is None:
        said = f"{address} takes us in, but our own message does not come back"
        return [bad("broker", said, "Let this user write and read every topic (#); see the broker's access list.")]
    said = f"{address} handed our message back in {seconds * 1000:.0f} ms"
    if seconds > SLOW_SECONDS:
        checks = [warn("broker", said, "That is slow: look at the load and the network between here and there.")]
    else:
        checks = [good("broker", said)]
    checks.append(_spaces(address, registry))
    return checks


def _spaces(address: BrokerAddress, registry: Registry | None) -> Check:
    wanted = sorted(
        asset.source.topic
        for asset in (registry.assets.values() if registry is not None else ())
        if asset.source is not None and " " in asset.source.topic
    )
    try:
        takes = probe(address, RealClock(), threading.Event(), name="a name") is not None
    except LinkError:
        takes = False
    if takes:
        return good("names", "topics with a space get through")
    said = "this broker ends the connection of whoever publishes on a topic with a space"
    if wanted:
        return bad("names", f"{said}, and the site names {len(wanted)} (first: {wanted[0]!r})", _SPACE_ADVICE)
    return good("names", f"{said}; the site names none")


def check_database(settings: Settings) -> Check:
    """Whether it answers and has this program's schema."""
    try:
        url = parse_url(settings.database_address())
        if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
            return good("database", f"{url.database} will be made at the first start")
        database = Database(settings.database_address())
        try:
            database.check()
        finally:
            database.close()
    except PlantroomError as error:
        return bad("database", str(error), "Check address and rights, then run `plantroom db upgrade`.")
    return good("database", f"{url.render_as_string()} has this program's schema")


def _coarser_buckets(settings: Settings) -> Check | None:
    """Whether old readings have somewhere to go, where the settings say that they should."""
    from ingest.stores.influx_setup import missing_buckets  # noqa: PLC0415 - the client is slow to load
    from plantroom.series_store import influx_address  # noqa: PLC0415 - as above

    if not settings.keep_policy().raw_days:
        return None
    try:
        missing = missing_buckets(influx_address(settings, _ANSWER_S))
    except PlantroomError as error:
        said = f"it answers, but its buckets cannot be looked at: {error}"
        return warn(
            "store", said, "Give our token the right to read buckets, or see that NAME_5m and NAME_1h are there."
        )
    if missing:
        said = f"{settings.influx_url} answers, but has no bucket {', '.join(missing)}: nothing old is thinned"
        return warn("store", said, "Run `plantroom db upgrade`.")
    return None


def check_store(settings: Settings, registry: Registry | None) -> Check:
    """Whether readings can be asked for."""
    from plantroom.series_store import open_store  # noqa: PLC0415 - Polars and the web are loaded when we get this far

    where = str(settings.main.parquet_folder) if settings.store is StoreKind.PARQUET else settings.influx_url
    if settings.store is StoreKind.PARQUET and not settings.main.parquet_folder.exists():
        return good("store", f"{where} will be made at the first start")
    directory = registry if registry is not None else Registry()
    try:
        store = open_store(settings, settings.main, lambda: directory, writes=False, timeout_s=_ANSWER_S)
        try:
            ask = list(directory.assets)[:5] or [_NOBODY] * (settings.store is StoreKind.INFLUX)
            newest = [store.last(asset_id) for asset_id in ask]
        finally:
            store.close()
    except PlantroomError as error:
        return bad("store", str(error), "Check address, token, organisation and bucket; then `plantroom db upgrade`.")
    if settings.store is StoreKind.INFLUX and (check := _coarser_buckets(settings)) is not None:
        return check
    known = sum(len(points) for points in newest)
    return good("store", f"{settings.store} at {where} answers" + ("" if known else "; it holds nothing yet"))
