"""What processes cost while a bench runs: CPU seconds and resident memory from /proc, once a second."""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Cost:
    """Of one process: CPU seconds while it was watched, those up to `Watch.mark`, resident bytes second by second."""

    pid: int
    began_s: float
    cpu_s: float = 0.0
    marked_s: float = 0.0
    memory: list[int] = field(default_factory=list)

    def look(self) -> None:
        """One sample; nothing when the process is gone."""
        try:
            cpu_s = cpu_seconds(self.pid)
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return
        self.cpu_s = cpu_s - self.began_s
        if pages:  # none any more: it has ended
            self.memory.append(pages * _PAGE)

    def describe(self, name: str, seconds: float, messages: int) -> str:
        """One line: share of a core up to the mark at `seconds`, microseconds a message in all; memory at the
        beginning, in the middle, at the end, and the most."""
        share, each_us = self.marked_s / seconds, self.cpu_s / max(messages, 1) * 1e6
        megabytes = [one / 2**20 for one in self.memory] or [0.0]
        first, middle, last = megabytes[0], megabytes[len(megabytes) // 2], megabytes[-1]
        memory = f"{first:,.0f}, {middle:,.0f}, {last:,.0f} MiB, most {max(megabytes):,.0f}"
        return f"{name:10} {share:6.0%} of a core  {each_us:6.1f} us a message  memory {memory}"


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process so far."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / _TICK


class Watch:
    """Samples named processes in a thread while it is entered."""

    def __init__(self, pids: dict[str, int]) -> None:
        self.costs = {name: Cost(pid, cpu_seconds(pid)) for name, pid in pids.items()}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while True:
            for cost in self.costs.values():
                cost.look()
            if self._stop.wait(1.0):
                return

    def mark(self) -> None:
        """The load ends here; what follows is catching up."""
        for cost in self.costs.values():
            cost.look()
            cost.marked_s = cost.cpu_s

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for cost in self.costs.values():
            cost.look()
