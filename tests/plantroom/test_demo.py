"""`plantroom demo` as an engineer meets it: orders from all four systems, a clean end, a start that goes on."""

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from running import System, wait_until
from tanks import children

from facility.instant import parse_instant

SYSTEMS = {"elevator", "hvac", "lighting", "water"}


def _systems_with_orders(system: System, assets: dict[str, str]) -> set[str]:
    return {assets[order["asset_id"]] for order in system.get("/api/work-orders", limit="1000")}


def test_the_demo_opens_orders_in_every_system_ends_cleanly_and_goes_on(new_system: Callable[..., System]) -> None:
    system = new_system("demo", "--speed", "240")
    system.arguments += ["--port", str(system.http_port), "--mqtt-port", str(system.mqtt_port)]
    system.start()
    assets = {asset["id"]: asset["system"] for asset in system.get("/api/assets")}
    wait_until(lambda: _systems_with_orders(system, assets) >= SYSTEMS, 120, "an order from each of the four systems")
    orders: list[dict[str, Any]] = system.get("/api/work-orders", limit="1000")
    for order in orders:
        assert order["priority"] in (1, 2, 3, 4)
        assert order["contract_id"] == "demo-2026"
        assert order["default_level"] is False
        opened, response, resolution = (
            parse_instant(order[name]) for name in ("opened_at", "response_due_at", "resolution_due_at")
        )
        assert opened < response <= resolution
        assert order["evidence"]
    assert system.get("/api/devices/codes") == [], "the lifts say what their codes mean"
    explained = system.get(f"/api/work-orders/{orders[0]['id']}/deadline")
    assert explained["response"]["explanation"]
    assert system.post(f"/api/work-orders/{orders[0]['id']}/acknowledge", {"by": "engineer"})["acknowledged_at"]

    pids = system.pids()
    assert len(pids) >= 5, "supervisor, broker and its child, ingest, engine, simulators"
    assert len({os.getsid(pid) for pid in pids}) == 1, "or Linux would weigh the sessions, not the processes"
    yielding = [os.getpriority(os.PRIO_PROCESS, children(system)[name]) for name in ("ingest", "nats-server", "engine")]
    assert yielding == sorted(set(yielding)), "when the CPU is short ingest goes first, and the engine last"
    assert system.stop() == 0
    assert system.pids() == []
    log = system.log()
    assert "240 times as fast, deadlines too" in log
    assert "时间快 240 倍，时限也随之加快" in log
    assert " error " not in log.replace("[error", " error "), log

    last = system.simulated_epoch_us()
    system.start()
    again = {order["id"]: order for order in system.get("/api/work-orders", limit="1000")}
    for order in orders:
        for name in ("number", "opened_at", "response_due_at", "resolution_due_at", "asset_id", "priority"):
            assert again[order["id"]][name] == order[name]
    assert again[orders[0]["id"]]["acknowledged_at"]
    assert system.simulated_epoch_us() > last, "simulated time goes on where it stopped"

    def readings() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = system.get("/api/readings", asset="TANK-1", point="tank_level", **_span(orders))[
            "readings"
        ]
        return found if len(found) > 20 else []

    tank = wait_until(readings, 30, "readings from before and after the restart")
    assert all(one["at"] < two["at"] for one, two in pairwise(tank))


def _span(orders: list[dict[str, Any]]) -> dict[str, str]:
    """The day of the first order that readings led to; a visit of the plan may open before the first reading."""
    day = min(order["opened_at"] for order in orders if order["planned_due_at"] is None)[:10]
    return {"from": f"{day}T00:00:00Z", "to": f"{day}T23:59:59Z"}
