"""What many open pages cost, and how soon each knows of a change: `python -m bench live [PAGES [SECONDS]]`.

The application of `bench pages` (2,000 assets, 20,000 points) is served on loopback; PAGES connections of another
process listen to `/events`, a third of them with the stamps of a building's values and a third with an asset's. First
they listen for SECONDS while nothing changes; then ten findings are published, one after the other, and each page says
how long after its publication it has heard of it. CPU is that of the serving process.
"""

import asyncio
import importlib
import json
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import uvicorn

from bench.pages_bench import TOKEN, build
from dashboards.web.change_feed import Change, ChangeFeed

CHANGES = 10
PAUSE = threading.Event()
"""Never set: what is waited for is time, the figure is a share of it."""
WATCHED = ("", "?watch=values/building/b{n}", "?watch=values/asset/z{n}-{n}")


class Heard:
    """How many pages listen, and how many milliseconds after its publication each change came to each."""

    def __init__(self, many: int) -> None:
        self.many, self.listening, self.late = many, 0, list[float]()
        self.all_listen, self.all_heard = asyncio.Event(), asyncio.Event()

    def begun(self) -> None:
        """One more page listens."""
        self.listening += 1
        if self.listening == self.many:
            self.all_listen.set()

    def told(self, at_ms: int) -> None:
        """A page heard of a change."""
        self.late.append(time.time() * 1000 - at_ms)
        if len(self.late) == self.many * CHANGES:
            self.all_heard.set()


async def listen(port: int, number: int, heard: Heard) -> None:
    """One open page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = "/events" + WATCHED[number % 3].format(n=number % 10)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: plant\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    event, is_new = "", True
    while line := (await reader.readline()).decode():
        if line.startswith("event: "):
            event = line[7:].strip()
            if event == "pulse" and is_new:
                is_new = False
                heard.begun()
        elif line.startswith("data: ") and event == "changed":
            heard.told(json.loads(line[6:])["at_ms"])


def pages(port: int, many: int, told: Any) -> None:  # noqa: ANN401 - a pipe of multiprocessing
    """The other process: opens the pages, says when all listen, and in the end what they heard."""

    async def run() -> list[float]:
        heard = Heard(many)
        tasks = [asyncio.create_task(listen(port, number, heard)) for number in range(many)]
        await heard.all_listen.wait()
        told.send(many)
        await heard.all_heard.wait()
        for task in tasks:
            task.cancel()
        return heard.late

    told.send(asyncio.run(run()))


def serve(folder: Path, feed: ChangeFeed) -> tuple[uvicorn.Server, int]:
    """The application on a free port, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    config = uvicorn.Config(build(folder, 100, feed), port=port, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        PAUSE.wait(0.05)
    return server, port


def percentile(found: Iterable[float], share: float) -> float:
    """The value that so many percent do not exceed."""
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def main() -> None:
    """Open, wait, change, print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    feed = ChangeFeed()
    with tempfile.TemporaryDirectory() as folder:
        server, port = serve(Path(folder), feed)
        ours, theirs = multiprocessing.Pipe()
        target = importlib.import_module("bench.live_bench").pages  # also when this module runs as the program
        child = multiprocessing.get_context("spawn").Process(target=target, args=(port, many, theirs))
        child.start()
        ours.recv()
        used = time.process_time()
        PAUSE.wait(seconds)
        idle = (time.process_time() - used) / seconds
        used = time.process_time()
        for number in range(CHANGES):
            feed.publish([Change("finding", f"f_{number}", "b0", "z0-0", "active")])
            PAUSE.wait(0.5)
        heard = ours.recv()
        busy = (time.process_time() - used - idle * CHANGES * 0.5) / CHANGES
        child.join()
        server.should_exit = True
        feed.close()
        print(f"{many} open pages: {100 * idle:.1f} % of a core while nothing changes, {busy * 1e3:.0f} ms a change")
        late = ", ".join(f"p{share} {percentile(heard, share):.0f} ms" for share in (50, 95, 100))
        print(f"from its publication until a page has heard of it: {late}")


if __name__ == "__main__":
    main()
