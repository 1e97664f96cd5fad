"""Server time of the pages over 10,000 open orders and 20,000 points: `python -m bench pages [ORDERS [PAGES]]`.

Ten buildings of 200 assets with 10 points each, every point heard of, a month of one asset's readings at one minute, a
finding active for each order; and one air handler with all its points, which every shipped rule for it judges. Each
page is asked PAGES times by somebody who sees everything, and by somebody who sees one building. Asked: 100 ms at p95,
and one second for an asset's page with 30 days. What is measured is the whole application (door, view, template),
without the network. CPU time stands beside, for machines that are not idle.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import FastAPI

from bench.orders_bench import findings
from dashboards.web.change_feed import ChangeFeed
from dashboards.web.router import web_router
from dashboards.web.visitor import Guest, Knock, Source, Visitor
from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.reading import Commit, Entry, Heartbeat, PointValue, Reading, RuleSetActivated, Scan, SiteEdited
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.latest import LatestValues
from ingest.shard import MAIN_SHARD
from ingest.stores.parquet import ParquetStore
from plantroom.database import Database
from plantroom.heap import settle_heap
from plantroom.manage_desk import ContractDesk, Plant
from plantroom.plant_view import PlantSources, ProgramView
from plantroom.rule_desk import ProgramRules
from plantroom.settings import Settings
from plantroom.shard import Shard
from plantroom.shard_health import ShardSources
from plantroom.shelf_desk import EngineShelf
from plantroom.turns import Turns
from rules.catalogue import shipped_files
from rules.engine import Engine
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk
from ticketing.roster import NOBODY

BUILDINGS, ASSETS = 10, 200
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
BATCH = 1_000
MINUTE_US = 60_000_000
TOKEN = "all"  # noqa: S105 - of nobody
DATA = Path(__file__).parents[1] / "tests/data/ticketing"


def site(points: tuple[str, ...]) -> Registry:
    """The buildings."""
    lines = ["site: {id: demo, zone: Asia/Shanghai}", "buildings:"]
    for building in range(BUILDINGS):
        floors = ", ".join(f"{{id: b{building}-f{floor}, name: Floor {floor}}}" for floor in range(10))
        lines += [f"  - id: b{building}", f"    name: Tower {building}", f"    spaces: [{floors}]", "    assets:"]
        for asset in range(ASSETS):
            place = f"space: b{building}-f{asset % 10}"
            lines.append(f"      - {{id: z{building}-{asset}, class: zone, {place}, points: [{', '.join(points)}]}}")
        if not building:
            lines.append(f"      - {{id: ahu, class: ahu, points: [{', '.join(_of_class('ahu'))}]}}")
    return parse_site("\n".join(lines), "site.yaml")


class Judged:
    """An engine that judged the air handler for an hour, of which an asset's page tells."""

    def __init__(self, registry: Registry) -> None:
        asset = registry.assets["ahu"]
        unit = f"{{id: ahu, class: ahu, points: [{', '.join(asset.points)}]}}"
        site = f"site: {{id: demo, zone: Asia/Shanghai}}\nbuildings: [{{id: b0, assets: [{unit}]}}]"
        start_us, rules = to_us(AT - timedelta(minutes=30)), dict(shipped_files())
        self.lock, self.engine = Turns(), Engine(allowance_us=0)
        entries: list[Entry] = [SiteEdited("site", start_us, {"site.yaml": site}),
                                RuleSetActivated("rules", start_us, "", rules)]  # fmt: skip
        for minute in range(60):
            at_us = start_us + minute * MINUTE_US
            values = [
                PointValue(
                    name, point.type.values[0] if point.type.is_text and point.type.values else 20.0 + minute % 9
                )
                for name, point in asset.points.items()
            ]
            entries += [Scan("ahu", at_us, complete=True, values=tuple(values)), Heartbeat(at_us)]
        self.engine.feed(Commit(1, start_us, tuple(entries)))

    def touch(self) -> None:
        """Nobody watches."""


