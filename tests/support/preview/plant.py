"""The preview's plant and door: the Protocols of the pages over made-up curves and a made-up story."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from preview import curves, story

from dashboards.web.countdown import is_breached, next_due
from dashboards.web.order_view import EVERY, OrderCount, OrderFilter, OrderView
from dashboards.web.protocols import (
    ClockKind,
    ClockState,
    DeviceClockView,
    DeviceValue,
    DeviceView,
    FindingMark,
    Health,
    RuleGap,
    RuleView,
    SilentDevice,
    StageHealth,
    UnknownCodeView,
)
from dashboards.web.visitor import Guest, Knock, Source, Visitor
from facility.errors import PermanentError
from facility.finding import Finding, FindingState
from facility.instant import to_us
from facility.reading import DeadLetter, Reading
from facility.registry import Registry
from facility.site_file import parse_site

TOKEN = "preview"  # noqa: S105 - the token of a made-up plant on loopback, printed at its start


def site_text() -> str:
    """The preview's site file."""
    return (Path(__file__).parent / "site.yaml").read_text(encoding="utf-8")


@cache
def _parse(text: str) -> Registry:
    return parse_site(text, "preview/site.yaml")


class PreviewPlant:
    """A `PlantView`. `now` is the plant's now and stands still; the story began 65 minutes before."""

    def __init__(
        self, now: datetime, *, site: str | None = None, kind: ClockKind = "scaled", factor: float = 60
    ) -> None:
        self.now, self.kind, self.factor = now, kind, factor
        self.approved: tuple[str, str, str, str, str] | None = None
        self.start = now - timedelta(minutes=65)
        self._registry = _parse(site if site is not None else site_text())
        self._findings = [each for each in story.findings(self.start) if each.asset_id in self._registry.assets]
        self._orders = {
            order.id: order
            for order in story.orders(story.findings(self.start))
            if order.asset_id in self._registry.assets
        }

    def add_order(self, order: OrderView) -> None:
        """One more than the story has."""
        self._orders[order.id] = order

    def within(self, buildings: frozenset[str] | None) -> "PreviewPlant":
        assert buildings is None, "the preview's visitors see everything"
        return self

    def registry(self) -> Registry:
        return self._registry

    def clock(self) -> ClockState:
        return ClockState(self.kind, self.now, self.factor)

    def latest(self, asset_id: str) -> Sequence[Reading]:
        asset = self._registry.assets.get(asset_id)
        if asset is None:
            return []
        origins = {name: (asset_id, name) for name in asset.points}
        origins |= {name: (origin.asset_id, origin.point) for name, origin in asset.borrows.items()}
        found = []
        for name, (owner, point) in origins.items():
            newest = self._read(owner, point, self.now - timedelta(minutes=10), self.now, timedelta(minutes=1))[-1:]
            found += [Reading(asset_id, name, each.at_us, each.value, each.quality) for each in newest]
        return found

    def series(
        self, asset_id: str, point: str, from_at: datetime, until_at: datetime, every: timedelta | None
    ) -> Sequence[Reading]:
        asset = self._registry.assets[asset_id]
        origin = asset.borrows.get(point)
        owner, name = (origin.asset_id, origin.point) if origin else (asset_id, point)
        return self._read(owner, name, from_at, until_at, every or curves.CADENCE)

    def _read(self, owner: str, point: str, from_at: datetime, until_at: datetime, step: timedelta) -> list[Reading]:
        step_us = step // timedelta(microseconds=1)
        return curves.read(owner, point, to_us(self.start), to_us(from_at), to_us(until_at), step_us)

    def findings(
        self,
        *,
        active: bool | None = None,
        asset_id: str | None = None,
        limit: int = 200,
        buildings: frozenset[str] | None = None,
    ) -> Sequence[Finding]:
        return [
            each
            for each in self._findings
            if (asset_id is None or each.asset_id == asset_id)
            and (buildings is None or each.building_id in buildings)
            and (active is None or (each.state is FindingState.ACTIVE) == active)
        ][:limit]

    def finding_marks(self, buildings: frozenset[str] | None = None) -> Sequence[FindingMark]:
        return [
            FindingMark(one.building_id, one.asset_id, one.severity, bool(one.suppressed_by or one.shelved_by), 1)
            for one in self.findings(active=True, limit=10_000, buildings=buildings)
        ]

    def finding(self, finding_id: str) -> Finding | None:
        return next((each for each in self._findings if each.id == finding_id), None)

    def pending(self) -> Sequence[Finding]:
        return [each for each in self._findings if each.state is FindingState.PENDING]

    def not_applicable(self, asset_id: str | None = None) -> Sequence[RuleGap]:
        gaps = [
            RuleGap("ahu-heating-valve-leaks", "ahu-1", ("heating_coil_leaving_temperature",)),
            RuleGap("elevator-entrapment", "lift-2", ("passenger_present", "door_zone")),
            RuleGap("zone-humid", "zone-12e", ("relative_humidity",)),
        ]
        return [gap for gap in gaps if asset_id in (None, gap.asset_id) and gap.asset_id in self._registry.assets]

    def rule(self, rule_id: str) -> RuleView | None:
        return story.rules().get(rule_id)

    def work_orders(
        self,
        *,
        is_open: bool | None = None,
        asset_id: str | None = None,
        limit: int = 500,
        offset: int = 0,
        only: OrderFilter = EVERY,
    ) -> Sequence[OrderView]:
        return [
            order
            for order in self._orders.values()
            if (is_open is None or order.is_open == is_open)
            and (asset_id is None or order.asset_id == asset_id)
            and (not only.kind or order.kind == only.kind)
            and (not only.severity or order.severity == only.severity)
            and (only.assignee is None or order.assignee == only.assignee)
            and (only.buildings is None or self._building(order) in only.buildings)
        ][offset : offset + limit]

    def count_orders(
        self, *, is_open: bool | None = None, asset_id: str | None = None, only: OrderFilter = EVERY
    ) -> int:
        return len(self.work_orders(is_open=is_open, asset_id=asset_id, only=only))

    def order_counts(self) -> Mapping[str, OrderCount]:
        found: dict[str, list[OrderView]] = {}
        for order in self.work_orders(is_open=True):
            found.setdefault(self._building(order), []).append(order)
        return {
            name: OrderCount(
                len(orders),
                sum(is_breached(order, self.now) for order in orders),
                min((due for order in orders if (due := next_due(order)) and due >= self.now), default=None),
            )
            for name, orders in found.items()
        }

    def _building(self, order: OrderView) -> str:
        return self._registry.assets[order.asset_id].building_id

    def work_order(self, order_id: str) -> OrderView | None:
        return self._orders.get(order_id)

    def orders_of_finding(self, finding_id: str) -> Sequence[OrderView]:
        return [order for order in self._orders.values() if finding_id in order.members]

    def explain_deadlines(self, order_id: str, language: str = "en") -> Mapping[str, Sequence[str]]:
        del language  # the preview explains in English
        order = self._orders.get(order_id)
        if order is None:
            return {}
        return {
            each.name: (
                f"Clause {order.clause} of {order.contract_id}, revision {order.contract_revision}: {each.limit}.",
                f"Starts when the order was opened, {order.opened_at:%Y-%m-%d %H:%M} UTC; never closed.",
                f"Due {each.due_at:%Y-%m-%d %H:%M} UTC.",
            )
            for each in order.deadlines
        }

    def apply_verb(self, order_id: str, verb: str, *, by: str, note: str, reason: str = "", proof: str = "") -> None:
        del proof
        order = self._orders[order_id]
        if verb not in order.verbs:
            allowed = ", ".join(order.verbs) or "nothing"
            msg = f"{order.number} is {order.status}: cannot {verb!r}; possible now: {allowed}"
            raise PermanentError(msg)
        if verb == "hold" and not reason:
            msg = "holding an order needs a reason"
            raise PermanentError(msg)
        self._orders[order_id] = story.after(order, verb, self.now, by=by, note=note, reason=reason)

    def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        at_us = to_us(self.now) - 4_000_000
        return [
            DeadLetter(
                at_us,
                "plantroom/harbour/lift-9/readings",
                b'{"at": "2026-11-21T09:00:00Z"}',
                "no asset 'lift-9' in the site files; did you mean 'lift-1'?",
            ),
            DeadLetter(
                at_us - 90_000_000,
                "plantroom/harbour/zone-12e/readings",
                b"\xff\xfe<b>broken</b>",
                "the payload is not JSON: send an object with 'at' and 'values'.",
            ),
        ][:limit]

    def devices(self) -> Sequence[DeviceView]:
        if self.approved is not None:
            return []
        values = (
            DeviceValue("temperature", 21.4, "zone_air_temperature"),
            DeviceValue("<battery>", 97.0),
        )
        building = next(iter(self._registry.buildings), "")
        return [
            DeviceView(
                "zigbee2mqtt/12<e>", "zigbee2mqtt", self.now, 17, "", "12-e", building, "zone", values
            ),
            DeviceView("plantroom/x (ahu-1)", "plantroom", self.now, 3, "ahu-1", "ahu-1", building, "ahu", ()),
        ]  # fmt: skip

    def unknown_codes(self) -> Sequence[UnknownCodeView]:
        return [UnknownCodeView("lift-1", "E<57>", 3, self.now - timedelta(minutes=5))]

    def device_clocks(self) -> Sequence[DeviceClockView]:
        return [
            DeviceClockView("ahu-1", timedelta(hours=8), 64),
            DeviceClockView("lift-1", timedelta(minutes=-70), 64),
            DeviceClockView("lift-2", timedelta(milliseconds=-40), 64),
        ]

    def approve_device(self, key: str, *, asset_id: str, equipment_class: str, building_id: str, name: str) -> None:
        if asset_id in self._registry.assets:
            msg = f"there is an asset {asset_id!r} already. Choose another id."
            raise PermanentError(msg)
        self.approved = (key, asset_id, equipment_class, building_id, name)

    def health(self) -> Health:
        return Health(
            stages=(
                StageHealth("broker", alive=True, detail="nats-server on 127.0.0.1"),
                StageHealth("ingest", alive=True, counts={"received": 184_220, "rejected": 2}, behind=timedelta(0)),
                StageHealth(
                    "engine", alive=True, behind=timedelta(seconds=1), behind_commits=3, counts={"findings": 7}
                ),
                StageHealth(
                    "series store",
                    alive=False,
                    detail="InfluxDB does not answer.",
                    behind=timedelta(hours=3, minutes=20),
                    behind_commits=214_800,
                ),
            ),
            heartbeat_at=self.now - timedelta(seconds=1),
            event_time_at=self.now - timedelta(seconds=2),
            dead_letters=2,
            version="0.1.0",
            silent=(SilentDevice("lift-2", self.now - timedelta(hours=2)),),
            received=184_220,
            rejected=2,
        )


