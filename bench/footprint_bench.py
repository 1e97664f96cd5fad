"""What the whole demo costs at real time: `python -m bench footprint [SECONDS [PYTHON]]`, 300 s by default.

`plantroom demo --speed 1` with its broker, simulators and pages runs in a folder of its own. After a minute of
settling, memory (from /proc/PID/smaps_rollup: PSS, in which shared pages are counted once over all processes, and what
is private) and CPU seconds of every process are read at the beginning and at the end, and memory every ten seconds
between. The share of a core is CPU time, which a busy machine changes little. PYTHON is that of an environment with
only the packages of requirements/core.txt: what is installed for development (numpy) is imported by pint, if there.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from bench.watch import cpu_seconds

SETTLING_S, EVERY_S = 60.0, 10.0
GOAL_MB, GOAL_SHARE = 700.0, 0.10
PAUSE = threading.Event()
"""Never set: what is waited for is time."""


@dataclass(slots=True)
class Part:
    """One process: CPU seconds at the beginning and now, and the most memory that it had, in bytes."""

    name: str
    began_s: float
    cpu_s: float
    pss: int = 0
    private: int = 0


@dataclass(slots=True)
class Tree:
    """A process and all that descend from it."""

    root: int
    parts: dict[int, Part] = field(default_factory=dict)
    most_pss: int = 0

    def look(self) -> None:
        """Take memory and CPU of all processes that live now."""
        total = 0
        for pid in descendants(self.root):
            try:
                pss, private = memory(pid)
                cpu_s = cpu_seconds(pid)
                part = self.parts.setdefault(pid, Part(name_of(pid), cpu_s, cpu_s))
            except (FileNotFoundError, ProcessLookupError):
                continue
            part.cpu_s, part.pss, part.private = cpu_s, max(part.pss, pss), max(part.private, private)
            total += pss
        self.most_pss = max(self.most_pss, total)

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all of them since the first look."""
        return sum(part.cpu_s - part.began_s for part in self.parts.values())


def descendants(root: int) -> list[int]:
    """The process and its children, theirs too."""
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += [int(one) for one in task.read_text(encoding="ascii").split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def memory(pid: int) -> tuple[int, int]:
    """PSS and private memory of a process, in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    kib = {line.split()[0]: int(line.split()[1]) for line in lines}
    return kib["Pss:"] * 1024, (kib["Private_Clean:"] + kib["Private_Dirty:"]) * 1024


def name_of(pid: int) -> str:
    """What the process is in the program: its role, or its first word."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if "--role" in words:
        return words[words.index("--role") + 1]
    known = [word for word in ("demo", "simulate") if word in words]
    return known[0] if known else Path(words[0]).name


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def measure(python: str, folder: Path, seconds: float, settling_s: float = SETTLING_S) -> Tree:
    """Run the demo at real time and watch it; RuntimeError when it does not start."""
    pages, broker = free_ports(2)
    command = [python, "-m", "plantroom", "demo", "--speed", "1", "--port", str(pages), "--mqtt-port", str(broker)]
    program = subprocess.Popen(
        [*command, "--var", str(folder / "var")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        said: list[str] = []
        for line in program.stdout or ():
            said.append(line.decode(errors="replace"))
            if line.startswith(b"Ctrl-C ends it"):
                break
        else:
            msg = f"the demo did not start:\n{''.join(said)}"
            raise RuntimeError(msg)
        drain = threading.Thread(target=lambda: [None for _ in program.stdout or ()])
        drain.start()
        PAUSE.wait(settling_s)
        tree = Tree(program.pid)
        tree.look()
        for _ in range(max(1, round(seconds / EVERY_S))):
            PAUSE.wait(min(EVERY_S, seconds))
            tree.look()
    finally:
        program.send_signal(signal.SIGINT)
        program.wait()
    drain.join()
    if program.stdout is not None:
        program.stdout.close()
    return tree


def main() -> None:
    """Run, print a table and whether the goals are reached."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        tree = measure(python, Path(folder), seconds)
    print(f"{'process':12} {'PSS MB':>8} {'private':>8} {'CPU s':>8} {'of a core':>10}")
    for part in tree.parts.values():
        used = part.cpu_s - part.began_s
        sizes = f"{part.pss / 1e6:8.0f} {part.private / 1e6:8.0f}"
        print(f"{part.name:12} {sizes} {used:8.2f} {used / seconds:10.2%}")
    share, megabytes = tree.cpu_s / seconds, tree.most_pss / 1e6
    print(f"{'together':12} {megabytes:8.0f} {'':8} {tree.cpu_s:8.2f} {share:10.2%}")
    good = megabytes < GOAL_MB and share < GOAL_SHARE
    print(f"goal: under {GOAL_MB:.0f} MB and {GOAL_SHARE:.0%} of a core: {'reached' if good else 'missed'}")


if __name__ == "__main__":
    main()