class Host:
    """As much of the engine as pages ask: the directory, no rules, nothing pending."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.cursor, self.touched = registry, 1, 0
        self.away, self.findings_total, self.event_time_us = "", 0, to_us(AT)

    def rule(self, rule_id: str) -> None:
        """None of the orders' rules is loaded."""
        del rule_id

    def pending(self) -> list[Finding]:
        """Nothing."""
        return []

    def not_applicable(self) -> list[Any]:
        """Nothing."""
        return []

    def shelves(self) -> list[Any]:
        """Nothing."""
        return []

    def touch(self) -> None:
        """Nobody watches."""


def _shard(host: Host, latest: LatestValues, folder: Path) -> ShardSources:
    return ShardSources(Shard(MAIN_SHARD, folder), cast("Any", host), latest, {}, lambda: 0)


class Everybody:
    """A door that lets in two: `all` sees every building, `one` only the first."""

    rights = frozenset({"own", "watch", "see", "work", "tune", "manage", "administer", "change", "backtest"})

    def sign_in(self, name: str, password: str, source: Source) -> Knock:
        """Not needed."""
        del name, password, source
        return Knock(refused="wrong")

    def open_session(self, token: str, source: Source) -> Knock:
        """Not needed."""
        del token, source
        return Knock(refused="wrong")

    def visit(self, session: str, bearer: str) -> Guest | None:
        """By the name as a token."""
        del session
        seen = None if bearer == TOKEN else frozenset({"b0"})
        return Guest(Visitor("bench", "admin", self.rights, seen))

    def may(self, visitor: Visitor, method: str, route: str, path: Mapping[str, object]) -> bool:
        """Everything."""
        del visitor, method, route, path
        return True

    def close_session(self, session: str) -> None:
        """Nothing to close."""

    def link_owner(self, code: str) -> str | None:
        """Nobody's."""
        del code
        return None

    def use_link(self, code: str, password: str, source: Source) -> Knock:
        """Not needed."""
        del code, password, source
        return Knock(refused="link")


def spread(found: list[Finding], registry: Registry) -> list[Finding]:
    """The findings over all assets."""
    import msgspec  # noqa: PLC0415 - only here

    assets = list(registry.assets.values())
    return [
        msgspec.structs.replace(one, asset_id=asset.id, building_id=asset.building_id, evidence=())
        for number, one in enumerate(found)
        for asset in [assets[(number * 7) % len(assets)]]
    ]


def build(folder: Path, orders: int, feed: ChangeFeed | None = None) -> FastAPI:
    """The application over a filled database, store and newest values; open pages hear what is published to `feed`."""
    known = _known_points()
    registry, clock = site(known), JournalClock(to_us(AT + timedelta(minutes=30)))
    text = (DATA / "contract.yaml").read_text(encoding="utf-8")
    book = ContractBook([parse_contract(text, "contract.yaml")])
    database = Database(f"sqlite:///{folder / 'pages.db'}")
    database.upgrade()
    desk = Desk(book, lambda: registry)
    for start in range(0, orders, BATCH):
        made = spread(list(findings(iter(range(start, start + BATCH)), AT)), registry)
        with database.writing() as session:
            desk.receive(session, made)
    latest = LatestValues()
    now_us = clock.now_us()
    latest.seed(
        Reading(asset.id, point, now_us - 30_000_000, 21.0 + number % 7)
        for number, asset in enumerate(registry.assets.values())
        for point in asset.points
    )
    store = ParquetStore(folder / "store", part_readings=500_000)
    month = [
        Reading("z0-0", known[point], now_us - minute * MINUTE_US, 20.0 + minute % 9)
        for minute in range(30 * 1440, 0, -1)
        for point in range(2)
    ]
    for seq, start in enumerate(range(0, len(month), BATCH), 1):
        store.write(seq, seq, month[start : start + BATCH])
    store.flush()
    host = Host(registry)
    nothing = SimpleNamespace(proposals=list, unknown_codes=list, clocks=list, newest=lambda _: [], count=lambda: 0)
    sources = PlantSources(
        host=cast("Any", host), database=database, book=book, store=store, latest=latest,
        dead_letters=cast("Any", nothing), shards=(_shard(host, latest, folder),), clock=clock, refused=lambda: "",
        devices=cast("Any", nothing), attachments=cast("Any", nothing), hand_over=lambda _: None,
    )  # fmt: skip
    view = ProgramView(sources)
    manage = ContractDesk(Plant(database, view.orders, lambda: NOBODY))
    shelf = EngineShelf(host, view.finding, lambda _: None, clock)
    app = FastAPI()
    rules = ProgramRules(Settings(var=folder / "var"), Judged(registry), dict, clock)
    app.include_router(web_router(view, Everybody(), rules=rules, feed=feed, manage=manage, shelf=shelf))
    settle_heap()  # as the program does before it serves
    return app


