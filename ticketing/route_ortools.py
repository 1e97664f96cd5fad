"""The order of a day's visits by Google's OR-Tools, where the extra `planning` is installed.

It minimises the ways and what is left over; `ticketing.route` keeps the hours afterwards.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from ticketing.route import Hours, Job, Orders, Way, Worker, common

NAME = "or-tools"
MUST, MAY = 100_000, 10_000
"""What leaving a visit out costs, in minutes of travel."""
_SOLUTIONS, _SECONDS = 400, 2


def is_installed() -> bool:
    """Whether OR-Tools can be used."""
    return _library() is not None


def order_visits(jobs: Sequence[Job], workers: Sequence[Worker], way: Way) -> Orders | None:
    """Person -> her visits in order; None when OR-Tools is not installed or finds nothing."""
    library = _library()
    able = [worker for worker in workers if worker.hours]
    if library is None or not jobs or not able:
        return None
    pywrapcp, enums = library
    starts_at = min(worker.hours[0][0] for worker in able)
    places = [worker.home for worker in able] + [job.building_id for job in jobs]
    first = len(able)  # nodes: one home for each person, then the visits
    manager = pywrapcp.RoutingIndexManager(len(places), first, list(range(first)), list(range(first)))
    routing = pywrapcp.RoutingModel(manager)

    def takes(node: int) -> int:
        return _minutes(jobs[node - first].takes) if node >= first else 0

    def travel(from_index: int, to_index: int) -> int:
        one, other = manager.IndexToNode(from_index), manager.IndexToNode(to_index)
        return 0 if other < first else _minutes(way(places[one], places[other]))

    def lasts(from_index: int, to_index: int) -> int:
        return takes(manager.IndexToNode(from_index)) + travel(from_index, to_index)

    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitCallback(travel))
    routing.AddDimension(routing.RegisterTransitCallback(lasts), 24 * 60, 48 * 60, False, "time")  # noqa: FBT003 - its own signature
    time = routing.GetDimensionOrDie("time")
    for vehicle, worker in enumerate(able):
        low, high = (_since(starts_at, at) for at in (worker.hours[0][0], worker.hours[-1][1]))
        time.CumulVar(routing.Start(vehicle)).SetRange(low, high)
        time.CumulVar(routing.End(vehicle)).SetRange(low, high)
    for number, job in enumerate(jobs):
        index = manager.NodeToIndex(first + number)
        free = [(_since(starts_at, low), _since(starts_at, high) - _minutes(job.takes)) for low, high in _open(job)]
        free = [(max(0, low), high) for low, high in free if high >= max(0, low)]
        vehicles = [vehicle for vehicle, worker in enumerate(able) if worker.person in job.workers]
        routing.AddDisjunction([index], MUST if job.must else MAY)
        if not free or not vehicles:
            routing.VehicleVar(index).SetValues([-1])
            continue
        routing.VehicleVar(index).SetValues([-1, *vehicles])
        time.CumulVar(index).SetRange(free[0][0], free[-1][1])
        for (_, before), (after, _) in pairwise(free):
            if before + 1 <= after - 1:
                time.CumulVar(index).RemoveInterval(before + 1, after - 1)
    lengths = [takes(manager.IndexToNode(index)) for index in range(routing.Size())]
    solver = routing.solver()
    for vehicle, worker in enumerate(able):
        gaps = [(_since(starts_at, end), _since(starts_at, start)) for (_, end), (start, _) in pairwise(worker.hours)]
        breaks = [solver.FixedDurationIntervalVar(*_fixed(low, high), f"{vehicle} {low}") for low, high in gaps]
        time.SetBreakIntervalsOfVehicle(breaks, vehicle, lengths)
    wanted = pywrapcp.DefaultRoutingSearchParameters()
    wanted.first_solution_strategy = enums.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    wanted.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    wanted.solution_limit = _SOLUTIONS
    wanted.time_limit.seconds = _SECONDS
    solution = routing.SolveWithParameters(wanted)
    if solution is None:
        return None
    found: dict[str, list[Job]] = {}
    for vehicle, worker in enumerate(able):
        index = solution.Value(routing.NextVar(routing.Start(vehicle)))
        while not routing.IsEnd(index):
            found.setdefault(worker.person, []).append(jobs[manager.IndexToNode(index) - first])
            index = solution.Value(routing.NextVar(index))
    return found


def _library() -> tuple[Any, Any] | None:
    try:
        from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # noqa: PLC0415 - an extra, 80 MB, needed once a day
    except ImportError:
        return None
    return pywrapcp, routing_enums_pb2


def _fixed(low: int, high: int) -> tuple[int, int, int, bool]:
    """Earliest and latest start, duration, and that it is not optional."""
    return low, low, high - low, False


def _open(job: Job) -> Hours:
    return common(job.hours, [(job.opens_at, job.due_at)])


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)


def _since(start: datetime, at: datetime) -> int:
    return _minutes(at - start)
