"""Queries of the two datasources: InfluxQL for readings, SQL for findings and orders.

The SDK has no types for these two plug-ins, so the query models stand here as the plug-ins read them.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

INFLUX = DataSourceRef("influxdb", "influx")
POSTGRES = DataSourceRef("grafana-postgresql-datasource", "postgres")
READABLE = (
    '"site" =~ /^$site$/ AND "building" =~ /^$building$/ AND "asset" =~ /^$asset$/ AND "quality" = 0 AND $timeFilter'
)
"""Believed readings (quality 0) of the chosen site, buildings and assets inside the shown time."""
TERMS = {
    "<believed>": READABLE,
    "<doubted>": READABLE.replace('"quality" = 0', '"quality" > 0'),
    "<chosen>": "building_id IN (${building:sqlstring}) AND asset_id IN (${asset:sqlstring})",
    "<open>": "status NOT IN ('closed', 'cancelled')",
}
"""What queries have in common, by the mark that stands for it."""


def spell_out(query: str, **more: str) -> str:
    """The query with its marks filled in: those of TERMS, and `<name>` for each further argument."""
    for mark, text in ({f"<{name}>": text for name, text in more.items()} | TERMS).items():
        query = query.replace(mark, text)
    return query


@dataclass(frozen=True, slots=True)
class InfluxQuery(Builder[Dataquery], Dataquery):
    """One InfluxQL query. `alias` names its series by tags: `$tag_asset`."""

    query: str
    alias: str = ""
    ref: str = "A"

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
    """One SQL query whose rows are shown as they are."""

    query: str
    ref: str = "A"

    def build(self) -> Dataquery:
        """Itself: it is as the plug-in reads it."""
        return self

    def to_json(self) -> dict[str, object]:
        """What the PostgreSQL plug-in stores."""
        return {
            "refId": self.ref,
            "datasource": POSTGRES.to_json(),
            "format": "table",
            "rawQuery": True,
            "rawSql": self.query,
            "editorMode": "code",
        }


def numbers(points: str) -> InfluxQuery:
    """Means of the points whose name matches the pattern, one series for each asset and point; gaps stay gaps."""
    query = (
        'SELECT mean("value") FROM /.*/ WHERE "point" =~ /<points>/ AND <believed> '
        'GROUP BY time($__interval), "asset", "point" fill(none)'
    )
    return InfluxQuery(spell_out(query, points=points), "$tag_asset $tag_point")


def newest_number(point: str) -> InfluxQuery:
    """The newest value of a point inside the shown time, one for each asset."""
    query = 'SELECT last("value") FROM /.*/ WHERE "point" =~ /^<point>$/ AND <believed> GROUP BY "asset"'
    return InfluxQuery(spell_out(query, point=point), "$tag_asset")


def states(measurement: str, point: str) -> InfluxQuery:
    """The last text of a point in each interval, one series for each asset."""
    query = (
        'SELECT last("text") FROM "<measurement>" WHERE "point" = \'<point>\' AND <believed> '
        'GROUP BY time($__interval), "asset" fill(none)'
    )
    return InfluxQuery(spell_out(query, measurement=measurement, point=point), "$tag_asset")


def bad_readings() -> InfluxQuery:
    """How many readings were not believed, for each asset."""
    query = 'SELECT count("quality") FROM /.*/ WHERE <doubted> GROUP BY time($__interval), "asset" fill(none)'
    return InfluxQuery(spell_out(query), "$tag_asset")
