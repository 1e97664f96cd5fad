"""The dashboards of Grafana that are in git, and their parts."""

import json
from collections.abc import Iterator
from typing import Any

from running import ROOT

Board = dict[str, Any]
FOLDER = ROOT / "dashboards/grafana/built"
BOARDS: list[Board] = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]


def panels(board: Board) -> list[Board]:
    """Its panels in their order."""
    found: list[Board] = board["panels"]
    return found


def variables(board: Board) -> list[Board]:
    """Its variables that ask a datasource, in their order."""
    return [one for one in board["templating"]["list"] if one["type"] == "query"]


def annotations(board: Board) -> list[Board]:
    """Its annotations."""
    found: list[Board] = board["annotations"]["list"]
    return found


def queries(board: Board) -> Iterator[Board]:
    """Every query of its panels and annotations."""
    for panel in panels(board):
        yield from panel["targets"]
    for annotation in annotations(board):
        yield annotation["target"]


def links(board: Board) -> Iterator[str]:
    """The address of every link: of the dashboard, and of the data of its panels."""
    for link in board["links"]:
        if link["type"] == "link":
            yield link["url"]
    for panel in panels(board):
        for link in panel["fieldConfig"]["defaults"].get("links", []):
            yield link["url"]
