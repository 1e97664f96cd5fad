"""What every template can say: words, times in the zone of the building, values, links. One per request."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from dashboards.web import wording
from dashboards.web.countdown import Countdown, count_down
from dashboards.web.language import Words
from dashboards.web.order_view import DeadlineView, OrderView
from dashboards.web.protocols import ClockState, PlantView
from dashboards.web.units import convert, restate, shown_unit
from dashboards.web.visitor import Visitor
from facility.catalogue import equipment_classes, point_types
from facility.finding import Finding
from facility.instant import from_us, to_us
from facility.reading import Value
from facility.registry import Registry

UTC_ZONE = ZoneInfo("UTC")
_DIFFERENCE = {"degC": "delta_degC", "degF": "delta_degF"}


@dataclass(frozen=True)
class Page:
    """The request's language, clock, plant and visitor. `zone` is that of most of what the page shows; `seen` how far
    the changes had come before it was read; `names` gives a person's name for the one she signs in by, and
    `tell` a refusal in the reader's language."""

    words: Words
    clock: ClockState
    registry: Registry
    view: PlantView
    zone: ZoneInfo
    user: Visitor | None
    path: str
    seen: str = ""
    names: Callable[[str], str] = str
    tell: Callable[[str, Words], str] | None = None

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

    @property
    def now_us(self) -> int:
        """Now in microseconds since the epoch."""
        return to_us(self.now)

    @property
    def span_units(self) -> str:
        """The words of a countdown in the script of the page: days, hours, minutes, seconds."""
        return " ".join(wording.span_units(self.words))

    @property
    def hour(self) -> str:
        """The time of day now in the page's zone."""
        return f"{self.now.astimezone(self.zone):%H:%M}"

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

    def month(self, on: date) -> str:
        """A month with its year."""
        return wording.format_month(on, self.words)

    def month_of(self, text: str) -> str:
        """A month such as `2026-03` in words; as it is when it is none."""
        first = wording.parse_month(text)
        return self.month(first) if first is not None else text

    def periods_of(self, month: str) -> list[tuple[str, str]]:
        """The month, its quarter and its year as reports name them: (`month`, `2026-03`) ..."""
        year, _, number = month.partition("-")
        return [("month", month), ("quarter", f"{year}-Q{(int(number) + 2) // 3}"), ("year", year)]

    def building_name(self, building_id: str) -> str:
        """A building's name; its id when the site file no longer has it."""
        building = self.registry.buildings.get(building_id)
        return self.own(building.name) if building else building_id

    def own(self, name: str) -> str:
        """A name in the reader's language where it is given in both."""
        return wording.own_name(name, self.words)

    def told(self, title: str) -> str:
        """A title such as `Tank half empty: 水箱 / Roof tank` with its asset's name in one language."""
        head, sep, name = title.rpartition(": ")
        return f"{self.stated(head)}{self.words('colon')}{self.own(name)}" if sep else self.stated(self.own(title))

    def bytes(self, size: int) -> str:
        """The size of a file: `1.2 MB`, `12 kB`."""
        whole = size / 1_000_000
        return f"{whole:.1f} MB" if whole >= 1 else f"{max(1, round(size / 1000))} kB"

    def kinds(self, names: Iterable[str]) -> str:
        """Equipment classes in words."""
        return self.words("comma").join(self._matched("class", name) for name in names)

    def day(self, on: date) -> str:
        """A date."""
        return wording.format_day(on, self.words)

    def day_of(self, at: datetime) -> str:
        """The date of an instant in the page's zone."""
        return self.day(at.astimezone(self.zone).date())

    def limit(self, text: str) -> str:
        """A limit of a contract, such as `2 open days, end of day`."""
        return wording.format_limit(text, self.words)

    def match(self, parts: Iterable[tuple[str, Sequence[str]]]) -> str:
        """What a level, penalty or visit is for: class, severity, building ... in words."""
        return self.words("semicolon").join(
            f"{self.words(f'match.{part}')} {self.words('match.or').join(self._matched(part, one) for one in values)}"
            for part, values in parts
        )

    def figure_name(self, name: str) -> str:
        """What is compared of two contracts (`breaches of response`, `level lift`) in words."""
        if (found := self.words.or_raw("compare.row", name.replace(" ", "_"))) != name:
            return found
        for head, words in (("breaches of ", "deadline"), ("priority ", ""), ("level ", "")):
            if name.startswith(head):
                rest = name.removeprefix(head)
                return self.words(f"compare.{head.split()[0]}", name=self.words.or_raw(words, rest) if words else rest)
        return name

    def _matched(self, part: str, value: str) -> str:
        if part == "class":
            kind = equipment_classes().get(value)
            return self.words.pick(kind.label, value) if kind is not None else value
        if part == "building":
            return self.building_name(value)
        if part == "space":
            space = self.registry.spaces.get(value)
            return self.own(space.name) if space is not None else value
        return self.rule_name(value) if part == "rule" else self.words.or_raw(part, value)

    def weekday(self, on: date) -> str:
        """The short name of a day of the week."""
        return wording.format_weekday(on, self.words)

    def span(self, span: timedelta) -> str:
        """A duration in words."""
        return wording.format_span(span, self.words)

    def span_us(self, span_us: int) -> str:
        """A duration of microseconds in words."""
        return self.span(timedelta(microseconds=span_us))

    @property
    def units(self) -> str:
        """The units the visitor reads: `metric` or `us`."""
        return self.user.units if self.user is not None else "metric"

    def value(self, value: Value, unit: str) -> str:
        """A value with its unit, in the units the visitor reads."""
        if not isinstance(value, str):
            value, unit = convert(float(value), unit, self.units), shown_unit(unit, self.units)
        return wording.format_value(value, unit, self.words)

    def difference(self, value: float, unit: str) -> str:
        """A difference of two values: of temperatures in kelvin."""
        return self.value(value, _DIFFERENCE.get(unit, unit))

    def point(self, asset_id: str, name: str) -> str:
        """A point's label; terms of a rule are shown by their name."""
        return wording.point_label(self.registry.point(asset_id, name), name, self.words)

    def lacking(self, what: str) -> str:
        """What a rule lacks or still learns, as the engine names it: a point by its label, the rest in words."""
        kind = point_types().get(what)
        return self.words.pick(kind.label, what) if kind is not None else wording.format_lack(what, self.words)

    def scope(self, scope: str) -> str:
        """Where a parameter was set: an asset, `class:NAME` or `site:ID`."""
        kind, sep, name = scope.partition(":")
        if not sep:
            return self.asset_name(scope)
        return self._matched("class", name) if kind == "class" else name

    def refusal(self, text: str) -> str:
        """Why something cannot be, in the reader's language where its words are known."""
        return self.tell(text, self.words) if self.tell is not None and text else text

    def money(self, amount: Decimal) -> str:
        """An amount with thousands in groups, without digits that say nothing: `1,250`, `85.50`."""
        return f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"

    def person(self, login: str) -> str:
        """A person's name in the reader's language; what she signs in with where nobody knows it."""
        return self.own(self.names(login))

    def asset_name(self, asset_id: str) -> str:
        """An asset's name; its id when the site file no longer has it."""
        asset = self.registry.assets.get(asset_id)
        return self.own(asset.name) if asset else asset_id

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
        return " · ".join(self.own(each.name) for each in (building, space) if each)

    def title(self, item: Finding | OrderView) -> str:
        """What a finding or order is about: the rule's name in this language, else the text it carries."""
        rule = self.view.rule(item.rule_id) if self.words.language != "en" else None
        own = rule.name.get(self.words.language) if rule else None
        if own:
            return self.stated(self.words.in_script(own))
        asset = self.registry.assets.get(item.asset_id)
        whole = f": {asset.name}" if asset is not None else ""
        about = item.title.removesuffix(whole) if whole else item.title
        if asset is not None and about != item.title:
            return f"{self.stated(about)}: {self.own(asset.name)}"
        return self.stated(self.own(item.title) if ": " not in item.title else item.title)

    def subject(self, item: Finding | OrderView) -> str:
        """`title` without the asset, for lists that name it beside."""
        rule = self.view.rule(item.rule_id)
        return self.stated(self.words.pick(rule.name, item.title)) if rule else self.told(item.title)

    def said(self, item: Finding | OrderView, *texts: str) -> list[str]:
        """Texts of the item's rule (advice, diagnosis, check list) in this language, else as the item carries them."""
        rule = self.view.rule(item.rule_id) if self.words.language == "zh" else None
        chinese = rule.chinese if rule is not None else {}
        return [self.stated(self.words.in_script(chinese[text]) if text in chinese else text) for text in texts]

    def noted(self, order: OrderView, text: str) -> str:
        """What the program wrote of an order: its finding's title with the names of rule and asset in this language."""
        rule, asset = self.view.rule(order.rule_id), self.registry.assets.get(order.asset_id)
        english = rule.name.get("en", "") if rule is not None else ""
        if rule is not None and english and self.words.language == "zh":
            text = text.replace(english, self.words.pick(rule.name, english))
        return text.replace(asset.name, self.own(asset.name)) if asset is not None else text

    def stated(self, text: str) -> str:
        """A text with its quantities in the units the visitor reads."""
        return restate(text, self.units, lambda value, unit: wording.format_value(value, unit, self.words))

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
