"""Ours and Node-RED in turn on the same load: messages a second until the last one is dealt with, and CPU a message.

The same Mosquitto, the same generator, the same messages. Ours writes every reading into the journal on disk and
acknowledges after that; Node-RED parses, checks a range and keeps nothing.

Run: python -m bench.node_red_bench [--folder FOLDER] [--rounds 2] [--rate 20000] [--seconds 20]. Node-RED is installed
by npm into the folder (without one into a temporary one, which takes a minute).
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from bench.brokers import open_broker
from bench.ingest_bench import Load, Run, Tail, hold_against, ingest, measure
from bench.node_red import install, node_red
from ingest.link import ClientKind

_PAUSE = threading.Event()
_QUIET_S = 10.0


def ours(folder: Path, load: Load) -> None:
    """One run of ours."""
    with open_broker("mosquitto", folder) as broker:
        with ingest(folder, broker, ClientKind.RAW, load.connections) as pid:
            tail = Tail(folder, with_engine=False)
            run = measure(folder, broker, load, {"broker": broker.pid, "consumer": pid}, tail.finish)
        held = hold_against(folder)
        tell("ours, into the journal", run, run.result.acknowledged - held.missing, broker.dropped())


def theirs(script: Path, folder: Path, load: Load) -> None:
    """One run of Node-RED."""
    with open_broker("mosquitto", folder) as broker, node_red(script, folder, broker.port) as (pid, counter):

        def finish(acknowledged: int) -> float:
            began = quiet_at = time.monotonic()
            count = -1
            while counter.count < acknowledged and time.monotonic() - quiet_at < _QUIET_S:
                if counter.count != count:
                    count, quiet_at = counter.count, time.monotonic()
                _PAUSE.wait(0.05)
            return time.monotonic() - began

        run = measure(folder, broker, load, {"broker": broker.pid, "consumer": pid}, finish)
        tell("Node-RED, kept nowhere", run, counter.count, broker.dropped())


def tell(name: str, run: Run, dealt: int, dropped: str) -> None:
    """Print one run."""
    acknowledged = run.result.acknowledged
    print(f"{name}: {run.rate:,.0f} messages/s; {dealt:,} of {acknowledged:,} acknowledged ones, "
          f"the last {run.drained_s:.1f} s after the load; {dropped}")  # fmt: skip
    for part, cost in run.watch.costs.items():
        print("  " + cost.describe(part, run.result.seconds, acknowledged))


def main() -> None:
    """Run both in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where Node-RED is, or is to be installed")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    load = Load(options.connections, options.rate, options.seconds)
    with tempfile.TemporaryDirectory() as name:
        script = install(options.folder or Path(name) / "npm")
        for turn in range(options.rounds):
            for kind in ("ours", "theirs"):
                folder = Path(name) / f"{turn}-{kind}"
                folder.mkdir()
                if kind == "ours":
                    ours(folder, load)
                else:
                    theirs(script, folder, load)


if __name__ == "__main__":
    main()
