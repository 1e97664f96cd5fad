"""What every template can say: words, times in the zone of the building, values, links. One per request."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from dashboards.web import wording
from dashboards.web.countdown import Countdown, count_down
from dashboards.web.language import Words
from dashboards.web.order_view import DeadlineView, OrderView
from dashboards.web.protocols import ClockState, PlantView
from dashboards.web.visitor import Visitor
from facility.finding import Finding
from facility.instant import from_us
from facility.reading import Value
from facility.registry import Registry

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class Page:
    """The request's language, clock, plant and visitor. `zone` is that of most of what the page shows."""

    words: Words
    clock: ClockState
    registry: Registry
    view: PlantView
    zone: ZoneInfo
    user: Visitor | None
    path: str

    def may(self, right: str) -> bool:
        """Whether the visitor has this right; nobody has any before signing in."""
        return self.user is not None and right in self.user.rights

    @property
    def now(self) -> datetime:
        """The program's now."""
        return self.clock.now

    @property
    def rate(self) -> float:
        """Milliseconds the shown clock moves in a real millisecond; 0 for a journal clock."""
        return {"real": 1.0, "scaled": self.clock.factor, "journal": 0.0}[self.clock.kind]

    @property
    def clock_note(self) -> str:
        """`Simulated time ×60`; empty when the clock is real."""
        return self.words(f"clock.{self.clock.kind}", factor=f"{self.clock.factor:g}")

    @property
    def now_ms(self) -> int:
        """Now in milliseconds since the epoch, for the countdowns."""
        return round(self.now.timestamp() * 1000)

    def zone_of(self, asset_id: str | None) -> ZoneInfo:
        """The zone of the building an asset stands in; the page's zone for an unknown one."""
        asset = self.registry.assets.get(asset_id or "")
        building = self.registry.buildings.get(asset.building_id) if asset else None
        return building.zone if building else self.zone

    def zone_label(self) -> str:
        """The page's zone with its offset now."""
        return wording.zone_label(self.zone, self.now)

    def time(self, at: datetime | int | None, asset_id: str | None = None, *, seconds: bool = False) -> Markup:
        """A `time` element in the asset's zone, its zone named when it is not the page's; a dash for None."""
        if at is None:
            return Markup("–")
        zone = self.zone_of(asset_id)
        instant = (from_us(at) if isinstance(at, int) else at).astimezone(UTC)
        shown = wording.format_at(instant, zone, self.words, now=self.now, seconds=seconds)
        if zone.key != self.zone.key:
            shown = f"{shown} ({zone.key})"
        title = f"{wording.format_full(instant, zone)} {zone.key}"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(instant.isoformat(), title, shown)

    def span(self, span: timedelta) -> str:
        """A duration in words."""
        return wording.format_span(span, self.words)

    def span_us(self, span_us: int) -> str:
        """A duration of microseconds in words."""
        return self.span(timedelta(microseconds=span_us))

    def value(self, value: Value, unit: str) -> str:
        """A value with its unit."""
        return wording.format_value(value, unit, self.words)

    def point(self, asset_id: str, name: str) -> str:
        """A point's label; terms of a rule are shown by their name."""
        return wording.point_label(self.registry.point(asset_id, name), name, self.words)

    def asset_name(self, asset_id: str) -> str:
        """An asset's name; its id when the site file no longer has it."""
        asset = self.registry.assets.get(asset_id)
        return asset.name if asset else asset_id

    def asset_link(self, asset_id: str) -> Markup:
        """A link to the asset's page; only its id when there is no such page."""
        if asset_id not in self.registry.assets:
            return escape(asset_id)
        return Markup('<a href="/assets/{}">{}</a>').format(asset_id, self.asset_name(asset_id))

    def place(self, asset_id: str) -> str:
        """Space and building of an asset, as far as known."""
        asset = self.registry.assets.get(asset_id)
        if asset is None:
            return ""
        space = self.registry.spaces.get(asset.space_id or "")
        building = self.registry.buildings.get(asset.building_id)
        return " · ".join(each.name for each in (building, space) if each)

    def title(self, item: Finding | OrderView) -> str:
        """What a finding or order is about: the rule's name in this language, else the text it carries."""
        rule = self.view.rule(item.rule_id) if self.words.language != "en" else None
        return (rule.name.get(self.words.language) if rule else None) or item.title

    def subject(self, item: Finding | OrderView) -> str:
        """`title` without the asset, for lists that name it beside."""
        rule = self.view.rule(item.rule_id)
        return self.words.pick(rule.name, item.title) if rule else item.title

    def said(self, item: Finding | OrderView, *texts: str) -> list[str]:
        """Texts of the item's rule (advice, diagnosis, check list) in this language, else as the item carries them."""
        rule = self.view.rule(item.rule_id) if self.words.language == "zh" else None
        return [rule.chinese.get(text, text) for text in texts] if rule else list(texts)

    def rule_name(self, rule_id: str, fallback: str = "") -> str:
        """A rule's name in this language, else the fallback, else its id."""
        rule = self.view.rule(rule_id)
        return self.words.pick(rule.name, rule_id) if rule else fallback or rule_id

    def first_deadline(self, order: OrderView) -> DeadlineView | None:
        """The deadline that is due first of those still open, paused ones too; None when all are over."""
        return min(
            (each for each in order.deadlines if each.stopped_at is None), key=lambda each: each.due_at, default=None
        )

    def countdown(self, deadline: DeadlineView) -> Countdown:
        """How a deadline stands now."""
        return count_down(deadline, self.now)

    def countdown_text(self, countdown: Countdown) -> str:
        """`1 h 12 min left`, `paused, 3 h left` ..."""
        key = "left" if countdown.state == "soon" else countdown.state
        return self.words(f"deadline.{key}", span=self.span(countdown.span))
