"""Queries of the two datasources: InfluxQL for readings, SQL for findings, orders and people.

The SDK has no types for these two plug-ins, so the query models stand here as the plug-ins read them. Up to 48 hours
panels read single readings, beyond that the means of five minutes, beyond two weeks those of an hour: the hidden
variable `store` is the database. Single readings and means have no field in common, so of the two queries of a panel
one is always without an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

INFLUX = DataSourceRef("influxdb", "influx")
POSTGRES = DataSourceRef("grafana-postgresql-datasource", "postgres")
MOST_SERIES = 20
SINGLE, MEANS = "A", "B"
"""The `refId` of the query of single readings, and of that of means."""
PLACED = '"asset" =~ /^${shown:regex}$/'
"""The condition of InfluxQL for what is chosen: the hidden variable `shown` names few assets, so that a server with
thousands of them looks at those alone."""
OF_CLASSES = "SELECT asset_id FROM grafana.asset WHERE equipment_class IN (<classes>)"
TERMS = {
    "<building>": "building_id IN (SELECT building_id FROM grafana.building "
    "WHERE site_id ~ '^(${site:pipe})$' AND building_id ~ '^(${building:pipe})$')",
    "<asset>": "asset_id ~ '^(${asset:pipe})$'",
    "<standing>": "state = 'active' AND NOT is_suppressed AND NOT is_shelved",
}
"""What statements of SQL have in common, by the mark that stands for it. Variables give regular expressions, so that
`All` is short however many there are."""


def spell_out(query: str, **more: str) -> str:
    """The query with its marks filled in: `<name>` for each argument, then those of TERMS."""
    for mark, text in ({f"<{name}>": text for name, text in more.items()} | TERMS).items():
        query = query.replace(mark, text)
    return query


def of_classes(classes: Sequence[str]) -> str:
    """The condition of SQL for the chosen assets, which are of these classes."""
    names = ", ".join(f"'{name}'" for name in classes)
    return f"<building> AND <asset> AND asset_id IN ({OF_CLASSES.replace('<classes>', names)})"


@dataclass(frozen=True, slots=True)
class InfluxQuery(Builder[Dataquery], Dataquery):
    """One InfluxQL query. `alias` names its series by tags: `$tag_asset`."""

    query: str
    alias: str
    ref: str = SINGLE

    def build(self) -> Dataquery:
        """Itself: it is as the plug-in reads it."""
        return self

    def to_json(self) -> dict[str, object]:
        """What the InfluxDB plug-in stores."""
        return {
            "refId": self.ref,
            "datasource": INFLUX.to_json(),
            "rawQuery": True,
            "query": self.query,
            "resultFormat": "time_series",
            "alias": self.alias,
        }


@dataclass(frozen=True, slots=True)
class SqlQuery(Builder[Dataquery], Dataquery):
    """One SQL query. Its rows are shown as they are, or, with `over_time`, as a series for each text of `metric`."""

    query: str
    ref: str = SINGLE
    over_time: bool = False

    def build(self) -> Dataquery:
        """Itself: it is as the plug-in reads it."""
        return self

    def to_json(self) -> dict[str, object]:
        """What the PostgreSQL plug-in stores."""
        return {
            "refId": self.ref,
            "datasource": POSTGRES.to_json(),
            "format": "time_series" if self.over_time else "table",
            "rawQuery": True,
            "rawSql": spell_out(self.query),
            "editorMode": "code",
        }


def numbers(classes: Sequence[str], points: Sequence[str]) -> tuple[InfluxQuery, InfluxQuery]:
    """Means in each interval of what is believed, one series for each asset and point; gaps stay gaps."""
    return _either('mean("value")', 'mean("mean")', classes, points)


def growth(classes: Sequence[str], points: Sequence[str]) -> tuple[InfluxQuery, InfluxQuery]:
    """What counters counted from interval to interval; where one was reset, nothing."""
    return _either('non_negative_difference(last("value"))', 'non_negative_difference(last("last"))', classes, points)


def modes(classes: Sequence[str], points: Sequence[str]) -> tuple[InfluxQuery, InfluxQuery]:
    """The last text in each interval."""
    return _either('last("text")', 'last("state")', classes, points)


def switches(classes: Sequence[str], points: Sequence[str]) -> tuple[InfluxQuery, InfluxQuery]:
    """Whether it was on at all in each interval: 0 or 1."""
    return _either('max("value")', 'max("maximum")', classes, points)


def newest(classes: Sequence[str], points: Sequence[str]) -> tuple[InfluxQuery, InfluxQuery]:
    """The newest number inside the shown time, one for each asset."""
    return _either('last("value")', 'last("last")', classes, points, group='"asset"')


def doubted(classes: Sequence[str]) -> tuple[InfluxQuery, InfluxQuery]:
    """How many readings were not believed, for each asset."""
    group = 'time($__interval), "asset"'
    return (
        InfluxQuery(_select('count("quality")', classes, (), '"quality" > 0 AND ', group), "$tag_asset", SINGLE),
        InfluxQuery(_select('sum("doubted")', classes, (), "", group), "$tag_asset", MEANS),
    )


def _either(
    single: str, means: str, classes: Sequence[str], points: Sequence[str], group: str = ""
) -> tuple[InfluxQuery, InfluxQuery]:
    group = group or ('time($__interval), "asset"' + (', "point"' if len(points) > 1 else ""))
    alias = "$tag_asset $tag_point" if len(points) > 1 else "$tag_asset"
    return (
        InfluxQuery(_select(single, classes, points, '"quality" = 0 AND ', group), alias, SINGLE),
        InfluxQuery(_select(means, classes, points, "", group), alias, MEANS),
    )


def _select(what: str, classes: Sequence[str], points: Sequence[str], believed: str, group: str) -> str:
    source = f'"{classes[0]}"' if len(classes) == 1 else f"/^({'|'.join(classes)})$/" if classes else "/.*/"
    named = f"\"point\" = '{points[0]}' AND " if len(points) == 1 else f'"point" =~ /^({"|".join(points)})$/ AND '
    where = f"{named if points else ''}{believed}{PLACED} AND $timeFilter"
    fill = " fill(none)" if "time(" in group else ""
    source = f'"${{store}}"."autogen".{source}'
    return f"SELECT {what} FROM {source} WHERE {where} GROUP BY {group}{fill} SLIMIT {MOST_SERIES}"  # noqa: S608 - InfluxQL of ours, built before anybody chooses
