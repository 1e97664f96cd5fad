"""Scores every scenario of a folder, several at a time, and tells how far each is."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import NamedTuple

from facility.errors import refuse
from plantroom.score import Month
from plantroom.score_month import run_month

_BESIDE = ("site.yaml", "contract.yaml")
Told = Callable[[int, float], None]
"""Is told the number of a case and the share of it that is done."""


class Case(NamedTuple):
    """One scenario to be lived through, with what is added to its seed."""

    scenario: Path
    seed_shift: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.scenario.parent.name}/{self.scenario.stem}" + (f"+{self.seed_shift}" if self.seed_shift else "")


def find_cases(folder: Path, seeds: int, only: str = "") -> list[Case]:
    """Every scenario in or under a folder that has a site.yaml beside it. Raises InputError when there is none."""
    found = [
        Case(path, shift)
        for site in sorted(folder.rglob("site.yaml"))
        for path in sorted(site.parent.glob("*.yaml"))
        if path.name not in _BESIDE and only in f"{path.parent.name}/{path.stem}"
        for shift in range(seeds)
    ]
    if not found:
        hint = "Give a folder with site.yaml and scenario files in it, or in folders under it."
        raise refuse(str(folder), "holds no scenario to score", hint)
    return found


def run_cases(cases: Sequence[Case], days: int, workers: int, told: Told) -> list[Month]:
    """Score the cases in `workers` processes (in this one when it is 1); the months in the order of the cases."""
    if workers <= 1:
        return [run_month(*case_arguments(case, days), _teller(told, index)) for index, case in enumerate(cases)]
    context = multiprocessing.get_context("spawn")
    news: Queue[tuple[int, float]] = context.Queue()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_listen, initargs=(news,)) as pool:
        futures: list[Future[Month]] = [pool.submit(_work, index, case, days) for index, case in enumerate(cases)]
        pending = set(futures)
        while pending:
            _, pending = wait(pending, timeout=0.3, return_when=FIRST_COMPLETED)
            for index, share in _drain(news):
                told(index, share)
        return [future.result() for future in futures]


def case_arguments(case: Case, days: int) -> tuple[Path, int, int]:
    """What `run_month` takes."""
    return case.scenario, days, case.seed_shift


def _teller(told: Told, index: int) -> Callable[[float], None]:
    return lambda share: told(index, share)


def _drain(news: "Queue[tuple[int, float]]") -> Iterator[tuple[int, float]]:
    while True:
        try:
            yield news.get_nowait()
        except Empty:
            return


class _Worker:
    """What a worker process was given at its start."""

    news: "Queue[tuple[int, float]] | None" = None


def _listen(news: "Queue[tuple[int, float]]") -> None:
    _Worker.news = news


def _work(index: int, case: Case, days: int) -> Month:
    def tell(share: float) -> None:
        if _Worker.news is not None:
            _Worker.news.put((index, share))

    return run_month(*case_arguments(case, days), tell)
