"""`python -m bench [NAME ...]`: runs the benches one after the other and prints their figures.

docs/benchmarks.md holds the figures that were written down, each with its command. Run on an otherwise idle machine.
"""

import argparse
import platform
import runpy
import sys

BENCHES = {
    "engine": ("readings a second through the rule engine with the shipped catalogue", "bench.engine_bench"),
    "engine-budget": ("where the CPU time of a reading goes in the rule engine", "bench.engine_budget"),
    "year": ("a year of one air handler at one minute through backtest", "bench.year_bench"),
    "ingest": ("messages a second through Mosquitto into the journal, acknowledged after commit", "bench.ingest_bench"),
    "budget": ("what one message costs ingest, stage by stage", "bench.ingest_budget"),
    "broker-kill": ("what a kill -9 of Mosquitto loses, and what a snapshot costs", "bench.broker_kill_bench"),
    "node-red": ("ours and Node-RED on the same messages, in turn (installs Node-RED by npm)", "bench.node_red_bench"),
    "mqtt": ("the same with paho publishers and the embedded broker", "bench.mqtt_load"),
    "grafana": ("panels of Grafana over 43 million readings and 100,000 orders", "bench.grafana_bench"),
    "store": ("readings a second into and out of the series store", "bench.store_bench"),
    "desk": ("orders opened a second, and what one costs", "bench.desk_bench"),
    "orders": ("lists, sweep and storm among 100,000 open orders with 5 million lines", "bench.orders_bench"),
    "restore": ("backup and restore of 5 million readings and 100,000 orders", "bench.restore_bench"),
    "capacity": ("bytes of a reading, an order and a point, for `plantroom capacity`", "bench.capacity_bench"),
    "escalation": ("how long after its instant an escalation leaves", "bench.escalation_bench"),
    "kpi": ("the key figures of a quarter with five million history rows", "bench.kpi_bench"),
    "pages": ("server time of the pages with 10,000 open orders and 20,000 points", "bench.pages_bench"),
    "live": ("what 200 open pages cost, and how soon each knows of a change", "bench.live_bench"),
    "drawn": ("an asset's page with 30 days at one minute, drawn in chromium", "bench.drawn_bench"),
    "footprint": ("memory and CPU of the whole demo at real time, process by process", "bench.footprint_bench"),
    "start": ("CPU and time until a process with engine and pages is ready", "bench.start_bench"),
    "deadline": ("one deadline, and one year's calendar", "bench.deadline_bench"),
}
ASKED_FOR = ("node-red",)
"""Run only by name: it needs npm and its registry."""


def main() -> None:
    """Run the named benches, or every one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all without any")
    names = parser.parse_args().names or [name for name in BENCHES if name not in ASKED_FOR]
    if unknown := [name for name in names if name not in BENCHES]:
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    print(f"Python {platform.python_version()} on {platform.machine()}\n")
    for name in names:
        what, module = BENCHES[name]
        print(f"== {name}: {what}")
        sys.argv = [module]
        runpy.run_module(module, run_name="__main__")
        print()


if __name__ == "__main__":
    main()