def _of_class(name: str) -> list[str]:
    """Every point a class may have that the catalogue knows."""
    from facility.catalogue import equipment_classes, point_types  # noqa: PLC0415 - only here

    return [point for point in equipment_classes()[name].points if point in point_types()]


def _known_points() -> tuple[str, ...]:
    """Ten points of the catalogue that a zone may have."""
    from facility.catalogue import equipment_classes, point_types  # noqa: PLC0415 - only here

    own = [name for name in equipment_classes()["zone"].points if name in point_types()]
    more = [name for name, kind in point_types().items() if name not in own and kind.unit not in ("enum", "text")]
    return tuple([*own, *more][:10])


PAGES = (
    "/live", "/", "/buildings/b0", "/buildings/b0/floors", "/buildings/b0/floors?point={point}", "/work-orders",
    "/work-orders?show=all", "/my", "/findings", "/findings/shelved", "/manage", "/plan", "/contracts/demo-2026",
    "/assets/ahu", "/assets/z0-0", "/assets/z0-0?span=30d", "/assets/z0-0/siblings", "/health",
)  # fmt: skip


async def measure(app: FastAPI, runs: int) -> None:
    """Ask each page so often, and print."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://plant.local", trust_env=False) as client:
        for path in (page.format(point=_known_points()[0]) for page in PAGES):
            for who, token in (("all", TOKEN), ("one", "one")):
                headers = {"Authorization": f"Bearer {token}"}
                used = process_time()
                first = await client.get(path, headers=headers)
                fresh = (process_time() - used) * 1e3
                if first.status_code != 200:
                    print(f"{path} as {who}: {first.status_code}")
                    continue
                wall, cpu = [], []
                for _ in range(runs):
                    began, used = perf_counter(), process_time()
                    await client.get(path, headers=headers)
                    wall.append((perf_counter() - began) * 1e3)
                    cpu.append((process_time() - used) * 1e3)
                wall.sort()
                cpu.sort()
                late = min(runs - 1, runs * 95 // 100)
                asked = 1000 if "30d" in path else 100
                print(
                    f"{path:44} {who}  p50 {wall[runs // 2]:7.1f}  p95 {wall[late]:7.1f} ms (asked: {asked}), "
                    f"CPU first {fresh:6.1f}  p50 {cpu[runs // 2]:6.1f}  p95 {cpu[late]:6.1f}, "
                    f"{len(first.content) / 1024:6.1f} KiB",
                    flush=True,
                )


def main() -> None:
    """Fill and measure."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        began = perf_counter()
        app = build(Path(folder), orders)
        points, took = BUILDINGS * ASSETS * 10, perf_counter() - began
        print(f"filled with {orders:,} open orders and {points:,} points in {took:.0f} s")
        asyncio.run(measure(app, runs))


if __name__ == "__main__":
    main()
