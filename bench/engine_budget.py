"""Where the CPU time of a reading goes in the rule engine, stage by stage. Run: python -m bench.engine_budget [MINUTES]

A sampler asks every millisecond of CPU time which function runs; the innermost one that belongs to a stage counts.
Shares hold on a busy machine too, where readings a second do not.
"""

import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from bench.engine_bench import START_US, commits, site
from facility.reading import Commit, RuleSetActivated, SiteEdited
from rules.catalogue import shipped_files
from rules.engine import Engine

STAGES = {
    "order scans by event time": ("engine", "building.BuildingStream.take", "building.BuildingStream._waiting",
                                  "building.BuildingStream.tick", "building.BuildingStream.drain"),
    "take readings in, find whom they concern": ("judge", "watch", "plan"),
    "windows: mean, lowest, ago and the like": ("window", "row", "terms.WindowTerm", "terms.MeanTerm"),
    "means, sums and marks that run along": ("running",),
    "what is learnt: baselines, trends": ("learners", "baseline", "trend", "joint", "hours"),
    "conditions, since and counts": ("<rule>", "terms", "states", "siblings"),
    "timers, persistence, falling asleep": ("building", "lifecycle", "judgement", "reasons"),
    "findings: evidence and explanation": ("evidence", "explain", "storm", "steps", "building.BuildingStream.explain",
                                           "building.BuildingStream._record"),
}  # fmt: skip
_STAGE_OF = {prefix: stage for stage, prefixes in STAGES.items() for prefix in prefixes}


def stage_of(frame: FrameType | None) -> str:
    """The stage of the innermost frame that belongs to one."""
    while frame is not None:
        name = f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            stage = _STAGE_OF.get(".".join(parts[:length]))
            if stage is not None:
                return stage
        frame = frame.f_back
    return "other"


def main(minutes: int) -> None:
    """Feed the load of the engine's bench and print the shares."""
    engine = Engine(allowance_us=2_000_000)
    files = {"site.yaml": site()}
    events = (SiteEdited("site", START_US, files), RuleSetActivated("rules", START_US, "", shipped_files()))
    engine.feed(Commit(1, START_US, events))
    load = list(commits(minutes, random.Random(7)))
    samples: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: samples.update((stage_of(frame),)))
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    started = time.process_time()
    for commit, _ in load:
        engine.feed(commit)
    seconds = time.process_time() - started
    signal.setitimer(signal.ITIMER_PROF, 0)
    readings, total = sum(count for _, count in load), sum(samples.values())
    for stage in STAGES:
        share = samples[stage] / total
        print(f"{stage:<42}{share:6.0%}{share * seconds / readings * 1e6:7.2f} us a reading")
    print(f"{total:,} samples, {readings:,} readings, {seconds / readings * 1e6:.2f} us each, the sampler included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 240)
