"""The pages and the API of a process: opened over what the process follows, and served until it ends.

Of several processes with pages one serves them, the one with a lock file; the others are warm and have no port.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from dashboards.web.change_feed import ChangeFeed
from facility.clock import RealClock
from facility.errors import PermanentError
from facility.reading import ControlEvent
from ingest.control import submit
from ingest.discovery_desk import DeviceDesk, PlantInForce
from ingest.stores.base import SeriesReader
from plantroom.access import CurrentAsker
from plantroom.changes import watch_changes
from plantroom.files import write_atomically
from plantroom.followed import Loop
from plantroom.front import open_front
from plantroom.keeper import Keeper
from plantroom.office import link_secret
from plantroom.plant_process import PlantProcess, ShardInProcess
from plantroom.plant_view import PlantSources
from plantroom.reception import open_reception
from plantroom.rule_desk import ProgramRules
from plantroom.secret_files import admin_token
from plantroom.settings import Settings, StoreKind
from plantroom.several import several_inboxes, several_latest, several_learned
from plantroom.several_stores import SeveralStores
from plantroom.shard import Shard
from plantroom.shard_health import ShardSources
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore
from ticketing.routers import ApiParts, signed_routers, ticketing_routers
from ticketing.service_outbox import OutboxTeller

_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class OpenPages:
    """`loops` run beside `serve`, which waits for its turn first; `close` ends what the pages have started."""

    loops: dict[str, Loop]
    serve: Loop
    close: Callable[[], None]


def open_pages(process: PlantProcess, ready: Callable[[], Sequence[str]]) -> OpenPages:
    """Everything the process shows. `ready` gives the reasons why it is not ready, empty when it is."""
    settings, host, book = process.settings, process.judging, process.book
    sources = _sources(process)
    secret = link_secret(admin_token(settings))
    teller = OutboxTeller(process.people, RealClock())
    parts = ApiParts(
        process.database, process.clock, book, lambda: host.registry, process.people, secret, sources.attachments,
        teller, CurrentAsker(),
    )  # fmt: skip
    rules = ProgramRules(settings, host, process.contracts.texts, process.clock)
    changes = watch_changes(host, process.database)
    app = open_front(
        settings,
        sources,
        process.metrics,
        ready,
        ticketing_routers(parts),
        signed_routers(parts),
        open_reception(sources, lambda: host.registry, teller, secret),
        rules,
        changes.feed,
        process.people,
        process.contracts.check,
    )
    turn = Keeper(settings.var / "run" / "pages.lock", "serves the pages")

    def serve(stop: threading.Event) -> None:
        server = _server(app, settings)
        if turn.wait(stop):
            rules.clear()
            _serve(server, stop, changes.feed)

    def tell(stop: threading.Event) -> None:
        while not turn.held:  # nobody is there to be told
            if stop.wait(_LOOK_SECONDS):
                return
        changes.run(stop)

    def close() -> None:
        rules.close()
        turn.close()

    return OpenPages({"changes": tell}, serve, close)


def _sources(process: PlantProcess) -> PlantSources:
    settings, judging, shards = process.settings, process.judging, process.shards
    in_force = PlantInForce(lambda: judging.registry, lambda: judging.engine.site_files)

    def hand_over(event: ControlEvent) -> None:
        tell_all(settings.all_shards, process.own.shard, event)

    desk = DeviceDesk(
        several_inboxes([one.followed.devices for one in shards]),
        several_learned([one.followed.learned for one in shards], [_judges(one) for one in shards]),
        in_force,
        settings.devices_folder,
        hand_over,
        process.clock,
        write_atomically,
    )
    reload, contracts, people = process.reload, process.contracts, process.people
    return PlantSources(
        judging,
        process.database,
        process.book,
        _store(process),
        several_latest([one.followed.latest for one in shards]),
        process.own.followed.letters,
        tuple(_health_of(one) for one in shards),
        process.clock,
        lambda: reload.refused or contracts.refused or people.refused,
        desk,
        AttachmentDesk(AttachmentStore(settings.attachments_folder)),
        hand_over,
    )


def tell_all(shards: Iterable[Shard], asked: Shard, event: ControlEvent) -> None:
    """Every engine knows what people say of the plant, whatever buildings it judges. The one that pages ask what holds
    hears it last: what they show is known to all, and what was cut off in between is said again. Raises OSError."""
    for shard in sorted(shards, key=lambda one: one == asked):
        submit(shard.control_folder, event)


def _store(process: PlantProcess) -> SeriesReader:
    """InfluxDB is one for all shards."""
    stores = [one.followed.store for one in process.shards]
    return stores[0] if len(stores) == 1 or process.settings.store is StoreKind.INFLUX else SeveralStores(stores)


def _judges(one: ShardInProcess) -> Callable[[str], bool]:
    return lambda asset_id: asset_id in one.host.engine.registry.assets


def _health_of(one: ShardInProcess) -> ShardSources:
    return ShardSources(one.shard, one.host, one.followed.latest, one.followed.followers, one.lag)


def _server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Everything loaded; it has no port before it runs."""
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
        forwarded_allow_ips=settings.http_proxies,
    )
    config.load()
    return uvicorn.Server(config)


def _serve(server: uvicorn.Server, stop: threading.Event, feed: ChangeFeed) -> None:
    thread = threading.Thread(target=server.run, name="web")
    thread.start()
    while not stop.wait(0.2):
        if not thread.is_alive():
            msg = f"the pages cannot be served on {server.config.host}:{server.config.port}; is the port taken?"
            raise PermanentError(msg)
    feed.close()  # or the server would wait for every open page
    server.should_exit = True
    thread.join(_STOP_SECONDS)
