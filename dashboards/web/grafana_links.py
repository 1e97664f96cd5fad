"""Where Grafana shows a building or an asset: the dashboard of its kind, with it chosen."""

from dataclasses import dataclass
from urllib.parse import quote

from dashboards.grafana.catalogue import BUILDING, board_of
from facility.asset import Asset


@dataclass(frozen=True, slots=True)
class GrafanaLinks:
    """`address` is that of Grafana as browsers reach it, empty where there is none: then there are no links."""

    address: str = ""

    def building(self, building_id: str) -> str:
        """The building's dashboard; empty without Grafana."""
        return self._link(BUILDING, "building", building_id)

    def asset(self, asset: Asset) -> str:
        """The dashboard of the asset's kind, with it alone; empty without Grafana."""
        return self._link(board_of(asset.equipment_class.name), "asset", asset.id)

    def _link(self, board: str, variable: str, chosen: str) -> str:
        return f"{self.address.rstrip('/')}/d/{board}?var-{variable}={quote(chosen, safe='')}" if self.address else ""
