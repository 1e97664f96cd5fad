"""Routes of dispatch: who could go to an order and why, sending the best one, and the plan of a day."""

from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from facility.clock import Clock
from facility.instant import format_instant
from facility.registry import Registry
from ticketing.api import Sessions
from ticketing.asker import Anybody, Asker, may_see
from ticketing.contract_book import ContractBook
from ticketing.day_plan import plan_day
from ticketing.dispatch import Choice, Move
from ticketing.dispatching import choose, send_somebody
from ticketing.found import found_order
from ticketing.problem import REFUSALS, refuse
from ticketing.roster import Roll, Roster
from ticketing.route import DayPlan
from ticketing.work_order import Refused


class CandidateView(BaseModel):
    """One person: whether she can go, when she would be there, and why."""

    person: str
    name: str
    can_go: bool
    there_at: str | None
    explanation: str
    explanation_zh: str


class MoveView(BaseModel):
    """An order that goes to somebody else because of this one."""

    order: str
    to: str
    reason: str
    reason_zh: str


class ChoiceView(BaseModel):
    """Who goes, everybody who was thought of, the best first, and what others take over."""

    order: str
    chosen: str | None
    explanation: str
    explanation_zh: str
    candidates: list[CandidateView]
    moves: list[MoveView]


class StopView(BaseModel):
    """One visit of a day: when it begins and ends, local to the roster's zone, and the way before it in minutes."""

    order: str
    asset_id: str
    building_id: str
    starts_at: str
    ends_at: str
    travel_minutes: int


class RouteView(BaseModel):
    """What one person does on the day, in order."""

    person: str
    stops: list[StopView]
    travel_minutes: int


class LeftView(BaseModel):
    """A visit that nobody makes on the day, and why."""

    order: str
    reason: str


class DayPlanView(BaseModel):
    """The plan of a day. `method` says what made it: or-tools, or the plain one."""

    on: date
    method: str
    routes: list[RouteView]
    left: list[LeftView]


def build_dispatch_router(
    sessions: Sessions,
    clock: Clock,
    book: ContractBook,
    people: Roll,
    registry: Callable[[], Registry],
    asker: Asker | None = None,
) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    who: Asker = asker or Anybody()
    router = APIRouter(prefix="/api", tags=["dispatch"], responses=REFUSALS)

    @router.get("/work-orders/{id}/candidates")
    def candidates(id: str) -> ChoiceView:  # noqa: A002 - the documented name
        """Who could go now, the best first, each with the reasons for and against. Nothing is changed."""
        with sessions.reading() as session:
            choice, moves = choose(session, found_order(session, id, who), people(), registry(), clock.now())
        return _choice_view(choice, moves, who)

    @router.post("/dispatch/{id}")
    def dispatch(id: str) -> ChoiceView:  # noqa: A002 - the documented name
        """Send the best one who can go. For an urgent order others take over what she then comes too late for. 409
        says why nobody can go."""
        with sessions.writing() as session:
            row = found_order(session, id, who, lock=True)
            sent = send_somebody(session, book, row, people(), registry(), clock.now())
            if isinstance(sent, Refused):
                refuse(409, sent.what, f"work order {row.id}", sent.hint)
        return _choice_view(sent.choice, list(sent.moves), who)

    @router.get("/dispatch/day")
    def day(
        on: Annotated[date | None, Query(description="local date of the roster; today when left out")] = None,
    ) -> DayPlanView:
        """The preventive visits of a day: who makes which, when, by which way; what is left over, and why."""
        now, roster = clock.now(), people()
        wanted = on if on is not None else now.astimezone(roster.zone).date()
        with sessions.reading() as session:
            made = plan_day(session, book, roster, registry(), wanted, now)
        return day_plan_view(made, roster, who)

    return router


def day_plan_view(plan: DayPlan, roster: Roster, who: Asker | None = None) -> DayPlanView:
    """The plan as others see it: whoever may see some buildings only sees the stops there."""
    who = who or Anybody()
    return DayPlanView(
        on=plan.on,
        method=plan.method,
        routes=[
            RouteView(
                person=route.person,
                stops=[
                    StopView(
                        order=stop.job.number,
                        asset_id=stop.job.asset_id,
                        building_id=stop.job.building_id,
                        starts_at=f"{stop.starts_at.astimezone(roster.zone):%H:%M}",
                        ends_at=f"{stop.ends_at.astimezone(roster.zone):%H:%M}",
                        travel_minutes=int(stop.travel.total_seconds() // 60),
                    )
                    for stop in route.stops
                    if may_see(who, stop.job.building_id)
                ],
                travel_minutes=int(route.travel.total_seconds() // 60),
            )
            for route in plan.routes
        ],
        left=[LeftView(order=job.number, reason=reason) for job, reason in plan.left if may_see(who, job.building_id)],
    )


def _choice_view(choice: Choice, moves: list[Move], who: Asker) -> ChoiceView:
    best = choice.chosen
    return ChoiceView(
        order=choice.task.number,
        chosen=best.person.id if best is not None else None,
        explanation=choice.explanation.en,
        explanation_zh=choice.explanation.zh,
        candidates=[
            CandidateView(
                person=one.person.id,
                name=one.person.name,
                can_go=one.against is None,
                there_at=format_instant(one.there_at) if one.against is None else None,
                explanation=one.explanation.en,
                explanation_zh=one.explanation.zh,
            )
            for one in choice.candidates
        ],
        moves=[
            MoveView(order=move.task.number, to=move.to, reason=move.reason.en, reason_zh=move.reason.zh)
            for move in moves
            if may_see(who, move.task.building_id)
        ],
    )
