"""Every dashboard as JSON. Needs the extra `dashboards`. The files are in git; a test shows that they equal this."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.building import building
from dashboards.grafana.catalogue import equipment_boards
from dashboards.grafana.contract import contract
from dashboards.grafana.equipment import Limits, equipment
from dashboards.grafana.portfolio import portfolio
from dashboards.grafana.satisfaction import satisfaction
from dashboards.grafana.work import work


def render(limits: Limits) -> dict[str, str]:
    """File name -> JSON text of each dashboard; `limits` are the parameters of the shipped rules."""
    boards = [portfolio(), building(), work(), contract(), satisfaction()]
    boards += [equipment(uid, entry, limits) for uid, entry in equipment_boards().items()]
    return {f"{board.uid}.json": _text(board) for board in boards}


def _text(board: Dashboard) -> str:
    return json.dumps(board, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
