"""The rules over HTTP: the active set, and what cannot be judged."""

import asyncio
import json
from collections.abc import Sequence

import httpx
from fastapi import FastAPI

from rules.api import build_router
from rules.engine import Engine
from rules.plan import NotApplicable
from rules.rehearsal import Rehearsal

RULES = """
rules:
  - {id: full, class: tank, name: {en: Full}, severity: high, advice: Look, for: 5 min, when: tank_level > limit,
     parameters: {limit: {value: 95, unit: "%"}}}
  - {id: flow, class: tank, name: {en: Flow}, severity: low, advice: Look, when: water_flow > 1, clear: water_flow < 1}
"""
SITE = {
    "site": {"id": "s", "zone": "UTC"},
    "buildings": [{"id": "b", "assets": [{"id": "tank", "class": "tank", "points": ["tank_level"]}]}],
}


class Host:
    """An engine that nothing is fed to."""

    engine: Engine = Rehearsal(json.dumps(SITE), {"own.yaml": RULES}, start_us=1_772_416_800_000_000).engine

    def not_applicable(self) -> Sequence[NotApplicable]:
        return self.engine.not_applicable()


def get(path: str, **query: str) -> httpx.Response:
    """One question to the routes alone, without authorisation."""
    app = FastAPI()
    app.include_router(build_router(Host()))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rules") as client:
            return await client.get(path, params=query)

    return asyncio.run(ask())


def test_the_active_rules_are_listed_with_condition_and_parameters() -> None:
    full, flow = get("/api/rules").json()
    assert (full["id"], full["severity"], full["when"], full["for_seconds"]) == (
        "full",
        "high",
        "tank_level > limit",
        300,
    )
    assert full["parameters"] == {"limit": {"value": 95, "unit": "%", "note": ""}}
    assert full["clear"] == "not (tank_level > limit)"
    assert flow["clear"] == "water_flow < 1"
    assert get("/api/rules", **{"class": "pump"}).json() == []
    assert get("/api/rules/flow").json() == flow


def test_an_unknown_rule_is_not_found_and_the_nearest_is_named() -> None:
    answer = get("/api/rules/ful")
    assert answer.status_code == 404
    assert "did you mean 'full'" in answer.json()["detail"]


def test_what_is_not_applicable_is_listed_with_what_is_missing() -> None:
    missing = [{"rule_id": "flow", "asset_id": "tank", "missing": ["water_flow"]}]
    assert get("/api/rules/not-applicable").json() == missing
    assert get("/api/rules/not-applicable", asset="tank").json() == missing
    assert get("/api/rules/not-applicable", asset="tnak").status_code == 404
