"""What a person chooses above a dashboard: a site, its buildings, their assets."""

from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.queries import INFLUX


def chosen_assets(measurement: str = "") -> tuple[classic.QueryVariable, ...]:
    """Site, building and asset; those of one equipment class when `measurement` names it."""
    return (
        _variable("site", "Site", measurement, "", many=False),
        _variable("building", "Building", measurement, ' WHERE "site" =~ /^$site$/', many=True),
        _variable("asset", "Asset", measurement, ' WHERE "building" =~ /^$building$/', many=True),
    )


def _variable(name: str, label: str, measurement: str, condition: str, *, many: bool) -> classic.QueryVariable:
    source = f' FROM "{measurement}"' if measurement else ""
    query = f'SHOW TAG VALUES{source} WITH KEY = "{name}"{condition}'
    variable = (
        classic.QueryVariable(name)
        .label(label)
        .datasource(INFLUX)
        .query(query)
        .definition(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(many)
    )
    if not many:
        return variable
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return variable.include_all(include_all=True).current(everything)
