"""Routes of the device inbox: who speaks and is not in the site file, and how far each device's clock is off."""

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from facility.instant import format_instant, from_us
from facility.site_file import Identifier
from ingest.discovery import Stranger
from ingest.discovery_desk import DeviceDesk
from ingest.discovery_file import Approval, Proposal


class ProposedPoint(BaseModel):
    """One value of the device: its last value, and the point it likely is (null when none fits); score 0..1."""

    name: str
    value: float | str | bool
    point: str | None
    unit: str
    score: float


class DeviceAnswer(BaseModel):
    """A device of the inbox. `topic` names it; `known_asset` is set when only points of that asset are missing."""

    topic: str
    dialect: str
    first_at: str
    last_at: str
    messages: int
    known_asset: str
    asset_id: str
    building_id: str
    equipment_class: str
    points: list[ProposedPoint]


class ClockAnswer(BaseModel):
    """A device's clock: positive `skew_s` is ahead; learned from so many scans."""

    asset_id: str
    skew_s: float
    scans: int


class ApproveCall(BaseModel):
    """What the device is. `points` maps the device's names to points; without it the proposal's are taken."""

    topic: str = Field(max_length=1024)
    asset_id: Identifier
    equipment_class: str = Field(max_length=64)
    building_id: str = Field(default="", max_length=64)
    name: str = Field(default="", max_length=200)
    points: dict[Annotated[str, Field(max_length=256)], str] = Field(default={}, max_length=64)


class ForgetCall(BaseModel):
    """Which device to take out of the inbox."""

    topic: str = Field(max_length=1024)


class CodeAnswer(BaseModel):
    """A code without a meaning: how often it was said since the start of the program, and when last (event time)."""

    asset_id: str
    code: str
    times: int
    last_at: str


class Approved(BaseModel):
    """The site file that adds the device; it is in force within a second or two."""

    asset_id: str
    file: str


def build_router(desk: DeviceDesk) -> APIRouter:
    """The routes. Who may call is decided where they are mounted."""
    router = APIRouter(prefix="/api/devices", tags=["devices"])

    @router.get("")
    def devices() -> list[DeviceAnswer]:
        """Devices that speak and are in no site file, with a proposed mapping; the one heard last first."""
        return [_answer(stranger, proposal) for stranger, proposal in desk.proposals()]

    @router.get("/clocks")
    def clocks() -> list[ClockAnswer]:
        """How far each device's clock is off (median of event time minus arrival), the worst first."""
        return [
            ClockAnswer(asset_id=one.asset_id, skew_s=round(one.skew_us / 1e6, 3), scans=one.scans)
            for one in desk.clocks()
        ]

    @router.get("/codes")
    def codes() -> list[CodeAnswer]:
        """Fault codes that no code map explains, kept as the device sent them; the one said last first."""
        return [
            CodeAnswer(
                asset_id=one.asset_id, code=one.code, times=one.times, last_at=format_instant(from_us(one.last_us))
            )
            for one in desk.unknown_codes()
        ]

    @router.post("/approve")
    def approve(call: ApproveCall) -> Approved:
        """Add the device to the site: a file in var/devices, in force as soon as the journal has it."""
        path = desk.approve(
            call.topic, Approval(call.asset_id, call.equipment_class, call.building_id, call.name, call.points)
        )
        return Approved(asset_id=call.asset_id, file=str(path))

    @router.post("/forget")
    def forget(call: ForgetCall) -> dict[str, str]:
        """Take a device out of the inbox; its next message brings it back."""
        if not desk.forget(call.topic):
            what = f"there is no device {call.topic!r} in the inbox"
            raise HTTPException(404, {"what": what, "where": "topic", "hint": "GET /api/devices lists them."})
        return {"status": "forgotten"}

    return router


def _answer(stranger: Stranger, proposal: Proposal) -> DeviceAnswer:
    guessed = {one.name: one for one in proposal.guess.points}
    return DeviceAnswer(
        topic=stranger.key,
        dialect=stranger.dialect,
        first_at=format_instant(from_us(stranger.first_us)),
        last_at=format_instant(from_us(stranger.last_us)),
        messages=stranger.messages,
        known_asset=stranger.asset_id,
        asset_id=proposal.asset_id,
        building_id=proposal.building_id,
        equipment_class=proposal.guess.equipment_class,
        points=[
            ProposedPoint(
                name=value.name,
                value=value.value,
                point=guessed[value.name].point if value.name in guessed else None,
                unit=guessed[value.name].unit if value.name in guessed else "",
                score=guessed[value.name].score if value.name in guessed else 0.0,
            )
            for value in stranger.values.values()
        ],
    )
