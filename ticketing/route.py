"""The visits of a day as routes: who makes which, in what order and when. Pure, and without any library.

Hours are kept whatever chose the order: a visit begins and ends within the person's shift, the building's service hours
and the visit's own window.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

Hours = Sequence[tuple[datetime, datetime]]
Way = Callable[[str, str], timedelta]
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Job:
    """One visit: from `opens_at` on and done by `due_at` (aware UTC), within the service `hours` of its contract.

    `must` when it is due on the day or the law asks for it; `workers` may do it.
    """

    order_id: str
    number: str
    asset_id: str
    building_id: str
    opens_at: datetime
    due_at: datetime
    takes: timedelta
    must: bool
    workers: frozenset[str]
    hours: Hours


@dataclass(frozen=True, slots=True)
class Worker:
    """A person on the day: where it begins for her, and the hours she works."""

    person: str
    home: str
    hours: Hours


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of a route, with the way before it."""

    job: Job
    starts_at: datetime
    travel: timedelta

    @property
    def ends_at(self) -> datetime:
        """When it is done."""
        return self.starts_at + self.job.takes


@dataclass(frozen=True, slots=True)
class Route:
    """What one person does."""

    person: str
    stops: tuple[Stop, ...]

    @property
    def travel(self) -> timedelta:
        """All ways together."""
        return sum((stop.travel for stop in self.stops), timedelta(0))


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The routes of a day, and what is left over with the reason. `method` says what chose the order."""

    on: date
    routes: tuple[Route, ...]
    left: tuple[tuple[Job, str], ...]
    method: str = PLAIN


Orders = Mapping[str, Sequence[Job]]
"""Which jobs each person makes in which order, as a solver says."""


def decide_day(
    on: date,
    jobs: Sequence[Job],
    workers: Sequence[Worker],
    way: Way,
    wanted: Orders | None = None,
    method: str = PLAIN,
) -> DayPlan:
    """The plan of a day. `wanted` is a solver's order; what of it does not fit the hours, and what it left out, is
    put at the end of the route where it fits with the shortest way, what must be done first."""
    routes: dict[str, list[Stop]] = {worker.person: [] for worker in workers}
    placed: set[str] = set()
    for worker in workers:
        for job in (wanted or {}).get(worker.person, ()):
            stop = _next(job, worker, routes[worker.person], way)
            if stop is not None and job.order_id not in placed:
                routes[worker.person].append(stop)
                placed.add(job.order_id)
    rest = [job for job in jobs if job.order_id not in placed]
    while rest:
        found = [
            (not job.must, stop.travel, stop.starts_at, job.due_at, job.order_id, worker.person, job, stop)
            for job in rest
            for worker in workers
            if worker.person in job.workers and (stop := _next(job, worker, routes[worker.person], way)) is not None
        ]
        if not found:
            break
        *_, person, job, stop = min(found, key=lambda one: one[:6])
        routes[person].append(stop)
        rest.remove(job)
    left = tuple((job, _why(job, workers)) for job in rest)
    made = tuple(Route(person, tuple(stops)) for person, stops in routes.items() if stops)
    return DayPlan(on, made, left, method)


def better(one: DayPlan, other: DayPlan) -> DayPlan:
    """The plan that leaves less of what must be done, then less at all, then has shorter ways; `one` of equal ones."""

    def cost(plan: DayPlan) -> tuple[int, int, timedelta]:
        ways = sum((route.travel for route in plan.routes), timedelta(0))
        return sum(job.must for job, _ in plan.left), len(plan.left), ways

    return one if cost(one) <= cost(other) else other


def common(one: Hours, other: Hours) -> list[tuple[datetime, datetime]]:
    """The times that are in both."""
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return sorted((low, high) for low, high in pairs if low < high)


def _next(job: Job, worker: Worker, stops: Sequence[Stop], way: Way) -> Stop | None:
    """The visit as the next one of a route; None when it no longer fits."""
    if worker.person not in job.workers or not worker.hours:
        return None
    last = stops[-1] if stops else None
    travel = way(last.job.building_id if last is not None else worker.home, job.building_id)
    ready_at = (last.ends_at if last is not None else worker.hours[0][0]) + travel
    window = [(job.opens_at, job.due_at)]
    for low, high in common(common(worker.hours, job.hours), window):
        starts_at = max(low, ready_at)
        if starts_at + job.takes <= high:
            return Stop(job, starts_at, travel)
    return None


def _why(job: Job, workers: Sequence[Worker]) -> str:
    able = [worker for worker in workers if worker.person in job.workers]
    if not job.workers:
        return "nobody in the roster may do it (skill, certificate or zone)"
    if not able:
        return "nobody who may do it works on this day"
    if not any(common(common(worker.hours, job.hours), [(job.opens_at, job.due_at)]) for worker in able):
        return "its window and service hours leave no time within a shift"
    return "no time is left in the shifts of those who may do it"
