"""What a person chooses above a dashboard: sites, their buildings, their assets; and two variables nobody sees."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.queries import MOST_SERIES, POSTGRES, spell_out

ADDRESS, BUCKET = "http://127.0.0.1:8600", "plantroom"
"""Where Plantroom's pages are, and what the bucket is called; `plantroom grafana` writes others into the dashboards."""
SITES = "SELECT site AS __text, site_id AS __value FROM grafana.building GROUP BY 1, 2 ORDER BY 1"
BUILDINGS = """SELECT building AS __text, building_id AS __value FROM grafana.building
WHERE site_id ~ '^(${site:pipe})$' ORDER BY 1"""
ASSETS = """SELECT asset AS __text, asset_id AS __value FROM grafana.asset
WHERE building_id ~ '^(${building:pipe})$'<classes> ORDER BY 1"""
CONTRACTS = """SELECT DISTINCT contract_id AS __text, contract_id AS __value FROM grafana.work_order
WHERE contract_id IS NOT NULL ORDER BY 1"""
SHOWN = """SELECT asset_id AS __text, asset_id AS __value FROM (
  SELECT asset_id, row_number() OVER (PARTITION BY equipment_class ORDER BY count(finding_id) DESC, asset_id) AS place
  FROM grafana.asset
  LEFT JOIN (SELECT finding_id, asset_id FROM grafana.finding WHERE <standing>) AS found USING (asset_id)
  WHERE <where> GROUP BY asset_id, equipment_class
) AS ranked WHERE place <= <most> ORDER BY 1"""
STORE = """SELECT CASE WHEN ${__to} - ${__from} > 1209600000 THEN '<bucket>_mean_1h'
WHEN ${__to} - ${__from} > 172800000 THEN '<bucket>_mean_5m' ELSE '<bucket>' END"""


def places() -> tuple[classic.QueryVariable, ...]:
    """Site and building."""
    return _chosen("site", "Site", SITES), _chosen("building", "Building", BUILDINGS)


def assets(classes: Sequence[str]) -> tuple[classic.QueryVariable, ...]:
    """Assets of these classes; of every class when there are none."""
    names = ", ".join(f"'{name}'" for name in classes)
    condition = f" AND equipment_class IN ({names})" if classes else ""
    return (_chosen("asset", "Asset", ASSETS.replace("<classes>", condition)),)


def shown(where: str) -> classic.QueryVariable:
    """Of the chosen assets those that plots show: of each class the ones with the most findings, as many as fit."""
    query = spell_out(SHOWN, where=where, most=str(MOST_SERIES))
    refreshed = dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED
    return _asked("shown", "Shown", query).hide(dashboard.VariableHide.HIDE_VARIABLE).refresh(refreshed)


def contracts() -> tuple[classic.QueryVariable, ...]:
    """Contracts that orders were opened under."""
    return (_chosen("contract", "Contract", CONTRACTS),)


def address() -> classic.ConstantVariable:
    """Where Plantroom's own pages are."""
    return classic.ConstantVariable("plantroom").label("Plantroom").value(ADDRESS)


def store() -> classic.QueryVariable:
    """The database that has readings finely enough for the shown time: see `queries`."""
    query = STORE.replace("<bucket>", BUCKET)
    return (
        classic.QueryVariable("store")
        .label("Store")
        .hide(dashboard.VariableHide.HIDE_VARIABLE)
        .datasource(POSTGRES)
        .query(query)
        .definition(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _chosen(name: str, label: str, query: str) -> classic.QueryVariable:
    """All of them is one short expression, however many there are."""
    return _asked(name, label, query).all_value(".*")


def _asked(name: str, label: str, query: str) -> classic.QueryVariable:
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return (
        classic.QueryVariable(name)
        .label(label)
        .datasource(POSTGRES)
        .query(query)
        .definition(query)
        .refresh(dashboard.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(dashboard.VariableSort.DISABLED)
        .multi(multi=True)
        .include_all(include_all=True)
        .current(everything)
    )