class PreviewDoor:
    """A `Door` with one visitor and one token."""

    def __init__(self, name: str = "preview", token: str = TOKEN) -> None:
        self._name, self._token = name, token
        self._open: set[str] = set()

    def sign_in(self, name: str, password: str, source: Source) -> Knock:
        del source
        return self._open_one() if (name, password) == (self._name, self._token) else Knock(refused="wrong")

    def open_session(self, token: str, source: Source) -> Knock:
        del source
        return self._open_one() if token == self._token else Knock(refused="wrong")

    def _open_one(self) -> Knock:
        session = f"session-{len(self._open) + 1}"
        self._open.add(session)
        return Knock(session)

    def visit(self, session: str, bearer: str) -> Guest | None:
        rights = frozenset({"own", "watch", "see", "work", "tune", "manage", "administer", "change"})
        known = bearer == self._token or session in self._open
        return Guest(Visitor(self._name, "admin", rights)) if known else None

    def may(self, visitor: Visitor, method: str, route: str, path: Mapping[str, object]) -> bool:
        del method, route, path
        return bool(visitor.rights)

    def link_owner(self, code: str) -> str | None:
        return self._name if code == "good" else None

    def use_link(self, code: str, password: str, source: Source) -> Knock:
        del source
        return self._open_one() if code == "good" and len(password) >= 10 else Knock(refused="short")

    def close_session(self, session: str) -> None:
        self._open.discard(session)
